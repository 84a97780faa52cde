import type { Caller } from '../shared/domain/access.ts'
import type { TenantId } from '../shared/platform/ids.ts'
import { readTenant } from '../shared/store/tenant.ts'
import type { Table } from '../shared/store/transact.ts'

/**
 * Is there the tenant that the path names? A tenant's own caller was let in for it and costs no read; vendor staff may
 * name one that never was, for which an empty list would be a wrong answer.
 */
export async function isKnownTenant(table: Table, caller: Caller, tenantId: TenantId): Promise<boolean> {
  if ('tenantId' in caller) return caller.tenantId === tenantId
  return (await readTenant(table, tenantId)) !== undefined
}
