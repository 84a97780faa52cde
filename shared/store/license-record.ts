import { LicenseRecord } from '../domain/integrity.ts'
import type { LicenseId, TenantId } from '../platform/ids.ts'
import { type CorruptItemError, entity, readableOf } from './codec.ts'
import { LICENSE_RECORD_PREFIX, licenseRecordKey, licenseRecordsKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Put, Table } from './transact.ts'

export const licenseRecordEntity = entity('license-record', 1, LicenseRecord)

/** Notes what was recorded last of a license. */
export const noteLicenseRecord = (tenantId: TenantId, record: LicenseRecord): Put => ({
  kind: 'put',
  item: licenseRecordEntity.encode(licenseRecordKey(tenantId, record.licenseId), record),
})

/** @param tell is told of a row that is none: as long as it is not noted anew, nothing is known of that license */
export async function readLicenseRecord(
  table: Table,
  tenantId: TenantId,
  id: LicenseId,
  tell: (error: CorruptItemError) => void,
): Promise<LicenseRecord | undefined> {
  const item = await readItem(table, licenseRecordKey(tenantId, id))
  return item && readableOf([item], licenseRecordEntity, tell)[0]
}

/** Of all licenses of a tenant, in the same way: one query, strongly consistent. */
export async function readLicenseRecords(
  table: Table,
  tenantId: TenantId,
  tell: (error: CorruptItemError) => void,
): Promise<Map<LicenseId, LicenseRecord>> {
  const items = await readRange(table, {
    pk: licenseRecordsKey(tenantId),
    prefix: LICENSE_RECORD_PREFIX,
  })
  const records = readableOf(items, licenseRecordEntity, tell)
  return new Map(records.map((record) => [record.licenseId, record]))
}
