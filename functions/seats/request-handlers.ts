import { nameForTenant } from '../../shared/domain/access.ts'
import { addDays } from '../../shared/domain/calendar.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { poolName } from '../../shared/domain/seat.ts'
import {
  decidedRequest,
  type OpenRequest,
  requestStateAt,
  type SeatRequest,
  type SeatRequestState,
  type SeatRequestView,
  seatRequestView,
} from '../../shared/domain/seat-request.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Handlers, Replayed } from '../../shared/platform/http/contract.ts'
import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import { seatRequestsOf } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readRequest, seatRequestEntity, writeRequest } from '../../shared/store/seat-request.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { type Person, readPerson, unchangedUser } from '../../shared/store/user.ts'
import { adjustSeats } from '../seating/adjust-seats.ts'
import { changePerson, personView } from '../seating/change-person.ts'
import { findSeatPlace, type SeatPlace } from '../seating/seat-place.ts'
import { productsOf, readSeating, type TenantSeating } from '../seating/seating.ts'
import { refuseShortage } from '../seating/seats-exhausted.ts'
import { seenPeople } from '../seating/seen-people.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { requestRoutes } from './request-routes.ts'

/** A request with all that it is decided on. */
type Situation = {
  readonly place: SeatPlace
  readonly person: Person
  readonly seating: TenantSeating
  readonly last: SeatRequest | undefined
}

export const requestHandlers: Handlers<typeof requestRoutes, VerifyingServices> = {
  requestSeat: (call, services) =>
    withRequest(call, services, async ({ place, person, seating, last }) => {
      const { tenantId, userId } = call.params
      const { user, seats } = person
      const { productId, module } = place
      if (last !== undefined && requestStateAt(last, call.now) === 'open')
        return refuse('SEAT_REQUEST_OPEN', `It was asked for at ${last.requestedAt}.`)
      if (user.status !== 'active') return refuse('SEAT_BLOCKED', `${user.name} is ${user.status}.`)
      if (seats.some((seat) => poolName(seat) === poolName(place) && seat.modules.includes(module)))
        return refuse('SEAT_BLOCKED', `${user.name} has a seat of ${module}.`)
      const next: OpenRequest = {
        state: 'open',
        userId,
        ...(user.organizationId && { organizationId: user.organizationId }),
        productId,
        module,
        reason: call.body.reason,
        requestedAt: call.now,
        lapsesAt: addDays(call.now, seating.policy.requestDays, seating.tenant.timeZone),
        version: (last?.version ?? 0) + 1,
      }
      return services.commit(call, {
        writes: { request: writeRequest(tenantId, last, next), user: unchangedUser(user) },
        events: [requestEvent('seat-request.made', tenantId, next)],
        reply: seatRequestView(next, call.now),
        refusals: { request: outdated, user: outdated },
      })
    }),

  async listSeatRequests({ params: { tenantId }, query, caller, now }, { table, secrets }) {
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
    if (tenant === undefined) return notFound
    const stored = query.state === 'lapsed' ? 'open' : query.state
    const range = {
      index: 'owned',
      pk: seatRequestsOf(tenantId),
      ...(stored && { prefix: `${stored}#` }),
    } as const
    const isAsked = (state: SeatRequestState) => query.state === undefined || state === query.state
    return readPage(table, secrets.cursorKey, range, query, async (items) => {
      const requests = items.map(seatRequestEntity.decode)
      const isSeen = await seenPeople(table, tenantId, requests, caller, all)
      return requests.map((request) =>
        isSeen(request) && isAsked(requestStateAt(request, now)) ? seatRequestView(request, now) : undefined,
      )
    })
  },

  grantSeatRequest: (call, services) =>
    withRequest(call, services, async ({ place, person, seating, last }) => {
      const open = openOne(last, call)
      if (isRefusal(open)) return open
      const { user } = person
      if (user.status !== 'active') return refuse('SEAT_BLOCKED', `${user.name} is ${user.status}.`)
      const { productId, module } = place
      const isOther = (one: User['direct'][number]) => one.productId !== productId || one.module !== module
      const by = nameForTenant(call.caller)
      const facts: User = {
        ...user,
        direct: [
          ...user.direct.filter(isOther),
          { productId, module, at: call.now, by, reason: open.reason },
        ],
        withheld: user.withheld.filter(isOther),
        revision: user.revision + 1,
      }
      const adjustment = adjustSeats(person, facts, seating, call.now)
      const gap = adjustment.after.user.pending.find(
        (one) => poolName(one) === poolName(place) && one.modules.includes(module),
      )
      const mayWait = seating.policy.onGrant === 'wait'
      const canWait = gap?.reason === 'NO_CAPACITY' || gap?.reason === 'NOT_LICENSED'
      if (gap && !(mayWait && canWait)) return refuseShortage(services.table, seating, user, gap, call)
      const next = decidedRequest(open, 'granted', { decidedAt: call.now, by, because: call.body.reason })
      return changePerson(call, services, seating, adjustment, {
        writes: { request: writeRequest(user.tenantId, last, next) },
        events: [requestEvent('seat-request.granted', user.tenantId, next)],
        reply: personView(adjustment.after),
        refusals: { request: outdated },
        mayWait,
      })
    }),

  refuseSeatRequest: (call, services) =>
    withRequest(call, services, ({ last }) => end(call, services, last, 'refused', call.body.reason)),

  withdrawSeatRequest: (call, services) =>
    withRequest(call, services, ({ last }) => end(call, services, last, 'withdrawn', undefined)),
}

