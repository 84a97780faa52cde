import { leaseEvents } from '../../shared/domain/lease-events.ts'
import { leaseTurns, newsOf } from '../../shared/domain/lease-turns.ts'
import { putLeaseDetail, removeLeaseDetail } from '../../shared/store/lease-detail.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Meaning } from './consume.ts'
import { denialMarks } from './denial-marks.ts'
import type { PoolRecord } from './pool-record.ts'

/**
 * What a change of a pool says of its leases: the events it is, the rows that say who holds them, and which denials
 * before it were not true.
 */
export function leaseMeaning(table: Table) {
  return async ({ address, before, after, recordedAt }: PoolRecord): Promise<Meaning> => {
    const { began, ended } = leaseTurns(before, after, recordedAt)
    const gone = ended.filter(({ ref }) => ref !== began?.ref)
    const last = newsOf(before, after)
    return {
      events: leaseEvents(address, before, after, recordedAt),
      rows: [
        [
          ...gone.map((one) => removeLeaseDetail(address, one)),
          ...(began ? [putLeaseDetail(address, began)] : []),
          ...(last ? await denialMarks(table, address, last) : []),
        ],
      ],
    }
  }
}
