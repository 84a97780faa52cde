import type { Profile } from '../../shared/domain/directory.ts'
import { directoryOf } from '../../shared/domain/person-directory.ts'
import type { User } from '../../shared/domain/user.ts'
import { ENTERPRISE, USER } from './schemas.ts'
import type { UserInput, UserResource } from './shapes.ts'

/** What a directory sent of a person, as it is kept. */
export function profileOf(input: UserInput): Profile {
  const { name, emails, addresses } = input
  const department = input[ENTERPRISE]?.department
  return {
    userName: input.userName,
    ...texts({
      displayName: input.displayName,
      formatted: name?.formatted,
      givenName: name?.givenName,
      familyName: name?.familyName,
      title: input.title,
      department,
    }),
    ...(typeof input.active === 'boolean' && { active: input.active }),
    emails: (emails ?? []).flatMap(({ value, primary, type, display }) =>
      value ? [{ value, ...texts({ type, display }), ...(typeof primary === 'boolean' && { primary }) }] : [],
    ),
    addresses: (addresses ?? [])
      .map(({ country, type, primary }) => ({
        ...texts({ country, type }),
        ...(typeof primary === 'boolean' && { primary }),
      }))
      .filter((one) => Object.keys(one).length > 0),
  }
}

type Texts<Name extends string> = { [_ in Name]?: string }

/** Those that say something. */
function texts<Name extends string>(fields: Readonly<Record<Name, string | null | undefined>>): Texts<Name> {
  const said: Texts<Name> = {}
  for (const name in fields) {
    const value = fields[name]
    if (value) said[name] = value
  }
  return said
}

/** A person as SCIM shows it. */
export function userResource(user: User, issuer: string): UserResource {
  const profile = directoryOf(user)
  const { formatted, givenName, familyName, department, emails, addresses, groups } = profile
  const name = texts({ formatted, givenName, familyName })
  return {
    schemas: [USER, ...(department ? [ENTERPRISE] : [])],
    id: user.id,
    ...texts({ externalId: user.externalId, displayName: profile.displayName, title: profile.title }),
    userName: profile.userName,
    ...(Object.keys(name).length > 0 && { name }),
    ...(profile.active !== undefined && { active: user.status !== 'archived' }),
    ...(emails.length > 0 && { emails: [...emails] }),
    ...(addresses.length > 0 && { addresses: [...addresses] }),
    ...(groups.length > 0 && {
      groups: groups.map((value) => ({ value, $ref: `${issuer}/scim/v2/Groups/${value}` })),
    }),
    ...(department && { [ENTERPRISE]: { department } }),
    meta: {
      resourceType: 'User',
      created: user.createdAt,
      lastModified: user.modifiedAt ?? user.createdAt,
      location: `${issuer}/scim/v2/Users/${user.id}`,
      version: `W/"${user.revision}"`,
    },
  }
}

/** What of a person a directory may change: what a PATCH is applied to. */
export function userDocument(user: User): Record<string, unknown> {
  const { id: _, meta: __, groups: ___, ...document } = userResource(user, '')
  return document
}
