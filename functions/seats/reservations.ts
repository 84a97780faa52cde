import { seesOrganization } from '../../shared/domain/organization.ts'
import { limitOf } from '../../shared/domain/pool-terms.ts'
import { isRefusal, notFound, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import { keptFree, poolName, type Reservation, SeatPolicy } from '../../shared/domain/seat.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { organizationKey, tenantKey } from '../../shared/store/keys.ts'
import { readOrganizations, touchTree } from '../../shared/store/organization.ts'
import {
  changeSeatPool,
  readReservations,
  readSeatPolicy,
  writeReservation,
  writeSeatPolicy,
} from '../../shared/store/seat-pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { checkLive } from '../../shared/store/transact.ts'
import { findSeatPlace } from '../seating/seat-place.ts'
import { readSeating } from '../seating/seating.ts'
import { serveWaiting } from '../seating/serve-seats.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { seatsRoutes } from './routes.ts'

type ReservationHandlers = Pick<
  Handlers<typeof seatsRoutes, VerifyingServices>,
  'listReservations' | 'reserveSeats' | 'getSeatPolicy' | 'editSeatPolicy'
>

export const reservationHandlers: ReservationHandlers = {
  async listReservations({ params: { tenantId }, caller }, { table }) {
    const [tenant, all, reservations] = await Promise.all([
      readTenant(table, tenantId),
      readOrganizations(table, tenantId),
      readReservations(table, tenantId),
    ])
    if (tenant === undefined) return notFound
    return {
      items: reservations.filter(
        (one) => one.seats + one.used > 0 && seesOrganization(caller, one.organizationId, all),
      ),
    }
  },

  reserveSeats: (call, services) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const { product, module, organizationId, seats } = call.body
      const place = await findSeatPlace(services.table, product, module)
      if (isRefusal(place)) return place
      const seating = await readSeating(services, tenantId, call.now, [place.productId])
      const organization = seating?.organizations.get(organizationId)
      if (seating === undefined || organization === undefined) return notFound
      if (organization.archivedAt !== undefined && seats > 0)
        return refuse('ARCHIVED', `${organization.name} is archived.`)
      const { productId, metric } = place
      const name = poolName(place)
      const before = seating.reservations.get(name)?.find((one) => one.organizationId === organizationId)
      const after: Reservation = { productId, metric, organizationId, seats, used: before?.used ?? 0 }
      const more = keptFree(after) - (before ? keptFree(before) : 0)
      const pool = seating.pools.get(name) ?? EMPTY_POOL
      const { capacity, limit } = seating.terms.get(name) ?? { capacity: 0, limit: 0 }
      if (more > 0 && (pool.committed + more > limit || pool.queued > 0)) {
        const detail = `${limit} seats are licensed, ${pool.committed} of them assigned or reserved, and ${pool.queued} people wait.`
        return refuse('SEATS_EXHAUSTED', detail, {
          pool: {
            metric,
            units: more,
            capacity: limitOf(capacity),
            limit: limitOf(limit),
            used: pool.committed,
            waiting: pool.queued,
          },
        })
      }
      const isSame = before?.seats === seats || (before === undefined && seats === 0)
      const done = await services.commit(call, {
        writes: isSame
          ? {}
          : {
              reservation: writeReservation(tenantId, before, after),
              ...(seats > 0 && { organization: checkLive(organizationKey(tenantId, organizationId)) }),
              // Whoever archives the organization at the same time has looked for its reservations already.
              ...(seats > 0 && !before?.seats && { tree: touchTree(tenantId) }),
              ...(more !== 0 && {
                pool: changeSeatPool(tenantId, place, {
                  committed: more,
                  queued: 0,
                  ...(more > 0 && { fence: pool.fence, committedAtMost: limit - more, nobodyWaits: true }),
                }),
              }),
            },
        events: isSame
          ? []
          : [
              {
                type: 'seats.reserved',
                tenantId,
                subject: { type: 'organization', id: organizationId },
                before: before ?? {},
                after,
              },
            ],
        reply: after,
        refusals: { reservation: outdated, pool: outdated, organization: outdated },
      })
      if (!isRefusal(done) && more < 0) await serveWaiting(call, services, tenantId, [place])
      return done
    }),

  async getSeatPolicy({ params: { tenantId } }, { table }) {
    const [tenant, policy] = await Promise.all([readTenant(table, tenantId), readSeatPolicy(table, tenantId)])
    return tenant === undefined ? notFound : policy
  },

  editSeatPolicy: (call, { table, commit }) =>
    untilFresh(async () => {
      const { tenantId } = call.params
      const [tenant, current] = await Promise.all([
        readTenant(table, tenantId),
        readSeatPolicy(table, tenantId),
      ])
      if (tenant === undefined) return notFound
      const { cooldown = current.cooldown, ...rest } = call.body
      const { cooldown: _, ...others } = { ...current, ...rest }
      const policy = SeatPolicy.parse({ ...others, ...(cooldown && { cooldown }) })
      return commit(call, {
        writes: {
          tenant: checkLive(tenantKey(tenantId)),
          policy: writeSeatPolicy(tenantId, current, policy),
        },
        events: [
          {
            type: 'seats.policy-changed',
            tenantId,
            subject: { type: 'tenant', id: tenantId },
            ...changes(current, policy),
          },
        ],
        reply: policy,
        refusals: { tenant: refuse('ARCHIVED', 'The tenant is archived.'), policy: outdated },
      })
    }),
}
