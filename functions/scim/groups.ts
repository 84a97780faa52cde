import type { Group } from '../../shared/domain/directory.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { type GroupId, UserId } from '../../shared/platform/ids.ts'
import { readGroup, readGroups, readMembers } from '../../shared/store/group.ts'
import { readUsers } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { readFilter } from './filter.ts'
import { movesFor } from './group-moves.ts'
import { type GroupChange, groupChange } from './group-patch.ts'
import { groupResource } from './group-resource.ts'
import { checkRevision, edited, hashOf, told } from './group-writes.ts'
import { MOST_RESULTS } from './list-users.ts'
import { createScimGroup } from './make-group.ts'
import { moveMembers, type Request } from './membership.ts'
import { isAsked, projected } from './project.ts'
import type { scimRoutes } from './routes.ts'
import { LIST, RESOURCES } from './schemas.ts'
import type { GroupResource } from './shapes.ts'
import { spread, takeAway } from './spread.ts'
import { tenantOf } from './tenant.ts'

type GroupHandlers = Pick<
  Handlers<typeof scimRoutes, VerifyingServices>,
  | 'listScimGroups'
  | 'createScimGroup'
  | 'getScimGroup'
  | 'replaceScimGroup'
  | 'patchScimGroup'
  | 'deleteScimGroup'
>

/** How often others may say at the same time who is in a group. */
const ROUNDS = 4
/** Members in one answer; an answer of Lambda has at most 6 MB. */
const MOST_MEMBERS = 20_000

export const groupHandlers: GroupHandlers = {
  async listScimGroups(call, { table, issuer }) {
    const tenantId = tenantOf(call)
    const { filter, startIndex, count } = call.query
    const first = Math.max(1, startIndex)
    let groups = (await readGroups(table, tenantId)).filter(({ deletedAt }) => deletedAt === undefined)
    if (filter !== undefined) {
      const wanted = readFilter(filter, RESOURCES.Group)
      if (isRefusal(wanted)) return wanted
      // Of members only those that the filter names need be known.
      const named = wanted.valuesOf('members.value').flatMap((id) => UserId.safeParse(id).data ?? [])
      const people = named.length > 0 ? await readUsers(table, tenantId, [...new Set(named)]) : []
      const membersOf = (id: GroupId) =>
        people.filter(({ directory }) => directory?.groups.includes(id)).map((user) => user.id)
      groups = groups.filter((group) => wanted.matches(groupResource(group, membersOf(group.id), issuer)))
    }
    const page = groups.slice(first - 1, first - 1 + Math.min(Math.max(0, count), MOST_RESULTS))
    const Resources: GroupResource[] = []
    let shown = 0
    for (const group of page) {
      const members = isAsked('members', call.query) ? await readMembers(table, tenantId, group.id) : []
      shown += members.length
      if (shown > MOST_MEMBERS) return tooMany
      Resources.push(projected(groupResource(group, members, issuer), call.query))
    }
    return {
      schemas: [LIST],
      totalResults: groups.length,
      startIndex: first,
      itemsPerPage: Resources.length,
      Resources,
    }
  },

  createScimGroup,

  async getScimGroup(call, { table, issuer }) {
    const tenantId = tenantOf(call)
    const group = await readGroup(table, tenantId, call.params.groupId)
    if (group === undefined || group.deletedAt !== undefined) return notFound
    const members = isAsked('members', call.query) ? await readMembers(table, tenantId, group.id) : []
    if (members.length > MOST_MEMBERS) return tooMany
    return projected(groupResource(group, members, issuer), call.query)
  },

  async replaceScimGroup(call, services) {
    const { displayName, externalId, members } = call.body
    const change: GroupChange = {
      displayName,
      // An empty one and none are the same (RFC 7643, section 2.5).
      externalId: externalId || null,
      isReplaced: true,
      add: new Set((members ?? []).map(({ value }) => value)),
      remove: new Set(),
    }
    return changeGroup(
      call,
      services,
      () => change,
      async (group) => {
        const ids = await readMembers(services.table, group.tenantId, group.id)
        return projected(groupResource(group, ids, services.issuer), call.query)
      },
    )
  },

  async patchScimGroup(call, services) {
    const done = await changeGroup(
      call,
      services,
      () => groupChange(call.body.Operations),
      async () => ({}),
    )
    return isRefusal(done) ? done : undefined
  },

  async deleteScimGroup(call, services) {
    const group = await readGroup(services.table, tenantOf(call), call.params.groupId)
    return group === undefined ? notFound : takeAway(call, services, group)
  },
}

const tooMany = refuse('INVALID_REQUEST', `There are more than ${MOST_MEMBERS} members to show.`, {
  errors: [{ field: '/query/excludedAttributes', message: 'leave out members' }],
  members: { scimType: 'tooMany' },
})

type Changing = CommitRequest &
  Request & {
    readonly params: { readonly groupId: GroupId }
    readonly body: object
    readonly revision: number
  }

/**
 * What the group is comes first: a name that is taken moves nobody, and who joins has never a seat by the name before.
 * Then its members, each with its seats, and at last what tells of them. A repetition goes on, or finds nothing to do.
 */
async function changeGroup<Reply extends object>(
  call: Changing,
  services: VerifyingServices,
  changeOf: () => GroupChange | Refusal,
  replyOf: (group: Group) => Promise<Reply>,
) {
  const { table } = services
  const tenantId = tenantOf(call)
  const { groupId } = call.params
  const filling = hashOf([groupId, call.revision, call.body])
  // Of two on the same revision the second comes too late, also where both have read it; who goes on does not.
  const checkSeen = (seen: Group) =>
    seen.filling === filling ? undefined : checkRevision(seen, call.revision)
  const group = await readGroup(table, tenantId, groupId)
  if (group === undefined || group.deletedAt !== undefined) return notFound
  const late = checkSeen(group)
  if (late) return late
  const change = changeOf()
  if (isRefusal(change)) return change
  const moves = await movesFor(services, group, change)
  if (isRefusal(moves)) return moves
  const own = { ...call, idempotencyKey: undefined, fingerprint: '' }
  /** Makes the group itself what it is to be; the same request again goes on from there, whatever revision it named. */
  const begin = () =>
    untilFresh<object>(async () => {
      const current = await readGroup(table, tenantId, groupId)
      if (current === undefined || current.deletedAt !== undefined) return notFound
      const outdated = checkSeen(current)
      if (outdated) return outdated
      const next = edited(current, change, false, call.now)
      if (next === current) return {}
      return services.commit(own, { ...told(current, { ...next, filling }), reply: {} })
    })
  if (moves.length > 0) {
    const begun = await begin()
    if (isRefusal(begun)) return begun
  }
  let open = moves
  for (let round = 0; open.length > 0 && round < ROUNDS; round += 1) {
    const refused = await moveMembers(call, services, tenantId, groupId, open)
    if (refused) return refused
    // What replaces is the last word on who is in it, also of who came meanwhile; not on who is gone.
    const left = change.isReplaced ? await movesFor(services, group, change) : []
    open = isRefusal(left) ? [] : left
  }
  const done = await untilFresh(async () => {
    const current = await readGroup(table, tenantId, groupId)
    if (current === undefined || current.deletedAt !== undefined) return notFound
    const outdated = checkSeen(current)
    if (outdated) return outdated
    const next = edited(current, change, moves.length > 0 || current.filling === filling, call.now)
    const members = moves.length > 0 ? { members: moves.length } : {}
    return services.commit(call, { ...told(current, next, members), reply: await replyOf(next) })
  })
  if (!isRefusal(done)) await spread(call, services, tenantId, groupId)
  return done
}
