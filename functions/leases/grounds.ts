import type { Holdings } from '../../shared/domain/holdings.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { isPaging } from '../../shared/domain/pool-pages.ts'
import type { PoolShares } from '../../shared/domain/shares.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Remembered } from '../../shared/platform/remembered.ts'
import { type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readPoolItems } from '../../shared/store/pool.ts'
import { readAllPoolShares } from '../../shared/store/pool-shares.ts'
import type { Table } from '../../shared/store/transact.ts'

/** The licenses as a grant is decided on, and the fence of each pool under which that is so. */
export type Grounds = {
  readonly holdings: Holdings
  readonly fences: ReadonlyMap<string, number>
  /** Pools of which new leases lie on pages; see shared/domain/pool-pages.ts. */
  readonly paging: ReadonlySet<string>
  /** What departments have of the pools, by metric. */
  readonly shares: ReadonlyMap<string, PoolShares>
  readonly seenAt: Instant
}

/**
 * What a warm function remembers of a tenant's product, so that a check-out in steady state reads nothing. Any change of
 * a license, or of the shares of departments, raises the fence, on which every grant is conditional: a stale memory fails
 * and is read again. What changes licenses without raising a fence (a row that was tampered with, a backup restored) is
 * seen within a minute.
 */
export type RememberedGrounds = {
  get(tenantId: TenantId, productId: ProductId, now: Instant): Promise<Grounds>
  reload(tenantId: TenantId, productId: ProductId, now: Instant): Promise<Grounds>
  /** What is remembered, with what these pools tell of where their leases lie. */
  look(grounds: Grounds, tenantId: TenantId, productId: ProductId, pools: ReadonlyMap<string, Pool>): Grounds
}

export function rememberGrounds(table: Table): RememberedGrounds {
  const known = new Remembered<string, Grounds>(5_000)

  async function reload(tenantId: TenantId, productId: ProductId, now: Instant): Promise<Grounds> {
    // The fences first: a license that changes in between raises them, and the write fails.
    const pools = await readPoolItems(table, tenantId, productId)
    const [holdings, shares] = await Promise.all([
      readHoldings(table, tenantId, productId),
      readAllPoolShares(table, tenantId, productId),
    ])
    const fences = new Map([...pools].map(([metric, { fence }]) => [metric, fence]))
    const grounds = { holdings, fences, paging: pagingOf(pools), shares, seenAt: now }
    known.set(`${tenantId} ${productId}`, grounds)
    return grounds
  }

  return {
    reload,
    look(grounds, tenantId, productId, pools) {
      const now = pagingOf(pools)
      if ([...pools.keys()].every((metric) => now.has(metric) === grounds.paging.has(metric))) return grounds
      const others = [...grounds.paging].filter((metric) => !pools.has(metric))
      const looked = { ...grounds, paging: new Set([...others, ...now]) }
      known.set(`${tenantId} ${productId}`, looked)
      return looked
    },
    async get(tenantId, productId, now) {
      const grounds = known.get(`${tenantId} ${productId}`)
      const isFresh = grounds !== undefined && grounds.seenAt > plusMilliseconds(now, -MINUTE)
      return isFresh ? grounds : reload(tenantId, productId, now)
    },
  }
}

const pagingOf = (pools: ReadonlyMap<string, Pool>): ReadonlySet<string> =>
  new Set([...pools].filter(([, pool]) => isPaging(pool, 1)).map(([metric]) => metric))
