import * as z from 'zod'
import { Code, Limit } from '../../shared/domain/catalog.ts'
import { lapsedIn } from '../../shared/domain/pool.ts'
import { LeaseHolder } from '../../shared/domain/pool-shortage.ts'
import { limitOf, seconds, sizeAt } from '../../shared/domain/pool-terms.ts'
import { ProductId, type TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readPools } from '../../shared/store/pool.ts'
import { holdersOf } from './holders.ts'
import type { LeaseServices } from './services.ts'

/** One floating pool as its tenant sees it. */
export const PoolView = z
  .strictObject({
    productId: ProductId,
    metric: Code,
    capacity: Limit,
    /** Capacity and overdraft. */
    limit: Limit,
    /** Units held now, by leases and holds that have not lapsed. */
    used: z.int(),
    free: Limit,
    /** Of the units in use, those beyond the capacity. */
    overdraft: z.int(),
    borrowed: z.int(),
    /** Tickets in the queue. */
    waiting: z.int(),
    leases: z.array(LeaseHolder),
  })
  .meta({ id: 'PoolView' })
export type PoolView = z.infer<typeof PoolView>

/** Every floating pool of a tenant: those with capacity now, and those that still hold something. */
export async function poolViews(
  tenantId: TenantId,
  now: Instant,
  { table, verifier }: LeaseServices,
): Promise<PoolView[]> {
  const views: PoolView[] = []
  for (const holdings of await readAllHoldings(table, tenantId)) {
    const { productId } = holdings
    for (const [metric, pool] of await readPools(table, tenantId, productId)) {
      const { capacity, limit } = sizeAt(holdings, metric, now, verifier.isGenuine)
      if (limit === 0 && pool.entries.size === 0 && pool.waiting === 0) continue
      const used = pool.used - lapsedIn(pool, seconds(now)).units
      views.push({
        productId,
        metric,
        capacity: limitOf(capacity),
        limit: limitOf(limit),
        used,
        free: limitOf(limitOf(limit) === 'unlimited' ? limit : Math.max(0, limit - used)),
        overdraft: Math.max(0, used - capacity),
        borrowed: pool.borrowed,
        waiting: pool.waiting,
        leases: await holdersOf(table, { tenantId, productId, metric }, pool, now),
      })
    }
  }
  return views
}
