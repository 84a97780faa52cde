import { RECORDED_ROWS, recordedRow } from '../../shared/domain/recorded-row.ts'
import { noteRecordedRow, readRecordedRow } from '../../shared/store/recorded-row.ts'
import { writeRow } from '../../shared/store/write.ts'
import { tellCorrupt } from '../tell-corrupt.ts'
import type { EventStep } from './event-steps.ts'

/** Notes what events say of rows, for the integrity scan to hold these against. */
export const followRows: EventStep = async (events, { table, log }) => {
  for (const event of events) {
    const { tenantId, subject, requestId } = event
    if (tenantId === undefined || RECORDED_ROWS[subject.type] === undefined) continue
    const known = await readRecordedRow(table, tenantId, subject, tellCorrupt(log, requestId, tenantId))
    const record = recordedRow(known, event)
    if (record !== undefined) await writeRow(table, noteRecordedRow(tenantId, record))
  }
}
