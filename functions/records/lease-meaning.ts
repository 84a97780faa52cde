import { leaseDetails } from '../../shared/store/lease-detail.ts'
import type { Meaning } from './consume.ts'
import type { PoolRecord } from './pool-record.ts'

/** What a change of a pool says of its leases: the events it is, and the rows that say who holds them. */
export function leaseMeaning({ address, before, after }: PoolRecord): Meaning {
  return { events: [], ...leaseDetails(address, before, after) }
}
