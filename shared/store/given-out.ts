import { MACHINES } from '../domain/activation.ts'
import { liveIn, unitsOf } from '../domain/pool.ts'
import { seconds } from '../domain/pool-terms.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Item } from './codec.ts'
import { poolsKey } from './keys.ts'
import { decodePool, readPages } from './pool.ts'
import { readRange } from './read.ts'
import { decodeSeatPool } from './seat-pool.ts'
import type { Table } from './transact.ts'

/**
 * What was given out here of a tenant's product, by metric, strongly consistent: seats, machines, and the units of leases
 * that did not lapse. Machines that died count until somebody takes their place. A metric of which nothing was ever given
 * out is absent: its use is what was reported.
 */
export async function readGivenOut(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
  now: Instant,
): Promise<Map<string, number>> {
  const items = await readRange(table, { pk: poolsKey(tenantId, productId) })
  const given = items
    .filter(({ assigned, used }) => assigned !== undefined || used !== undefined)
    .map(async (item) => [metricOf(item), seatsOf(item) + (await heldOf(item))] as const)
  return new Map(await Promise.all(given))

  async function heldOf(item: Item): Promise<number> {
    const metric = metricOf(item)
    const pool = decodePool(item)
    const { entries } = await readPages(table, { tenantId, productId, metric }, pool)
    const leases = unitsOf(liveIn({ ...pool, entries }, seconds(now)))
    // A machine is a row of its own, and all that its pool tells of it is the count; pages may be ahead of that.
    return metric === MACHINES ? leases + Math.max(0, pool.used - unitsOf(entries.values())) : leases
  }
}

const metricOf = (item: Item) => String(item['sk'])
const seatsOf = (item: Item) => decodeSeatPool(item).assigned
