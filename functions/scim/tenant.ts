import type { Caller } from '../../shared/domain/access.ts'
import type { TenantId } from '../../shared/platform/ids.ts'

/** Whose directory is calling: the tenant of its token. */
export function tenantOf({ caller }: { readonly caller: Caller }): TenantId {
  if ('tenantId' in caller) return caller.tenantId
  throw new Error('only tokens of tenants are let in here')
}
