import { LicenseRecord } from '../domain/integrity.ts'
import type { LicenseId, TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { LICENSE_RECORD_PREFIX, licenseRecordKey, licenseRecordsKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Put, Table } from './transact.ts'

export const licenseRecordEntity = entity('license-record', 1, LicenseRecord)

/** Notes what was recorded last of a license. */
export const noteLicenseRecord = (tenantId: TenantId, record: LicenseRecord): Put => ({
  kind: 'put',
  item: licenseRecordEntity.encode(licenseRecordKey(tenantId, record.licenseId), record),
})

export async function readLicenseRecord(
  table: Table,
  tenantId: TenantId,
  id: LicenseId,
): Promise<LicenseRecord | undefined> {
  const item = await readItem(table, licenseRecordKey(tenantId, id))
  return item && licenseRecordEntity.decode(item)
}

/** Of all licenses of a tenant: one query, strongly consistent. */
export async function readLicenseRecords(
  table: Table,
  tenantId: TenantId,
): Promise<Map<LicenseId, LicenseRecord>> {
  const items = await readRange(table, {
    pk: licenseRecordsKey(tenantId),
    prefix: LICENSE_RECORD_PREFIX,
  })
  return new Map(items.map(licenseRecordEntity.decode).map((record) => [record.licenseId, record]))
}
