import * as z from 'zod'
import { Department, Holder, Last } from '../domain/lease-last.ts'
import type { Pool } from '../domain/pool.ts'
import { fromEpochMilliseconds, Instant } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { type Key, leaseDetailKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItems } from './read.ts'
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

/** The detail rows to write and to take away for a change of a pool: what came, and what is gone. */
export function leaseDetails(
  { tenantId, productId, metric }: PoolAddress,
  before: Pool | undefined,
  after: Pool,
): { put: Item[]; remove: Key[] } {
  const key = (ref: string) => leaseDetailKey(tenantId, productId, metric, ref)
  const last = Last.safeParse(after.last)
  const put: Item[] = []
  // A shared entry keeps the detail of who came first; a hold that is claimed becomes a lease.
  const isNew = (ref: string) => before?.entries.get(ref)?.kind !== after.entries.get(ref)?.kind
  if (last.success && after.entries.has(last.data.ref) && isNew(last.data.ref)) {
    const { ref, at, by, u, m, p, d } = last.data
    const holder: Holder = {
      ...(u !== undefined && { userId: u }),
      ...(m !== undefined && { machine: m }),
      ...(p !== undefined && { process: p }),
    }
    const detail = {
      ref,
      holder,
      ...(d !== undefined && { department: d }),
      since: fromEpochMilliseconds(at),
      by,
    }
    put.push(leaseDetailEntity.encode(key(ref), detail))
  }
  const gone = [...(before?.entries.keys() ?? [])].filter((ref) => !after.entries.has(ref))
  return { put, remove: gone.map(key) }
}

/** The details of these leases that are known yet, by reference. */
export async function readLeaseDetails(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
  refs: readonly string[],
): Promise<Map<string, LeaseDetail>> {
  const items = await readItems(
    table,
    refs.map((ref) => leaseDetailKey(tenantId, productId, metric, ref)),
  )
  return new Map(items.map((item) => leaseDetailEntity.decode(item)).map((detail) => [detail.ref, detail]))
}
