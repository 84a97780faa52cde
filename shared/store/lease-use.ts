import { overlaps, USE_KEPT, Use } from '../domain/lease-use.ts'
import { DAY, EpochSeconds, epochSeconds, type Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { leaseUseKey, leaseUsesKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readPages } from './read.ts'
import type { Table } from './transact.ts'

/** A day's part of what a lease was held, written when it ended by the consumer of the pool's stream. */
export const leaseUseEntity = entity('lease-use', 1, Use)

/** The row is named by what it says: written twice it is there once. */
export function putLeaseUse({ tenantId, productId, metric }: PoolAddress, use: Use) {
  const key = leaseUseKey(tenantId, productId, metric, use.from, use.ref)
  const ttl = EpochSeconds.parse(epochSeconds(use.until) + (USE_KEPT * DAY) / 1000)
  return { kind: 'put', item: leaseUseEntity.encode(key, use, { ttl }) } as const
}

/**
 * What leases that have ended held of a pool from an instant up to another; undefined if there are more than `most`
 * rows, of which no more are read.
 */
export async function readLeaseUse(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
  from: Instant,
  until: Instant,
  most: number,
): Promise<Use[] | undefined> {
  const pk = leaseUsesKey(tenantId, productId, metric)
  // No part begins before the day it ends in.
  const earliest = `${from.slice(0, 10)}T00:00:00.000Z`
  const found: Use[] = []
  for await (const { items } of readPages(table, { pk, below: until, newestFirst: true })) {
    const wanted = items.filter(({ sk }) => String(sk) >= earliest)
    found.push(...wanted.map((item) => leaseUseEntity.decode(item)))
    if (found.length > most) return undefined
    if (wanted.length < items.length) break
  }
  return found.filter((use) => overlaps(use, from, until))
}
