import { isBorrow, liveIn, unitsOf } from '../../shared/domain/pool.ts'
import { limitOf, seconds, sizeAt } from '../../shared/domain/pool-terms.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readPools } from '../../shared/store/pool.ts'
import { holdersOf } from '../lease-holders.ts'
import type { LeaseServices } from './services.ts'
import type { PoolView } from './shapes.ts'

/** Leases of all pools in one answer, which has at most 6 MB (Lambda): one takes some 300 bytes, with long names 600. */
const MOST_LEASES = 10_000

/**
 * Every floating pool of a tenant: those with capacity now, and those that still hold something.
 *
 * @param most leases that are shown, of all pools together
 */
export async function poolViews(
  tenantId: TenantId,
  now: Instant,
  { table, verifier }: Pick<LeaseServices, 'table' | 'verifier'>,
  most = MOST_LEASES,
): Promise<PoolView[]> {
  const views: PoolView[] = []
  let room = most
  for (const holdings of await readAllHoldings(table, tenantId)) {
    const { productId } = holdings
    for (const [metric, pool] of await readPools(table, tenantId, productId)) {
      const { capacity, limit } = sizeAt(holdings, metric, now, verifier.isGenuine)
      if (limit === 0 && pool.entries.size === 0 && pool.waiting === 0) continue
      const live = liveIn(pool, seconds(now))
      const used = unitsOf(live)
      const leases = await holdersOf(table, { tenantId, productId, metric }, pool, now, room)
      const notShown = pool.entries.size - leases.length
      room -= leases.length
      views.push({
        productId,
        metric,
        capacity: limitOf(capacity),
        limit: limitOf(limit),
        used,
        free: limitOf(limitOf(limit) === 'unlimited' ? limit : Math.max(0, limit - used)),
        overdraft: Math.max(0, used - capacity),
        borrowed: unitsOf(live.filter(isBorrow)),
        waiting: pool.waiting,
        leases,
        ...(notShown > 0 && { leasesNotShown: notShown }),
      })
    }
  }
  return views
}
