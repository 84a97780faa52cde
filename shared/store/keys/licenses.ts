import type { Visitor } from '../../domain/visits.ts'
import type { FindingId, LicenseId, ProductId, TenantId, TransferId } from '../../platform/ids.ts'
import { type Key, key, part } from './key.ts'

/** All that a tenant holds of every product: below its own partition, product by product. */
export const holdingsPrefix = (productId?: ProductId) => (productId ? `H#${part(productId)}#` : 'H#')
export const licenseKey = (tenant: TenantId, product: ProductId, id: LicenseId) =>
  key(['T', tenant], ['H', product, 'LICENSE', id])
export const licenseAddressKey = (id: LicenseId) => key(['LICENSE', id], ['ADDRESS'])
export const keyAddressKey = (hash: string) => key(['KEY', hash], ['ADDRESS'])
export const referenceKey = (reference: string) =>
  key(['REFERENCE', encodeURIComponent(reference)], ['ADDRESS'])
export const transferKey = (id: TransferId) => key(['TRANSFER', id], ['TRANSFER'])
/** The one transfer of a license that is open; apart from its address, which only those who issue licenses write. */
export const openTransferKey = (id: LicenseId) => key(['MOVING', id], ['TRANSFER'])
/** The transfers that a tenant is a side of: they are found here by their ids. */
export const transfersKey = (tenant: TenantId) => `T#${part(tenant)}#TRANSFERS`
export const tenantTransferKey = (tenant: TenantId, id: TransferId): Key => ({
  pk: transfersKey(tenant),
  sk: part(id),
})
/** Where licenses of a tenant were used outside of what they cover, by license and visitor, as callers name them. */
export const visitsOfTenant = (tenant: TenantId) => `T#${part(tenant)}#PLACES`
export const visitsKey = (tenant: TenantId, license: LicenseId, visitor: Visitor) =>
  key(['T', tenant, 'PLACES'], [license, visitor.type, encodeURIComponent(visitor.id)])
/** How often a tenant's licenses are validated, and what came of it last. */
export const validationKey = (tenant: TenantId) => key(['T', tenant], ['VALIDATION'])
/** What was last told of the use of a tenant's pools. */
export const capacityLevelsKey = (tenant: TenantId) => key(['T', tenant], ['CAPACITY-LEVELS'])
/** When all that a tenant has was last held against what was signed and recorded. */
export const integrityKey = (tenant: TenantId) => key(['T', tenant], ['INTEGRITY'])
/** What was found then, or at use. */
export const integrityEventsKey = (tenant: TenantId) => `T#${part(tenant)}#INTEGRITY`
export const integrityEventKey = (tenant: TenantId, id: FindingId): Key => ({
  pk: integrityEventsKey(tenant),
  sk: part(id),
})
/** What was recorded last of each of a tenant's licenses: read together. */
export const licenseRecordsKey = (tenant: TenantId) => `T#${part(tenant)}#RECORDED`
export const LICENSE_RECORD_PREFIX = 'lic_'
/** And of its other rows, beside them: see shared/domain/recorded-row.ts. */
export const RECORDED_ROW_PREFIX = 'ROW#'
export const recordedRowKey = (tenant: TenantId, type: string, id: string) =>
  key(['T', tenant, 'RECORDED'], ['ROW', type, id])
export const licenseRecordKey = (tenant: TenantId, id: LicenseId): Key => ({
  pk: licenseRecordsKey(tenant),
  sk: part(id),
})
