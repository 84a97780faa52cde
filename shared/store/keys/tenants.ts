import type { TenantId } from '../../platform/ids.ts'
import { key, part } from './key.ts'

export const tenantKey = (id: TenantId) => key(['T', id], ['TENANT'])
/** Counts what was issued to a tenant, so that archiving it notices. */
export const tenantFenceKey = (id: TenantId) => key(['T', id], ['FENCE'])
/** Customer ids are the vendor's: they may hold anything, so they are encoded. */
export const customerKey = (customerId: string) =>
  key(['CUSTOMER', encodeURIComponent(customerId)], ['ADDRESS'])
export const ownedByTenant = (tenant: TenantId, what: 'LICENSES' | 'TOKENS' | 'USERS' | 'BULKS') =>
  `T#${part(tenant)}#${what}`
