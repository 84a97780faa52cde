import { Organization, type Organizations } from '../domain/organization.ts'
import type { OrganizationId, TenantId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { ORGANIZATION_PREFIX, organizationKey, organizationsKey, organizationTreeKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Action, Table, Update } from './transact.ts'

export const organizationEntity = entity('organization', 1, Organization)

export const organizationItem = (organization: Organization): Item =>
  organizationEntity.encode(organizationKey(organization.tenantId, organization.id), organization)

/** The whole tree, archived organizations included: one strongly consistent query. */
export async function readOrganizations(table: Table, tenantId: TenantId): Promise<Organizations> {
  const items = await readRange(table, { pk: organizationsKey(tenantId), prefix: ORGANIZATION_PREFIX })
  return new Map(items.map(organizationEntity.decode).map((one) => [one.id, one]))
}

export async function readOrganization(
  table: Table,
  tenantId: TenantId,
  id: OrganizationId,
): Promise<Organization | undefined> {
  const item = await readItem(table, organizationKey(tenantId, id))
  return item && organizationEntity.decode(item)
}

/** Has everybody decide anew who decides on the tree at the same time. */
export const touchTree = (tenantId: TenantId): Update => ({
  kind: 'update',
  key: organizationTreeKey(tenantId),
  update: 'ADD changes :one',
  values: { ':one': 1 },
})

/** Reads how often the tree was changed; the action changes it once more, if nobody else did since. */
export async function changeTree(table: Table, tenantId: TenantId): Promise<Action> {
  const item = await readItem(table, organizationTreeKey(tenantId))
  const touch = touchTree(tenantId)
  return item === undefined
    ? { ...touch, condition: 'attribute_not_exists(pk)' }
    : { ...touch, condition: 'changes = :seen', values: { ...touch.values, ':seen': item['changes'] } }
}
