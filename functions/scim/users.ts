import type { Group } from '../../shared/domain/directory.ts'
import { emailKey } from '../../shared/domain/email.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import {
  inGroups,
  isListed,
  revised,
  withoutDirectory,
  withProfile,
} from '../../shared/domain/person-directory.ts'
import { fieldErrors, isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import { readGroupsOf } from '../../shared/store/group.ts'
import { findUser, findUserName, readUser, readUsers } from '../../shared/store/user.ts'
import { editPersonFor } from '../seating/change-person.ts'
import { createPerson } from '../seating/create-person.ts'
import { stale } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { declaredRoles } from './declared-roles.ts'
import { asGiven } from './group-writes.ts'
import { listUsers } from './list-users.ts'
import { moveMembers } from './membership.ts'
import { patched } from './patch.ts'
import { projected } from './project.ts'
import type { scimRoutes } from './routes.ts'
import { UserInput } from './shapes.ts'
import { tenantOf } from './tenant.ts'
import { profileOf, userDocument, userResource } from './user-resource.ts'

type UserHandlers = Pick<
  Handlers<typeof scimRoutes, VerifyingServices>,
  'listScimUsers' | 'createScimUser' | 'getScimUser' | 'replaceScimUser' | 'patchScimUser' | 'deleteScimUser'
>

export const userHandlers: UserHandlers = {
  listScimUsers: listUsers,

  async createScimUser(call, services) {
    const tenantId = tenantOf(call)
    const profile = profileOf(call.body)
    const externalId = call.body.externalId ?? undefined
    const known = await findKnown(services, tenantId, profile.userName, externalId)
    if (isRefusal(known)) return known
    // Who comes back is who it was.
    if (known) return changed(call, services, known, 'user.restored', () => call.body, true)
    return createPerson(
      call,
      services,
      tenantId,
      {
        mayWait: true,
        next: (blank, { organizations, policy }) =>
          withProfile(
            { ...blank, name: profile.userName, directory: { ...NOTHING, userName: profile.userName } },
            [],
            profile,
            externalId,
            { organizations, policy, now: call.now },
          ),
      },
      ({ user }) => projected(userResource(user, services.issuer), call.query),
    )
  },

  async getScimUser(call, { table, issuer }) {
    const user = await readUser(table, tenantOf(call), call.params.userId)
    return user && isListed(user) ? projected(userResource(user, issuer), call.query) : notFound
  },

  replaceScimUser: (call, services) =>
    changed(call, services, call.params.userId, 'user.edited', () => call.body),

  patchScimUser: (call, services) =>
    changed(call, services, call.params.userId, 'user.edited', (user) => {
      const document = patched(userDocument(user), call.body.Operations)
      if (isRefusal(document)) return document
      const parsed = UserInput.safeParse(document)
      return parsed.success
        ? parsed.data
        : refuse('INVALID_REQUEST', 'The person would not be valid.', {
            errors: fieldErrors(parsed.error, '/body'),
          })
    }),

  async deleteScimUser(call, services) {
    const done = await editPersonFor(
      call,
      services,
      { tenantId: tenantOf(call), userId: call.params.userId },
      {
        event: 'user.archived',
        mayWait: true,
        next: ({ user, seats }) =>
          checkSeen(user, call.revision) ?? revised(user, withoutDirectory(user, seats, call.now)),
      },
      () => ({}),
    )
    return isRefusal(done) ? done : undefined
  },
}

const NOTHING = { emails: [], addresses: [], groups: [], roles: [] }

type Changing = Pick<
  Call<(typeof scimRoutes)['replaceScimUser']>,
  'caller' | 'now' | 'requestId' | 'remaining' | 'idempotencyKey' | 'fingerprint' | 'revision' | 'query'
>

/** Groups that somebody joins together with its seats: each is two of the 100 items of a transaction (AWS). */
const JOINED_AT_ONCE = 20

/** Makes a person what a directory says it is. One that the directory took away is back in the groups it was in. */
async function changed(
  call: Changing,
  services: VerifyingServices,
  userId: UserId,
  event: EventDraft['type'],
  inputOf: (user: User) => UserInput | Refusal,
  isBack = false,
) {
  const tenantId = tenantOf(call)
  let joined: readonly Group[] = []
  let later: readonly Group[] = []
  const done = await editPersonFor(
    call,
    services,
    { tenantId, userId },
    {
      event,
      // The directory says who is here; a seat that is not free is waited for.
      mayWait: true,
      async next({ user, seats }, seating) {
        const refused = isBack ? undefined : checkSeen(user, call.revision)
        if (refused) return refused
        // Somebody else was quicker to take the person back.
        if (isBack && isListed(user)) return taken(user)
        const input = inputOf(user)
        if (isRefusal(input)) return input
        const known = await nameTaken(services, user, input.userName)
        if (known) return known
        const { organizations, policy } = seating
        const externalId = input.externalId ?? undefined
        const told = withProfile(user, seats, profileOf(input), externalId, {
          organizations,
          policy,
          now: call.now,
        })
        const former = told.status === 'archived' ? [] : (told.former?.groups ?? [])
        if (former.length === 0) return revised(user, told)
        const groups = await readGroupsOf(services.table, tenantId, former)
        const open = groups.filter(({ deletedAt }) => deletedAt === undefined)
        joined = open.slice(0, JOINED_AT_ONCE)
        later = open.slice(JOINED_AT_ONCE)
        const grouped = inGroups(told, joined, declaredRoles(seating))
        return isRefusal(grouped) ? grouped : revised(user, grouped)
      },
      also: () => asGiven(joined),
    },
    ({ user }) => projected(userResource(user, services.issuer), call.query),
  )
  // It is back; what it cannot join of these is for the directory to say again.
  if (!isRefusal(done))
    for (const { id } of later) await moveMembers(call, services, tenantId, id, [[userId, 'join']])
  return done
}

/** The person must be there for the directory, and be as it was when it was read, where the caller says so. */
function checkSeen(user: User, revision: number): Refusal | undefined {
  if (!isListed(user)) return notFound
  return revision > 0 && revision !== user.revision
    ? { ...stale, detail: `It is at ${user.revision}.` }
    : undefined
}

const taken = ({ name }: Pick<User, 'name'>) =>
  refuse('PERSON_EXISTS', `${name} has this user name or external id.`)

/**
 * Has somebody the new user name by the e-mail address, who never came from a directory? The write is conditional on the
 * name's own row, which people have not who were made by hand before there was one for them.
 */
async function nameTaken(
  { table }: VerifyingServices,
  { id, tenantId, directory, email }: User,
  userName: string,
): Promise<Refusal | undefined> {
  const key = emailKey(userName)
  if (key === emailKey(directory?.userName ?? email ?? id)) return undefined
  const owner = await findUser(table, tenantId, { email: key })
  const other = owner && owner !== id ? await readUser(table, tenantId, owner) : undefined
  return other && other.directory === undefined ? taken(other) : undefined
}

/** Who a new person is already: one who left. Somebody who is here is somebody else. */
async function findKnown(
  { table }: VerifyingServices,
  tenantId: TenantId,
  userName: string,
  externalId: string | undefined,
): Promise<UserId | undefined | Refusal> {
  const found = await Promise.all([
    findUserName(table, tenantId, userName),
    externalId ? findUser(table, tenantId, { externalId }) : undefined,
    // One who is not from the directory is known to it by the e-mail address.
    findUser(table, tenantId, { email: emailKey(userName) }),
  ])
  const ids = [...new Set(found.filter((id) => id !== undefined))]
  const users = await readUsers(table, tenantId, ids)
  const here = users.find(isListed)
  if (here) return taken(here)
  const [one, other] = users
  return other ? taken(other) : one?.id
}
