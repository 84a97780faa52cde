import { type Organizations, seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import { type PoolName, poolName } from '../../shared/domain/seat.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import { type User, userView } from '../../shared/domain/user.ts'
import type { Call, Handler } from '../../shared/platform/http/contract.ts'
import type { UserId } from '../../shared/platform/ids.ts'
import type { Item } from '../../shared/store/codec.ts'
import { activityOf, ownedByPool, ownedByRole, ownedByTenant } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import type { Range } from '../../shared/store/read.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'
import { findUser, readUsers, seatEntity, userEntity, userRoleEntity } from '../../shared/store/user.ts'
import { missing } from '../change-person.ts'
import { findSeatPlace } from '../seat-place.ts'
import type { VerifyingServices } from '../verified.ts'
import type { peopleRoutes } from './routes.ts'

type ListCall = Call<(typeof peopleRoutes)['listUsers']>
type Place = Parameters<typeof poolName>[0]

/**
 * People, by the index that leaves the fewest: who has a seat, who has a role, who was not seen, who is in an
 * organization, and else all. The other filters are held against what comes from there.
 */
export const listUsers: Handler<(typeof peopleRoutes)['listUsers'], VerifyingServices> = async (
  call,
  { table, secrets },
) => {
  const { params, query, caller, now } = call
  const { tenantId } = params
  const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
  if (tenant === undefined) return missing
  const place = await placeAsked(table, query)
  if (isRefusal(place)) return place
  const isWanted = wanted(query, place && poolName(place), tenant, all, call)
  if (query.email !== undefined || query.externalId !== undefined) {
    const ids = [
      ...(query.email === undefined ? [] : [await findUser(table, tenantId, { email: query.email })]),
      ...(query.externalId === undefined
        ? []
        : [await findUser(table, tenantId, { externalId: query.externalId })]),
    ]
    const [id] = ids
    const users = id && ids.every((one) => one === id) ? await readUsers(table, tenantId, [id]) : []
    return { items: users.filter(isWanted).map(userView) }
  }
  const { range, idOf } = rangeOf(
    call,
    place,
    firstDayOf(now, (query.inactiveDays ?? 0) + 1, tenant.timeZone),
  )
  return readPage(table, secrets.cursorKey, range, query, async (items) => {
    const users = idOf ? await inOrder(items, idOf) : items.map(userEntity.decode)
    return users.map((user) => (user && isWanted(user) ? userView(user) : undefined))
  })

  async function inOrder(items: readonly Item[], name: (item: Item) => UserId) {
    const found = await readUsers(table, tenantId, items.map(name))
    const byId = new Map(found.map((user) => [user.id, user]))
    return items.map((item) => byId.get(name(item)))
  }

  function wanted(
    { organizationId, withRole, status, inactiveDays }: ListCall['query'],
    pool: PoolName | undefined,
    { timeZone }: Pick<Tenant, 'timeZone'>,
    organizations: Organizations,
    { now: at }: Pick<ListCall, 'now'>,
  ) {
    const before = inactiveDays === undefined ? undefined : firstDayOf(at, inactiveDays + 1, timeZone)
    return (user: User): boolean =>
      seesOrganization(caller, user.organizationId, organizations) &&
      (status === undefined ? user.status !== 'archived' : user.status === status) &&
      (organizationId === undefined || user.organizationId === organizationId) &&
      (withRole === undefined || user.roles.includes(withRole)) &&
      (pool === undefined || user.holds.includes(pool)) &&
      (before === undefined || user.activeDay === undefined || user.activeDay < before)
  }
}

function rangeOf(
  { params: { tenantId }, query }: ListCall,
  place: Place | undefined,
  firstDay: string,
): { range: Range; idOf?: (item: Item) => UserId } {
  const { withRole, organizationId, inactiveDays, status } = query
  if (place !== undefined) {
    const pk = ownedByPool(tenantId, place.productId, place.metric)
    return { range: { index: 'owned', pk }, idOf: (item) => seatEntity.decode(item).userId }
  }
  if (withRole !== undefined)
    return {
      range: { index: 'owned', pk: ownedByRole(tenantId, withRole) },
      idOf: (item) => userRoleEntity.decode(item).userId,
    }
  if (inactiveDays !== undefined && status !== 'archived')
    return { range: { index: 'kind', pk: activityOf(tenantId), below: firstDay } }
  const pk = ownedByTenant(tenantId, 'USERS')
  return {
    range: { index: 'owned', pk, ...(organizationId !== undefined && { prefix: `${organizationId}#` }) },
  }
}

async function placeAsked(
  table: Table,
  { product, module }: ListCall['query'],
): Promise<Place | undefined | Refusal> {
  return product === undefined && module === undefined ? undefined : findSeatPlace(table, product, module)
}
