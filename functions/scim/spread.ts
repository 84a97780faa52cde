import type { Group } from '../../shared/domain/directory.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { GroupId, TenantId } from '../../shared/platform/ids.ts'
import { groupItem, readGroup, readMembers } from '../../shared/store/group.ts'
import { groupKey } from '../../shared/store/keys.ts'
import { putRevision } from '../../shared/store/transact.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { checkRevision, writeGroup } from './group-writes.ts'
import { moveMembers, type Request } from './membership.ts'

/**
 * Gives everybody in a group what it gives now, where that has changed. What time does not allow stays marked, and a
 * job goes on with it.
 */
export async function spread(
  request: Request,
  services: VerifyingServices,
  tenantId: TenantId,
  groupId: GroupId,
): Promise<Refusal | undefined> {
  const { table } = services
  const group = await readGroup(table, tenantId, groupId)
  if (group?.spreading === undefined) return undefined
  const members = await readMembers(table, tenantId, groupId)
  const late = await moveMembers(
    request,
    services,
    tenantId,
    groupId,
    members.map((id) => [id, 'stay']),
  )
  if (late) return late
  const done = await untilFresh<object | undefined>(async () => {
    const current = await readGroup(table, tenantId, groupId)
    // What it gives has changed again: whoever did that spreads it.
    if (current === undefined || current.given !== group.given) return {}
    const { spreading: _, ...settled } = current
    return services.commit(asItself(request), {
      writes: { group: putRevision(groupItem(settled), current.revision) },
      events: [],
      reply: {},
      refusals: { group: outdated },
    })
  })
  return isRefusal(done) ? done : undefined
}

/** Takes a group away: nobody finds it any more, then nobody is in it, then it is gone. */
export async function takeAway(
  request: Request & Partial<Pick<CommitRequest, 'idempotencyKey' | 'fingerprint'> & { revision: number }>,
  services: VerifyingServices,
  { tenantId, id }: Group,
): Promise<Refusal | undefined> {
  const { table } = services
  const subject = { type: 'group', id }
  const marked = await untilFresh<object | undefined>(async () => {
    const current = await readGroup(table, tenantId, id)
    if (current === undefined || current.deletedAt !== undefined) return {}
    const refused = checkRevision(current, request.revision ?? 0)
    if (refused) return refused
    const next = {
      ...current,
      deletedAt: request.now,
      given: current.given + 1,
      revision: current.revision + 1,
    }
    return services.commit(asItself(request), {
      ...writeGroup(current, next),
      events: [{ type: 'group.deleted', tenantId, subject, before: current }],
      reply: {},
    })
  })
  if (isRefusal(marked)) return marked
  const members = await readMembers(table, tenantId, id)
  const late = await moveMembers(
    request,
    services,
    tenantId,
    id,
    members.map((one) => [one, 'leave']),
  )
  if (late) return late
  await services.commit(
    { ...request, idempotencyKey: request.idempotencyKey, fingerprint: request.fingerprint ?? '' },
    {
      writes: { group: { kind: 'remove', key: groupKey(tenantId, id) } },
      events: [],
      reply: null,
      refusals: {},
    },
  )
  return undefined
}

const asItself = (request: Request): CommitRequest => ({
  ...request,
  idempotencyKey: undefined,
  fingerprint: '',
})
