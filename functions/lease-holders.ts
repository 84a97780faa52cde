import { isLapsed, type Pool } from '../shared/domain/pool.ts'
import type { LeaseHolder } from '../shared/domain/pool-shortage.ts'
import { instantOf, seconds } from '../shared/domain/pool-terms.ts'
import type { Instant } from '../shared/platform/time.ts'
import { readLeaseDetails } from '../shared/store/lease-detail.ts'
import type { PoolAddress } from '../shared/store/pool.ts'
import type { Table } from '../shared/store/transact.ts'

/** The leases and holds of a pool, the next to end first, with their holders as far as these are known yet. */
export async function holdersOf(
  table: Table,
  address: PoolAddress,
  pool: Pool,
  now: Instant,
  most = Number.POSITIVE_INFINITY,
): Promise<LeaseHolder[]> {
  const entries = [...pool.entries].toSorted(([, a], [, b]) => a.until - b.until).slice(0, most)
  const details = await readLeaseDetails(
    table,
    address,
    entries.map(([ref]) => ref),
  )
  return entries.map(([ref, entry]) => {
    const { holder, department, since } = details.get(ref) ?? {}
    return {
      ref,
      kind: entry.kind,
      units: entry.units,
      overdraft: entry.overdraft,
      expiresAt: instantOf(entry.until),
      lapsed: isLapsed(entry, seconds(now)),
      ...(holder && { holder }),
      ...(department && { department }),
      ...(since && { since }),
    }
  })
}
