import type { GroupId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { isSame } from './canonical-json.ts'
import { Country } from './country.ts'
import { type Directory, type Group, type Profile, rolesOf } from './directory.ts'
import { Email } from './email.ts'
import type { Organizations } from './organization.ts'
import { archivePerson, returnPerson } from './person-return.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Seat, SeatPolicy } from './seat.ts'
import { MOST_ROLES, type User, userView } from './user.ts'

/** By what name a directory finds a person, also one that did not come from it. */
const userNameOf = ({ directory, email, id }: Pick<User, 'directory' | 'email' | 'id'>) =>
  directory?.userName ?? email ?? id

/** A person as a directory would keep it, also one that did not come from it. */
export function directoryOf(user: User): Directory {
  return (
    user.directory ?? {
      userName: userNameOf(user),
      displayName: user.name,
      active: user.status !== 'archived',
      emails: user.email ? [{ value: user.email, type: 'work', primary: true }] : [],
      addresses: [],
      groups: [],
      roles: [],
    }
  )
}

/** Is the person there for a directory? One that it took away is not, unless somebody else took it back. */
export const isListed = ({ directory, status }: Pick<User, 'directory' | 'status'>) =>
  status !== 'archived' || directory?.deletedAt === undefined

/** Facts that decide what becomes of a person beside what a directory says of it. */
type Surroundings = {
  readonly organizations: Organizations
  readonly policy: Pick<SeatPolicy, 'undoDays'>
  readonly now: Instant
}

/**
 * A person as a directory says it is from now on. Who is not active is archived and holds nothing; who is active again
 * comes back. A suspension is an administrator's, and stays.
 */
export function withProfile(
  user: User,
  seats: readonly Seat[],
  profile: Profile,
  externalId: string | undefined,
  { organizations, policy, now }: Surroundings,
): User {
  const { groups, roles, department } = directoryOf(user)
  const { email: _, externalId: __, ...others } = user
  const email = emailOf(profile)
  const country = countryOf(profile)
  const place =
    department === profile.department ? undefined : organizationNamed(profile.department, organizations)
  const next: User = {
    ...others,
    ...(email && { email }),
    ...(externalId && { externalId }),
    ...(country && { usageLocation: country }),
    ...(place && { organizationId: place }),
    name: nameOf(profile),
    directory: { ...profile, groups, roles },
  }
  if (profile.active === false) return archivePerson(next, seats, now)
  const isBack =
    user.status === 'archived' && (profile.active === true || user.directory?.deletedAt !== undefined)
  return isBack ? returnPerson(next, organizations, policy, now) : next
}

/** A person that a directory takes away: archived, in no group, and not there for it any more. */
export function withoutDirectory(user: User, seats: readonly Seat[], now: Instant): User {
  const { groups, roles, ...profile } = directoryOf(user)
  const archived = archivePerson(user, seats, now)
  return {
    ...archived,
    roles: user.roles.filter((role) => !roles.includes(role)),
    former: { seats: archived.former?.seats ?? [], groups },
    directory: { ...profile, active: false, groups: [], roles: [], deletedAt: now },
  }
}

/**
 * A person in these groups: it has the roles they give, beside those it was given otherwise, which stay.
 *
 * @param declared every role that a product of the tenant knows
 */
export function inGroups(
  user: User,
  groups: readonly Group[],
  declared: ReadonlySet<string>,
): User | Refusal {
  const directory = directoryOf(user)
  const own = user.roles.filter((role) => !directory.roles.includes(role))
  const given = [...new Set(groups.flatMap((group) => rolesOf(group, declared)))]
    .filter((role) => !own.includes(role))
    .toSorted()
  if (own.length + given.length > MOST_ROLES)
    return refuse('TOO_MUCH_AT_ONCE', `${user.name} would have ${own.length + given.length} roles.`)
  const ids: GroupId[] = groups.map(({ id }) => id).toSorted()
  return { ...user, roles: [...own, ...given], directory: { ...directory, groups: ids, roles: given } }
}

/** The same person one revision on; or as it was, where nothing of it is another. */
export function revised(before: User, after: User): User {
  const told = (user: User) => ({ ...userView(user), revision: 0 })
  return isSame(told(before), told(after)) ? before : { ...after, revision: before.revision + 1 }
}

function nameOf({ displayName, formatted, givenName, familyName, userName }: Profile): string {
  const full = [givenName, familyName].filter(Boolean).join(' ')
  const [name = userName] = [displayName, formatted, full].filter((one) => one?.trim())
  return name.trim().slice(0, 200)
}

/** The address that mail goes to: the primary one, else that of work, else the first, else a name that is one. */
function emailOf({ emails, userName }: Profile): string | undefined {
  const own = emails.find(({ primary }) => primary) ?? emails.find(({ type }) => type === 'work') ?? emails[0]
  return own?.value ?? (Email.safeParse(userName).success ? userName : undefined)
}

/** Where the person works, if the directory names the country by its code. */
function countryOf({ addresses }: Profile): string | undefined {
  const own =
    addresses.find(({ primary }) => primary) ?? addresses.find(({ type }) => type === 'work') ?? addresses[0]
  return Country.safeParse(own?.country).data
}

/** The one organization that bears the name of a department. */
function organizationNamed(department: string | undefined, organizations: Organizations) {
  if (department === undefined) return undefined
  const named = [...organizations.values()].filter(
    ({ name, archivedAt }) => archivedAt === undefined && slug(name) === slug(department),
  )
  return named.length === 1 ? named[0]?.id : undefined
}

const slug = (text: string) => text.trim().toLowerCase()
