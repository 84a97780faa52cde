import { isWithin, type Organizations, seesOrganization } from '../../shared/domain/organization.ts'
import { poolName, type TenantPool } from '../../shared/domain/seat.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import type { User, UserStatus } from '../../shared/domain/user.ts'
import type { OrganizationId, TenantId, UserId } from '../../shared/platform/ids.ts'
import type { Item } from '../../shared/store/codec.ts'
import { activityOf, ownedByPool, ownedByRole, ownedByTenant } from '../../shared/store/keys.ts'
import type { Range } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import { readUsers, seatEntity, userEntity, userRoleEntity } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'

/** Which people are meant, joined by and; archived ones only if `status` says so. */
type PeopleFilter = {
  readonly organizationId?: OrganizationId | undefined
  /** Also those of the organizations below it. */
  readonly includeBelow?: boolean | undefined
  readonly withRole?: string | undefined
  readonly status?: UserStatus | undefined
  /** Those who have a seat of it. */
  readonly place?: TenantPool | undefined
  /** Not seen for so many days, or never. */
  readonly inactiveDays?: number | undefined
}

/** How those people are found: what to read, and which of them are meant. */
type Selection = {
  readonly range: Range
  /** Of rows that only name a person. */
  readonly idOf?: (item: Item) => UserId
  readonly isWanted: (user: User) => boolean
}

/** Is there an organization of this id, for this caller? */
export const canName = (caller: CommitRequest['caller'], id: OrganizationId, all: Organizations): boolean =>
  all.has(id) && seesOrganization(caller, id, all)

/** By the index that leaves the fewest: who has a seat, a role, was not seen, is in an organization, and else all. */
export function selectionOf(
  filter: PeopleFilter,
  { id: tenantId, timeZone }: Pick<Tenant, 'id' | 'timeZone'>,
  organizations: Organizations,
  { caller, now }: Pick<CommitRequest, 'caller' | 'now'>,
): Selection {
  const { organizationId, includeBelow, withRole, status, place, inactiveDays } = filter
  const firstDay = inactiveDays === undefined ? undefined : firstDayOf(now, inactiveDays + 1, timeZone)
  const isIn = (id: OrganizationId | undefined, outer: OrganizationId) =>
    includeBelow ? isWithin(id, outer, organizations) : id === outer
  const isWanted = (user: User) =>
    seesOrganization(caller, user.organizationId, organizations) &&
    (status === undefined ? user.status !== 'archived' : user.status === status) &&
    (organizationId === undefined || isIn(user.organizationId, organizationId)) &&
    (withRole === undefined || user.roles.includes(withRole)) &&
    (place === undefined || user.holds.includes(poolName(place))) &&
    (firstDay === undefined || user.activeDay === undefined || user.activeDay < firstDay)
  if (place !== undefined) {
    const pk = ownedByPool(tenantId, place.productId, place.metric)
    return { range: { index: 'owned', pk }, idOf: (item) => seatEntity.decode(item).userId, isWanted }
  }
  if (withRole !== undefined)
    return {
      range: { index: 'owned', pk: ownedByRole(tenantId, withRole) },
      idOf: (item) => userRoleEntity.decode(item).userId,
      isWanted,
    }
  if (firstDay !== undefined && status !== 'archived')
    return { range: { index: 'kind', pk: activityOf(tenantId), below: firstDay }, isWanted }
  const pk = ownedByTenant(tenantId, 'USERS')
  // Of an organization with others below it, everybody is looked at: they lie apart.
  const isLeaf = ![...organizations.values()].some(({ parentId }) => parentId === organizationId)
  const isAlone = organizationId !== undefined && (!includeBelow || isLeaf)
  const prefix = isAlone ? { prefix: `${organizationId}#` } : {}
  return { range: { index: 'owned', pk, ...prefix }, isWanted }
}

/** The people meant among what was read, in its order; undefined in the places of the others. */
export async function selected(
  table: Table,
  tenantId: TenantId,
  { idOf, isWanted }: Selection,
  items: readonly Item[],
): Promise<(User | undefined)[]> {
  const users = idOf === undefined ? items.map(userEntity.decode) : await named(idOf)
  return users.map((user) => (user && isWanted(user) ? user : undefined))

  async function named(name: (item: Item) => UserId) {
    const found = await readUsers(table, tenantId, items.map(name))
    const byId = new Map(found.map((user) => [user.id, user]))
    return items.map((item) => byId.get(name(item)))
  }
}
