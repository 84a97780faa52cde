import { RecordedRow } from '../domain/recorded-row.ts'
import type { TenantId } from '../platform/ids.ts'
import { type CorruptItemError, entity, readableOf } from './codec.ts'
import { licenseRecordsKey, RECORDED_ROW_PREFIX, recordedRowKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Put, Table } from './transact.ts'

export const recordedRowEntity = entity('recorded-row', 1, RecordedRow)

export const noteRecordedRow = (tenantId: TenantId, record: RecordedRow): Put => ({
  kind: 'put',
  item: recordedRowEntity.encode(recordedRowKey(tenantId, record.type, record.id), record),
})

/** @param tell is told of a row that is none: nothing is known of what it was about then */
export async function readRecordedRow(
  table: Table,
  tenantId: TenantId,
  { type, id }: Pick<RecordedRow, 'type' | 'id'>,
  tell: (error: CorruptItemError) => void,
): Promise<RecordedRow | undefined> {
  const item = await readItem(table, recordedRowKey(tenantId, type, id))
  return item && readableOf([item], recordedRowEntity, tell)[0]
}

/**
 * Of all rows of a tenant but its licenses: one query, strongly consistent.
 *
 * @param tell is told of a row that is none, which is left out
 */
export async function readRecordedRows(
  table: Table,
  tenantId: TenantId,
  tell: (error: CorruptItemError) => void,
): Promise<RecordedRow[]> {
  const range = { pk: licenseRecordsKey(tenantId), prefix: RECORDED_ROW_PREFIX }
  return readableOf(await readRange(table, range), recordedRowEntity, tell)
}
