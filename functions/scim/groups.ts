import { createHash } from 'node:crypto'
import type { Group } from '../../shared/domain/directory.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import type { Call, Handlers, Replayed } from '../../shared/platform/http/contract.ts'
import { type GroupId, newGroupId, UserId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readGroup, readGroups, readMembers } from '../../shared/store/group.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { checkLive } from '../../shared/store/transact.ts'
import { readUsers } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { readFilter } from './filter.ts'
import { movesFor, readPeople } from './group-moves.ts'
import { type GroupChange, groupChange } from './group-patch.ts'
import { groupResource } from './group-resource.ts'
import { checkRevision, writeGroup } from './group-writes.ts'
import { MOST_RESULTS } from './list-users.ts'
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

/** Groups of a tenant: they are read all together. */
const MOST_GROUPS = 1_000
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

  createScimGroup: async (call, services) => {
    const { table, commit, issuer } = services
    const tenantId = tenantOf(call)
    const members = await readPeople(
      services,
      tenantId,
      (call.body.members ?? []).map(({ value }) => value),
    )
    if (isRefusal(members)) return members
    const all = await readGroups(table, tenantId)
    const filling = createHash('sha256').update(JSON.stringify(call.body)).digest('base64url')
    const isEmpty = members.length === 0
    const begun = all.find((one) => one.filling === filling && one.deletedAt === undefined)
    if (begun === undefined && all.length >= MOST_GROUPS)
      return refuse('IN_USE', `A tenant has at most ${MOST_GROUPS} groups.`)
    const { displayName, externalId } = call.body
    const group: Group = begun ?? {
      id: newGroupId(call.now),
      tenantId,
      displayName,
      ...(externalId && { externalId }),
      createdAt: call.now,
      revision: 1,
      given: 1,
      ...(!isEmpty && { filling }),
    }
    if (begun === undefined) {
      const { writes, refusals } = writeGroup(undefined, group)
      const done = await commit(isEmpty ? call : { ...call, idempotencyKey: undefined }, {
        writes: { ...writes, tenant: checkLive(tenantKey(tenantId)) },
        events: [{ type: 'group.created', tenantId, subject: { type: 'group', id: group.id }, after: group }],
        reply: projected(groupResource(group, [], issuer), call.query),
        refusals: { ...refusals, tenant: refuse('ARCHIVED', 'The tenant is archived.') },
      })
      if (isRefusal(done) || isEmpty) return done
    }
    const joined = await moveMembers(
      call,
      services,
      tenantId,
      group.id,
      members.map((id) => [id, 'join']),
    )
    return joined ?? filled(call, services, group.id, members)
  },

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

/** All are in it: it is a group like any other, and its reply is kept. */
function filled(
  call: Call<(typeof scimRoutes)['createScimGroup']>,
  services: VerifyingServices,
  groupId: GroupId,
  members: readonly UserId[],
) {
  return untilFresh<GroupResource | Replayed>(async () => {
    const current = await readGroup(services.table, tenantOf(call), groupId)
    if (current === undefined || current.deletedAt !== undefined) return notFound
    const { filling, ...rest } = current
    const next: Group = filling ? { ...rest, modifiedAt: call.now, revision: current.revision + 1 } : current
    const { writes, refusals } = writeGroup(current, next)
    return services.commit(call, {
      writes: filling ? writes : {},
      events: [],
      reply: projected(groupResource(next, members, services.issuer), call.query),
      refusals,
    })
  })
}

const tooMany = refuse('INVALID_REQUEST', `There are more than ${MOST_MEMBERS} members to show.`, {
  errors: [{ field: '/query/excludedAttributes', message: 'leave out members' }],
  members: { scimType: 'tooMany' },
})

type Changing = CommitRequest &
  Request & {
    readonly params: { readonly groupId: GroupId }
    readonly revision: number
  }

/** Members first, each with its seats; then the group itself, with what tells of it. A repetition finds nothing to do. */
async function changeGroup<Reply extends object>(
  call: Changing,
  services: VerifyingServices,
  changeOf: () => GroupChange | Refusal,
  replyOf: (group: Group) => Promise<Reply>,
) {
  const { table } = services
  const tenantId = tenantOf(call)
  const { groupId } = call.params
  const group = await readGroup(table, tenantId, groupId)
  if (group === undefined || group.deletedAt !== undefined) return notFound
  const refused = checkRevision(group, call.revision)
  if (refused) return refused
  const change = changeOf()
  if (isRefusal(change)) return change
  const moves = await movesFor(services, group, change)
  if (isRefusal(moves)) return moves
  const moved = await moveMembers(call, services, tenantId, groupId, moves)
  if (moved) return moved
  const done = await untilFresh(async () => {
    const current = await readGroup(table, tenantId, groupId)
    if (current === undefined || current.deletedAt !== undefined) return notFound
    // Of two on the same revision the second comes too late, also where both have read it.
    const outdated = checkRevision(current, call.revision)
    if (outdated) return outdated
    const next = edited(current, change, moves.length > 0, call.now)
    const { writes, refusals } = writeGroup(current, next)
    const members = moves.length > 0 ? { members: moves.length } : {}
    const differences = changes(current, next)
    return services.commit(call, {
      writes: next === current ? {} : writes,
      events:
        next === current
          ? []
          : [
              {
                type: 'group.edited',
                tenantId,
                subject: { type: 'group', id: groupId },
                before: differences.before,
                after: { ...differences.after, ...members },
              },
            ],
      reply: await replyOf(next),
      refusals,
    })
  })
  if (!isRefusal(done)) await spread(call, services, tenantId, groupId)
  return done
}

/** The group as it is to be. A name may be a role's, so that another name gives another role. */
function edited(
  group: Group,
  { displayName, externalId }: GroupChange,
  isMoved: boolean,
  now: Instant,
): Group {
  const { externalId: before, filling: _, ...others } = group
  const nextId = externalId === undefined ? before : (externalId ?? undefined)
  const isRenamed = displayName !== undefined && displayName !== group.displayName
  if (!isRenamed && nextId === before && !isMoved) return group
  const givesOther = isRenamed && group.roles === undefined
  return {
    ...others,
    ...(isRenamed && { displayName }),
    ...(nextId && { externalId: nextId }),
    ...(givesOther && { given: group.given + 1, spreading: true as const }),
    modifiedAt: now,
    revision: group.revision + 1,
  }
}
