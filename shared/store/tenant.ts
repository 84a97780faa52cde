import { Tenant } from '../domain/tenant.ts'
import type { TenantId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { KIND, tenantKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table } from './transact.ts'

export const tenantEntity = entity('tenant', 1, Tenant)

export const tenantItem = (tenant: Tenant): Item =>
  tenantEntity.encode(tenantKey(tenant.id), tenant, { kindPk: KIND.tenants, kindSk: tenant.id })

export async function readTenant(table: Table, id: TenantId): Promise<Tenant | undefined> {
  const item = await readItem(table, tenantKey(id))
  return item && tenantEntity.decode(item)
}
