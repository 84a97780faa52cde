import * as z from 'zod'
import { Department, Holder, holderOf } from '../domain/lease-last.ts'
import type { Ended, LeaseTurns } from '../domain/lease-turns.ts'
import { fromEpochMilliseconds, Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { type Key, leaseDetailKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItems, readRange } from './read.ts'
import type { Table } from './transact.ts'

/**
 * Who holds a lease and since when: what its pool has no room for. Written by the consumer of the pool's stream, so it
 * follows within seconds, and is never what a grant is decided on.
 */
export const LeaseDetail = z.strictObject({
  ref: z.string(),
  holder: Holder,
  department: Department.optional(),
  since: Instant,
  by: z.string(),
})
export type LeaseDetail = z.infer<typeof LeaseDetail>

export const leaseDetailEntity = entity('lease-detail', 1, LeaseDetail)

const keyOf = ({ tenantId, productId, metric }: PoolAddress, ref: string): Key =>
  leaseDetailKey(tenantId, productId, metric, ref)

/** The row of a lease that began. */
export function putLeaseDetail(address: PoolAddress, { ref, last }: NonNullable<LeaseTurns['began']>) {
  const { at, by, d } = last
  const holder = holderOf(last)
  const since = fromEpochMilliseconds(at)
  const detail = { ref, holder, ...(d !== undefined && { department: d }), since, by }
  return { kind: 'put', item: leaseDetailEntity.encode(keyOf(address, ref), detail) } as const
}

/** Takes away the row of a lease that ended, unless one of the same name began since. */
export function removeLeaseDetail(address: PoolAddress, { ref, at }: Ended) {
  return {
    kind: 'remove',
    key: keyOf(address, ref),
    condition: 'attribute_not_exists(pk) OR since < :next',
    // Ends are whole seconds, rounded down; what began in the same one may be what ended.
    values: { ':next': fromEpochMilliseconds((at + 1) * 1000) },
  } as const
}

/** The details of these leases that are known yet, by reference. */
export async function readLeaseDetails(
  table: Table,
  address: PoolAddress,
  refs: readonly string[],
): Promise<Map<string, LeaseDetail>> {
  const items = await readItems(
    table,
    refs.map((ref) => keyOf(address, ref)),
  )
  return new Map(items.map((item) => leaseDetailEntity.decode(item)).map((detail) => [detail.ref, detail]))
}

/** The details of all leases of a pool, by reference; one that has just ended may be among them. */
export async function readAllLeaseDetails(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
): Promise<Map<string, LeaseDetail>> {
  const { pk, sk: prefix } = leaseDetailKey(tenantId, productId, metric, '')
  const items = await readRange(table, { pk, prefix })
  return new Map(items.map((item) => leaseDetailEntity.decode(item)).map((detail) => [detail.ref, detail]))
}
