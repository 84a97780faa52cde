import { leaseEvents } from '../../shared/domain/lease-events.ts'
import { leaseDetails } from '../../shared/store/lease-detail.ts'
import type { Meaning } from './consume.ts'
import type { PoolRecord } from './pool-record.ts'

/** What a change of a pool says of its leases: the events it is, and the rows that say who holds them. */
export function leaseMeaning({ address, before, after, recordedAt }: PoolRecord): Meaning {
  return { events: leaseEvents(address, before, after, recordedAt), ...leaseDetails(address, before, after) }
}
