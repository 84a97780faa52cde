import { RecordedRow } from '../domain/recorded-row.ts'
import type { TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { licenseRecordsKey, RECORDED_ROW_PREFIX, recordedRowKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Put, Table } from './transact.ts'

export const recordedRowEntity = entity('recorded-row', 1, RecordedRow)

export const noteRecordedRow = (tenantId: TenantId, record: RecordedRow): Put => ({
  kind: 'put',
  item: recordedRowEntity.encode(recordedRowKey(tenantId, record.type, record.id), record),
})

export async function readRecordedRow(
  table: Table,
  tenantId: TenantId,
  type: string,
  id: string,
): Promise<RecordedRow | undefined> {
  const item = await readItem(table, recordedRowKey(tenantId, type, id))
  return item && recordedRowEntity.decode(item)
}

/** Of all rows of a tenant but its licenses: one query, strongly consistent. */
export async function readRecordedRows(table: Table, tenantId: TenantId): Promise<RecordedRow[]> {
  const range = { pk: licenseRecordsKey(tenantId), prefix: RECORDED_ROW_PREFIX }
  return (await readRange(table, range)).map(recordedRowEntity.decode)
}
