import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Pending, Reservation, Seat, SeatPolicy } from '../../shared/domain/seat.ts'
import { SeatDashboard } from '../../shared/domain/seat-dashboard.ts'
import { Code } from '../../shared/domain/terms.ts'
import { PersonView } from '../../shared/domain/user.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Flag, PageQuery, pageOf, Reason, wholeNumber } from '../../shared/platform/http/shapes.ts'
import { OrganizationId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { reclaimRoutes } from './reclaim-routes.ts'
import { requestRoutes } from './request-routes.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const UserParams = z.strictObject({ tenantId: TenantId, userId: UserId })
const ProductName = z.string().min(1).max(64)
const Which = { product: ProductName, module: Code }

const readers = [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'] as const
const keepers = ['vendor:admin', 'tenant:admin', 'org:admin'] as const

const PolicyEdit = z
  .strictObject({
    onShortage: SeatPolicy.shape.onShortage.unwrap(),
    suspended: SeatPolicy.shape.suspended.unwrap(),
    cooldown: SeatPolicy.shape.cooldown.unwrap().nullable(),
    cureDays: SeatPolicy.shape.cureDays.unwrap(),
    activeDays: SeatPolicy.shape.activeDays.unwrap(),
    requestDays: SeatPolicy.shape.requestDays.unwrap(),
    onGrant: SeatPolicy.shape.onGrant.unwrap(),
    undoDays: SeatPolicy.shape.undoDays.unwrap(),
  })
  .partial()

const PendingPerson = z.strictObject({ userId: UserId, name: z.string(), ...Pending.shape })

export const seatsRoutes = {
  ...reclaimRoutes,
  ...requestRoutes,
  getSeats: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats',
    access: readers,
    params: TenantParams,
    query: z.strictObject({
      /** Days within which somebody was seen who counts as active; those of the policy if absent. */
      days: wholeNumber(1, 90).optional(),
    }),
    success: { status: 200, body: SeatDashboard },
    errors: [],
    summary:
      'Seats per product and module, and by organization: licensed, assigned, available, pending, in use',
  },
  getSeatPolicy: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats/policy',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: SeatPolicy },
    errors: [],
    summary: 'How the tenant wants its seats handled',
  },
  editSeatPolicy: {
    method: 'PATCH',
    path: '/v1/tenants/{tenantId}/seats/policy',
    access: ['vendor:admin', 'tenant:admin'],
    params: TenantParams,
    body: PolicyEdit,
    success: { status: 200, body: SeatPolicy },
    errors: ['ARCHIVED'],
    summary: 'Say how seats are handled: on shortage, of who is suspended, cooldown, windows',
    description:
      'It applies to what happens from now on. `cooldown`: a seat stays at least so long with whom it was given to before somebody can take it, by revoking it or taking the role away; who leaves, is suspended or is taken out by the directory frees it at once. `null` takes the cooldown away.',
  },
  assignSeat: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats',
    access: keepers,
    params: UserParams,
    body: z.strictObject({
      ...Which,
      pinned: z.boolean().optional(),
      /** Where no seat is free: wait for one, instead of being refused. */
      wait: z.boolean().default(false),
      reason: Reason.optional(),
    }),
    success: { status: 200, body: PersonView },
    errors: ['SEATS_EXHAUSTED', 'SEAT_BLOCKED', 'TOO_MUCH_AT_ONCE'],
    summary: 'Give a person a seat of a module by hand, whatever its roles',
  },
  revokeSeat: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/revoke',
    access: keepers,
    params: UserParams,
    body: z
      .strictObject({
        ...Which,
        reason: Reason.optional(),
        /** Though it was given within the cooldown of the policy; say why. */
        override: z.boolean().default(false),
      })
      .refine(({ override, reason }) => !override || reason !== undefined, {
        message: 'say why it is taken within the cooldown',
        path: ['reason'],
      }),
    success: { status: 200, body: PersonView },
    errors: ['SEAT_COOLDOWN', 'TOO_MUCH_AT_ONCE'],
    summary:
      'Take a seat, or the wait for it, from a person; roles do not give it again until it is given by hand',
  },
  pinSeat: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/pin',
    access: keepers,
    params: UserParams,
    body: z.strictObject({ ...Which, pinned: z.boolean().default(true) }),
    success: { status: 200, body: PersonView },
    errors: ['TOO_MUCH_AT_ONCE'],
    summary: 'Pin a seat, so that it is never reclaimed; or let go of it',
  },
  listPendingSeats: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats/pending',
    access: readers,
    params: TenantParams,
    query: z.strictObject({
      ...PageQuery.shape,
      ...Which,
      /** Those whose own facts are in the way, instead of those who wait for a free seat. */
      blocked: Flag.optional(),
    }),
    success: { status: 200, body: pageOf(PendingPerson) },
    errors: ['NOT_FOUND'],
    summary: 'Who waits for a seat of a module and why, in the order in which they get one',
  },
  listExcessSeats: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats/excess',
    access: readers,
    params: TenantParams,
    query: z.strictObject({
      ...Which,
      limit: wholeNumber(1, 1000).default(100),
    }),
    success: { status: 200, body: z.strictObject({ excess: z.int(), items: z.array(Seat) }) },
    errors: ['NOT_FOUND'],
    summary: 'The seats above what is licensed: given last first, pinned ones after all others',
  },
  listReservations: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats/reservations',
    access: readers,
    params: TenantParams,
    success: { status: 200, body: z.strictObject({ items: z.array(Reservation) }) },
    errors: [],
    summary: 'Seats that are kept for organizations',
  },
  reserveSeats: {
    method: 'PUT',
    path: '/v1/tenants/{tenantId}/seats/reservations',
    access: ['vendor:admin', 'tenant:admin'],
    params: TenantParams,
    body: z.strictObject({
      ...Which,
      organizationId: OrganizationId,
      seats: z.int().min(0).max(1_000_000),
    }),
    success: { status: 200, body: Reservation },
    errors: ['NOT_FOUND', 'ARCHIVED', 'SEATS_EXHAUSTED'],
    summary: 'Keep seats for the people of an organization and those below it; 0 ends it',
    description:
      'Seats that its people get from now on are taken from it first. It counts against what is licensed as if they were assigned.',
  },
} as const satisfies RouteTable
