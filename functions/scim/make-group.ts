import type { Group } from '../../shared/domain/directory.ts'
import { isRefusal, notFound, REFUSALS, refuse } from '../../shared/domain/refusal.ts'
import type { Call, Handler, Replayed } from '../../shared/platform/http/contract.ts'
import { type GroupId, newGroupId } from '../../shared/platform/ids.ts'
import { readGroup, readGroups, readMembers } from '../../shared/store/group.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { checkLive } from '../../shared/store/transact.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { readPeople } from './group-moves.ts'
import { groupResource } from './group-resource.ts'
import { hashOf, writeGroup } from './group-writes.ts'
import { moveMembers } from './membership.ts'
import { projected } from './project.ts'
import type { scimRoutes } from './routes.ts'
import type { GroupResource } from './shapes.ts'
import { takeAway } from './spread.ts'
import { tenantOf } from './tenant.ts'

type MakeRoute = (typeof scimRoutes)['createScimGroup']

/** Groups of a tenant: they are read all together. */
const MOST_GROUPS = 1_000

/**
 * Makes the group, then has its members join it. Where somebody cannot be in it, it is taken away again: a directory takes
 * a refusal to mean that nothing was made, and would meet its own group as somebody else's. Where it was a matter of time
 * or of others, it stays, and the same request goes on with it.
 */
export const createScimGroup: Handler<MakeRoute, VerifyingServices> = async (call, services) => {
  const tenantId = tenantOf(call)
  const named = (call.body.members ?? []).map(({ value }) => value)
  const members = await readPeople(services, tenantId, named)
  if (isRefusal(members)) return members
  const all = await readGroups(services.table, tenantId)
  const filling = hashOf(call.body)
  let group = begunBy(filling, all)
  if (group === undefined) {
    if (all.length >= MOST_GROUPS) return refuse('IN_USE', `A tenant has at most ${MOST_GROUPS} groups.`)
    const { displayName, externalId } = call.body
    const blank: Group = {
      id: newGroupId(call.now),
      tenantId,
      displayName,
      ...(externalId && { externalId }),
      createdAt: call.now,
      revision: 1,
      given: 1,
    }
    if (members.length === 0) return begin(call, services, blank)
    const empty = { ...blank, filling }
    const begun = await begin({ ...call, idempotencyKey: undefined }, services, empty)
    // The same request, sent again meanwhile, may have been quicker: it is gone on with.
    group = isRefusal(begun) ? begunBy(filling, await readGroups(services.table, tenantId)) : empty
    if (group === undefined) return begun
  }
  const { id } = group
  const refused = await moveMembers(
    call,
    services,
    tenantId,
    id,
    members.map((one) => [one, 'join']),
  )
  if (refused === undefined) return filled(call, services, id)
  if (REFUSALS[refused.refused].status < 500)
    await takeAway({ ...call, revision: 0, idempotencyKey: undefined }, services, group)
  return refused
}

/** The group that the same request made, and did not come to the end with. */
const begunBy = (filling: string, all: readonly Group[]) =>
  all.find((one) => one.filling === filling && one.deletedAt === undefined)

/** Writes a group with nobody in it yet. */
function begin(call: Call<MakeRoute>, services: VerifyingServices, group: Group) {
  const { tenantId, id } = group
  const { writes, refusals } = writeGroup(undefined, group)
  return services.commit(call, {
    writes: { ...writes, tenant: checkLive(tenantKey(tenantId)) },
    events: [{ type: 'group.created', tenantId, subject: { type: 'group', id }, after: group }],
    reply: projected(groupResource(group, [], services.issuer), call.query),
    refusals: { ...refusals, tenant: refuse('ARCHIVED', 'The tenant is archived.') },
  })
}

/** All are in it who can be: it is a group like any other, and its reply is kept. */
function filled(call: Call<MakeRoute>, services: VerifyingServices, groupId: GroupId) {
  return untilFresh<GroupResource | Replayed>(async () => {
    const tenantId = tenantOf(call)
    const current = await readGroup(services.table, tenantId, groupId)
    if (current === undefined || current.deletedAt !== undefined) return notFound
    const { filling, ...rest } = current
    const next: Group = filling ? { ...rest, modifiedAt: call.now, revision: current.revision + 1 } : current
    const { writes, refusals } = writeGroup(current, next)
    // Not those who were named: somebody may have left meanwhile.
    const members = await readMembers(services.table, tenantId, groupId)
    return services.commit(call, {
      writes: filling ? writes : {},
      events: [],
      reply: projected(groupResource(next, members, services.issuer), call.query),
      refusals,
    })
  })
}
