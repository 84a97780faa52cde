import type { Caller } from '../../shared/domain/access.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'

/**
 * Whose use it is: named by vendor staff, the caller's own for everybody else. That the tenant exists is not a
 * condition of the write: every report of a tenant would contend for that one item.
 */
export async function tenantOf(
  caller: Caller,
  named: TenantId | undefined,
  table: Table,
): Promise<Tenant | Refusal> {
  const own = 'tenantId' in caller ? caller.tenantId : undefined
  if (own !== undefined && named !== undefined && named !== own) return noSuchTenant
  const tenantId = own ?? named
  if (tenantId === undefined) {
    return refuse('INVALID_REQUEST', 'Name the tenant.', {
      errors: [{ field: '/body/tenantId', message: 'is required of vendor staff' }],
    })
  }
  return (await readTenant(table, tenantId)) ?? noSuchTenant
}

const noSuchTenant = refuse('NOT_FOUND', 'There is no such tenant.')
