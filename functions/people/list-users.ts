import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import { userView } from '../../shared/domain/user.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { findUser, readUsers } from '../../shared/store/user.ts'
import { findSeatPlace } from '../seating/seat-place.ts'
import type { VerifyingServices } from '../verified.ts'
import type { peopleRoutes } from './routes.ts'
import { canName, selected, selectionOf } from './selection.ts'

/** People by a filter, in pages; one who is named by an address at once. */
export const listUsers: Handler<(typeof peopleRoutes)['listUsers'], VerifyingServices> = async (
  call,
  { table, secrets },
) => {
  const { params, query } = call
  const { tenantId } = params
  const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
  if (tenant === undefined) return notFound
  const { product, module, organizationId } = query
  if (organizationId !== undefined && !canName(call.caller, organizationId, all)) return notFound
  const isSeatAsked = product !== undefined || module !== undefined
  const place = isSeatAsked ? await findSeatPlace(table, product, module) : undefined
  if (isRefusal(place)) return place
  const selection = selectionOf({ ...query, place }, tenant, all, call)
  if (query.email !== undefined || query.externalId !== undefined) {
    const ids = [
      ...(query.email === undefined ? [] : [await findUser(table, tenantId, { email: query.email })]),
      ...(query.externalId === undefined
        ? []
        : [await findUser(table, tenantId, { externalId: query.externalId })]),
    ]
    const [id] = ids
    const users = id && ids.every((one) => one === id) ? await readUsers(table, tenantId, [id]) : []
    return { items: users.filter(selection.isWanted).map(userView) }
  }
  return readPage(table, secrets.cursorKey, selection.range, query, async (items) =>
    (await selected(table, tenantId, selection, items)).map((user) => user && userView(user)),
  )
}
