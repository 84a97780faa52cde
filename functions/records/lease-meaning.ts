import { leaseEvents, queueEvents } from '../../shared/domain/lease-events.ts'
import { type Ended, leaseTurns, newsOf } from '../../shared/domain/lease-turns.ts'
import { useOf } from '../../shared/domain/lease-use.ts'
import { putLeaseDetail, readLeaseDetails, removeLeaseDetail } from '../../shared/store/lease-detail.ts'
import { putLeaseUse } from '../../shared/store/lease-use.ts'
import type { PoolAddress } from '../../shared/store/pool.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Meaning, RowWrite } from './consume.ts'
import { denialMarks } from './denial-marks.ts'
import type { PoolRecord } from './pool-record.ts'

/**
 * What a change of a pool says of its leases: the events it is, the rows that say who holds them and how long those that
 * ended were held, and which denials before it were not true.
 */
export function leaseMeaning(table: Table) {
  return async ({ address, isPage, before, after, recordedAt }: PoolRecord): Promise<Meaning> => {
    const { began, ended } = leaseTurns(before, after, recordedAt)
    const gone = ended.filter(({ ref }) => ref !== began?.ref)
    const last = newsOf(before, after)
    const [uses, marks] = await Promise.all([
      usesOf(table, address, ended),
      last === undefined ? [] : denialMarks(table, address, last),
    ])
    return {
      events: [
        ...leaseEvents(address, before, after, recordedAt),
        ...(isPage ? [] : queueEvents(address, before, after, recordedAt)),
      ],
      rows: [
        [...uses, ...marks],
        // Only then: what was held is told from these rows.
        [
          ...gone.map((one) => removeLeaseDetail(address, one)),
          ...(began ? [putLeaseDetail(address, began)] : []),
        ],
      ],
    }
  }
}

/** How long those that ended were held, by whom. One whose row is gone was told before. */
async function usesOf(table: Table, address: PoolAddress, ended: readonly Ended[]): Promise<RowWrite[]> {
  if (ended.length === 0) return []
  const details = await readLeaseDetails(
    table,
    address,
    ended.map(({ ref }) => ref),
  )
  return ended.flatMap((one) => {
    const detail = details.get(one.ref)
    return detail === undefined ? [] : useOf(one, detail).map((use) => putLeaseUse(address, use))
  })
}
