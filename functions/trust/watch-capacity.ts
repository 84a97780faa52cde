import {
  type CapacityLevel,
  isQuiet,
  type WatchedPool,
  watchPool,
} from '../../shared/domain/capacity-watch.ts'
import { sizeOf } from '../../shared/domain/overdraft.ts'
import { excessOf } from '../../shared/domain/seat-excess.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import { type HeldProduct, poolsOf } from '../../shared/domain/tenant-overview.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readCapacityLevels, replaceCapacityLevels } from '../../shared/store/capacity-levels.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { readNoticeSettings } from '../../shared/store/notice-settings.ts'
import { readSeatPolicy } from '../../shared/store/seat-pool.ts'
import { type Action, putOnce, type Table, transact } from '../../shared/store/transact.ts'
import type { CommitRequest } from '../services.ts'

/** Events of one transaction; the crossings of more are told by the next run. */
const AT_ONCE = 90

/**
 * Tells which thresholds the use of a tenant's pools crossed since it was looked at last, and where more is in use than
 * licensed, by the very figures of the tenant's first page. Each crossing is told once: the level and its event are one
 * transaction, on condition that the levels are as they were read.
 *
 * @returns how many crossings were told
 */
export async function watchCapacity(
  tenant: Tenant,
  held: readonly HeldProduct[],
  request: Pick<CommitRequest, 'caller' | 'now' | 'requestId'>,
  table: Table,
): Promise<number> {
  const [read, { cureDays }, { capacityThresholds }] = await Promise.all([
    readCapacityLevels(table, tenant.id),
    readSeatPolicy(table, tenant.id),
    readNoticeSettings(table, tenant.id),
  ])
  const known = new Map(read.levels.map((level) => [nameOf(level.productId, level.metric), level]))
  let events = 0
  let isAsBefore = true
  const actions: [string, Action][] = []
  const cure = { cureDays, timeZone: tenant.timeZone }
  for (const pool of held.flatMap((one) => watched(one, known, cure, request.now))) {
    const name = nameOf(pool.productId, pool.pool.metric)
    const before = known.get(name)
    const { level, changes } = watchPool(pool, before, capacityThresholds)
    if (events + changes.length > AT_ONCE) break
    // Also where there is nothing to tell: a cure that got more time can be overdue a second time.
    isAsBefore &&= level.reached === (before?.reached ?? 0) && level.excess === (before?.excess ?? 'none')
    if (isQuiet(level)) known.delete(name)
    else known.set(name, level)
    for (const { type, productId, metric, after } of changes) {
      const subject = { type: 'pool', id: `${productId}/${metric}` }
      const event = record({ type, tenantId: tenant.id, subject, after }, request)
      actions.push([`event ${events}`, putOnce(eventItem(event))])
      events += 1
    }
  }
  if (isAsBefore) return 0
  const outcome = await transact(table, {
    levels: replaceCapacityLevels(tenant.id, read, [...known.values()]),
    ...Object.fromEntries(actions),
  })
  return outcome.ok ? events : 0
}

const nameOf = (productId: string, metric: string) => `${productId} ${metric}`

function watched(
  held: HeldProduct,
  known: ReadonlyMap<string, CapacityLevel>,
  cure: { readonly cureDays: number; readonly timeZone: Tenant['timeZone'] },
  now: Instant,
): WatchedPool[] {
  const { product, standings } = held
  const counting = standings.filter(({ counts }) => counts).map(({ license }) => license)
  return poolsOf(held).map((pool) => {
    const { metric, used } = pool
    // What was consumed cannot be given back: a counter's overage is a matter of its allowance.
    const isGauge = product.metrics.some(({ code, kind }) => code === metric && kind === 'gauge')
    const seenAt = known.get(nameOf(product.id, metric))?.since
    const size = { assigned: used, limit: sizeOf(counting, metric).limit, seenAt }
    return {
      productId: product.id,
      product: product.code,
      pool,
      excess: isGauge ? excessOf(metric, size, standings, cure, now) : undefined,
    }
  })
}
