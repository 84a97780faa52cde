import { leaseEvents } from '../../shared/domain/lease-events.ts'
import { leaseTurns } from '../../shared/domain/lease-turns.ts'
import { putLeaseDetail, removeLeaseDetail } from '../../shared/store/lease-detail.ts'
import type { Meaning } from './consume.ts'
import type { PoolRecord } from './pool-record.ts'

/** What a change of a pool says of its leases: the events it is, and the rows that say who holds them. */
export function leaseMeaning({ address, before, after, recordedAt }: PoolRecord): Meaning {
  const { began, ended } = leaseTurns(before, after, recordedAt)
  const gone = ended.filter(({ ref }) => ref !== began?.ref)
  return {
    events: leaseEvents(address, before, after, recordedAt),
    rows: [
      [
        ...gone.map((one) => removeLeaseDetail(address, one)),
        ...(began ? [putLeaseDetail(address, began)] : []),
      ],
    ],
  }
}
