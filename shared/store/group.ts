import * as z from 'zod'
import { Group } from '../domain/directory.ts'
import { GroupId, type TenantId, UserId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { GROUP_PREFIX, groupKey, groupMembersKey, groupsKey, KIND } from './keys.ts'
import { readItem, readItems, readRange } from './read.ts'
import type { Table } from './transact.ts'

export const groupEntity = entity('directory-group', 2, Group, 1)
/** That a person is in a group. */
export const groupMemberEntity = entity(
  'group-member',
  1,
  z.strictObject({ groupId: GroupId, userId: UserId }),
)

/** Listed with those whose change has not reached everybody in them. */
export const groupItem = (group: Group): Item =>
  groupEntity.encode(groupKey(group.tenantId, group.id), group, {
    ...((group.spreading || group.deletedAt) && {
      kindPk: KIND.spreadingGroups,
      kindSk: `${group.tenantId}#${group.id}`,
    }),
  })

/** All groups of a tenant: one strongly consistent query. */
export async function readGroups(table: Table, tenantId: TenantId): Promise<Group[]> {
  const items = await readRange(table, { pk: groupsKey(tenantId), prefix: GROUP_PREFIX })
  return items.map(groupEntity.decode)
}

export async function readGroup(table: Table, tenantId: TenantId, id: GroupId): Promise<Group | undefined> {
  const item = await readItem(table, groupKey(tenantId, id))
  return item && groupEntity.decode(item)
}

/** Those of these groups that there are, in no order. */
export async function readGroupsOf(
  table: Table,
  tenantId: TenantId,
  ids: readonly GroupId[],
): Promise<Group[]> {
  const items = await readItems(
    table,
    ids.map((id) => groupKey(tenantId, id)),
  )
  return items.map(groupEntity.decode)
}

/** Who is in a group: one strongly consistent query. */
export async function readMembers(table: Table, tenantId: TenantId, id: GroupId): Promise<UserId[]> {
  const items = await readRange(table, { pk: groupMembersKey(tenantId, id) })
  return items.map((item) => groupMemberEntity.decode(item).userId)
}
