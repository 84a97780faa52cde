import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import { poolName, type Seat } from '../../shared/domain/seat.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import { seatDashboard } from '../../shared/domain/seat-dashboard.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import { excessOf } from '../../shared/domain/seat-excess.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { ownedByPool, pendingSeatsKey } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readPages } from '../../shared/store/read.ts'
import { readCounts } from '../../shared/store/seat-counts.ts'
import { pendingSeatEntity } from '../../shared/store/seat-pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readUsers, seatEntity } from '../../shared/store/user.ts'
import { findSeatPlace } from '../seating/seat-place.ts'
import { readSeating } from '../seating/seating.ts'
import type { VerifyingServices } from '../verified.ts'
import type { seatsRoutes } from './routes.ts'

type ViewHandlers = Pick<
  Handlers<typeof seatsRoutes, VerifyingServices>,
  'getSeats' | 'listPendingSeats' | 'listExcessSeats'
>

export const viewHandlers: ViewHandlers = {
  async getSeats({ params: { tenantId }, query, caller, now }, services) {
    const [seating, counts] = await Promise.all([
      readSeating(services, tenantId, now),
      readCounts(services.table, tenantId),
    ])
    if (seating === undefined) return notFound
    const { tenant, policy, organizations, terms, standings } = seating
    return seatDashboard(
      seating,
      counts,
      (productId, metric, assigned) =>
        excessOf(
          metric,
          { assigned, limit: terms.get(poolName({ productId, metric }))?.limit ?? 0 },
          standings.get(productId) ?? [],
          { cureDays: policy.cureDays, timeZone: tenant.timeZone },
          now,
        ),
      (organizationId) => seesOrganization(caller, organizationId, organizations),
      firstDayOf(now, query.days ?? policy.activeDays, tenant.timeZone),
      now,
    )
  },

  async listPendingSeats({ params: { tenantId }, query, caller }, { table, secrets }) {
    const place = await findSeatPlace(table, query.product, query.module)
    if (isRefusal(place)) return place
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
    if (tenant === undefined) return notFound
    const range = {
      pk: pendingSeatsKey(tenantId, place.productId, place.metric),
      prefix: query.blocked ? 'BLOCKED#' : 'QUEUE#',
    }
    return readPage(table, secrets.cursorKey, range, query, async (items) => {
      const ids = items.map((item) => pendingSeatEntity.decode(item).userId)
      const users = new Map((await readUsers(table, tenantId, ids)).map((user) => [user.id, user]))
      return ids.map((id) => {
        const user = users.get(id)
        const pending = user?.pending.find((one) => poolName(one) === poolName(place))
        const isSeen = seesOrganization(caller, user?.organizationId, all)
        return user && pending && isSeen ? { userId: id, name: user.name, ...pending } : undefined
      })
    })
  },

  async listExcessSeats({ params: { tenantId }, query, caller, now }, services) {
    const { table } = services
    const place = await findSeatPlace(table, query.product, query.module)
    if (isRefusal(place)) return place
    const seating = await readSeating(services, tenantId, now, [place.productId])
    if (seating === undefined) return notFound
    const { assigned } = seating.pools.get(poolName(place)) ?? EMPTY_POOL
    const excess = Math.max(0, assigned - (seating.terms.get(poolName(place))?.limit ?? 0))
    const [loose, pinned]: [Seat[], Seat[]] = [[], []]
    const range = {
      index: 'owned',
      pk: ownedByPool(tenantId, place.productId, place.metric),
      newestFirst: true,
    } as const
    const most = Math.min(excess, query.limit)
    if (most > 0)
      for await (const { items } of readPages(table, range)) {
        for (const seat of items.map(seatEntity.decode)) (seat.pinned ? pinned : loose).push(seat)
        if (loose.length >= most) break
      }
    const found = [...loose, ...pinned].slice(0, most)
    const users = await readUsers(
      table,
      tenantId,
      found.map(({ userId }) => userId),
    )
    const seen = new Set(
      users
        .filter(({ organizationId }) => seesOrganization(caller, organizationId, seating.organizations))
        .map(({ id }) => id),
    )
    return { excess, items: found.filter(({ userId }) => seen.has(userId)) }
  },
}