type RequestCall = CommitRequest & {
  readonly params: { readonly tenantId: TenantId; readonly userId: UserId }
  readonly body: { readonly product: string; readonly module: string }
}

/** Loads what a request is about, where the caller may know of it, as often as it takes to commit on what is there. */
async function withRequest<T>(
  call: RequestCall,
  services: VerifyingServices,
  decide: (situation: Situation) => Promise<T | Refusal | Replayed>,
): Promise<T | Refusal | Replayed> {
  const { tenantId, userId } = call.params
  const { table } = services
  const place = await findSeatPlace(table, call.body.product, call.body.module)
  if (isRefusal(place)) return place
  return untilFresh<T | Replayed>(async () => {
    const [last, person] = await Promise.all([
      readRequest(table, tenantId, userId, place.productId, place.module),
      readPerson(table, tenantId, userId),
    ])
    if (person === undefined) return notFound
    const seating = await readSeating(services, tenantId, call.now, [place.productId, ...productsOf(person)])
    const { organizationId } = person.user
    if (seating === undefined || !seesOrganization(call.caller, organizationId, seating.organizations))
      return notFound
    return decide({ place, person, seating, last })
  })
}

async function end(
  call: RequestCall,
  { commit }: VerifyingServices,
  last: SeatRequest | undefined,
  state: 'refused' | 'withdrawn',
  because: string | undefined,
): Promise<SeatRequestView | Refusal | Replayed> {
  const { tenantId } = call.params
  const open = openOne(last, call)
  if (isRefusal(open)) return open
  const next = decidedRequest(open, state, { decidedAt: call.now, by: nameForTenant(call.caller), because })
  return commit(call, {
    writes: { request: writeRequest(tenantId, last, next) },
    events: [requestEvent(`seat-request.${state}`, tenantId, next)],
    reply: seatRequestView(next, call.now),
    refusals: { request: outdated },
  })
}

/** The request, if it can still be decided. */
function openOne(last: SeatRequest | undefined, { now }: Pick<CommitRequest, 'now'>): OpenRequest | Refusal {
  if (last === undefined) return notFound
  const state = requestStateAt(last, now)
  return last.state === 'open' && state === 'open' ? last : refuse('SEAT_REQUEST_OVER', `It is ${state}.`)
}

function requestEvent(type: EventDraft['type'], tenantId: TenantId, request: SeatRequest): EventDraft {
  const { userId, productId, module, reason, requestedAt } = request
  const because = request.state === 'open' ? undefined : request.because
  return {
    type,
    tenantId,
    subject: { type: 'user', id: userId },
    after: { productId, module, requestedAt, wanted: reason, state: request.state },
    ...(because && { reason: because }),
  }
}
