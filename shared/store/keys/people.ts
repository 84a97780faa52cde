import type { BulkId, GroupId, OrganizationId, TenantId, UserId } from '../../platform/ids.ts'
import { key, part, textPart } from './key.ts'

/** The organizations of a tenant are read together: they are a tree. */
export const organizationsKey = (tenant: TenantId) => `T#${part(tenant)}#ORGANIZATIONS`
export const ORGANIZATION_PREFIX = 'ORGANIZATION#'
export const organizationKey = (tenant: TenantId, id: OrganizationId) =>
  key(['T', tenant, 'ORGANIZATIONS'], ['ORGANIZATION', id])
/** Counts the changes of the tree, so that two of them at once do not make a cycle. */
export const organizationTreeKey = (tenant: TenantId) => key(['T', tenant, 'ORGANIZATIONS'], ['TREE'])
/** A person's page is one partition: who it is, what it has, and what it is there for. */
export const userKey = (tenant: TenantId, id: UserId) => key(['T', tenant, 'USER', id], ['USER'])
export const userRoleKey = (tenant: TenantId, id: UserId, role: string) =>
  key(['T', tenant, 'USER', id], ['ROLE', role])
export const userEmailKey = (tenant: TenantId, email: string) =>
  key(['T', tenant, 'EMAIL', textPart(email, 'pk')], ['ADDRESS'])
export const externalIdKey = (tenant: TenantId, externalId: string) =>
  key(['T', tenant, 'EXTERNAL', textPart(externalId, 'pk')], ['ADDRESS'])
export const userNameKey = (tenant: TenantId, userName: string) =>
  key(['T', tenant, 'USERNAME', textPart(userName, 'pk')], ['ADDRESS'])
/** A tenant's people by when they were last seen. */
export const activityOf = (tenant: TenantId) => `T#${part(tenant)}#ACTIVITY`
/** People with a role. */
export const ownedByRole = (tenant: TenantId, role: string) => `T#${part(tenant)}#ROLE#${part(role)}`
/** The groups of a tenant's directory are read together; who is in one has a partition of its own. */
export const groupsKey = (tenant: TenantId) => `T#${part(tenant)}#GROUPS`
export const GROUP_PREFIX = 'GROUP#'
export const groupKey = (tenant: TenantId, id: GroupId) => key(['T', tenant, 'GROUPS'], ['GROUP', id])
export const groupMembersKey = (tenant: TenantId, id: GroupId) => `T#${part(tenant)}#GROUP#${part(id)}`
export const groupMemberKey = (tenant: TenantId, id: GroupId, user: UserId) =>
  key(['T', tenant, 'GROUP', id], [user])
/** A group is one of its name, and of its external id. */
export const groupNameKey = (tenant: TenantId, kind: 'NAME' | 'EXTERNAL', text: string) =>
  key(['T', tenant, 'GROUPS'], [kind, textPart(text, 'sk')])
/** A bulk change of people: what it is, whom it concerns in chunks, and what became of each. */
export const bulkKey = (tenant: TenantId, id: BulkId) => key(['T', tenant, 'BULK', id], ['BULK'])
export const bulkChunkKey = (tenant: TenantId, id: BulkId, chunk: number) =>
  key(['T', tenant, 'BULK', id], ['CHUNK', String(chunk).padStart(6, '0')])
export const BULK_ROW_PREFIX = 'ROW#'
export const bulkRowKey = (tenant: TenantId, id: BulkId, user: UserId) =>
  key(['T', tenant, 'BULK', id], ['ROW', user])
