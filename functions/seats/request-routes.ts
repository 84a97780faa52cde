import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { SeatRequestState, SeatRequestView } from '../../shared/domain/seat-request.ts'
import { Code } from '../../shared/domain/terms.ts'
import { PersonView } from '../../shared/domain/user.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { TenantId, UserId } from '../../shared/platform/ids.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const UserParams = z.strictObject({ tenantId: TenantId, userId: UserId })
const Which = { product: z.string().min(1).max(64), module: Code }

const readers = [...VENDOR_ROLES, 'tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'] as const
/** Who asks is the tenant's back end, for a person who is signed in there, or who may give the seat anyway. */
const askers = ['vendor:admin', 'tenant:admin', 'org:admin', 'tenant:app'] as const
const approvers = ['vendor:admin', 'tenant:admin', 'org:admin'] as const

export const requestRoutes = {
  requestSeat: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/requests',
    access: askers,
    params: UserParams,
    body: z.strictObject({ ...Which, reason: Reason }),
    success: { status: 201, body: SeatRequestView },
    errors: ['SEAT_REQUEST_OPEN', 'SEAT_BLOCKED'],
    summary: 'Ask for a seat of a module, for a person and with its reason; an administrator decides',
    description: 'It lapses after the days that the seat policy says. A refused request can be made again.',
  },
  listSeatRequests: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/seats/requests',
    access: readers,
    params: TenantParams,
    query: z.strictObject({ ...PageQuery.shape, state: SeatRequestState.optional() }),
    success: { status: 200, body: pageOf(SeatRequestView) },
    errors: [],
    summary: 'Requests for seats, oldest first within a state: the last of each person and module',
    description: 'An `org:admin` gets those of its organizations.',
  },
  grantSeatRequest: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/requests/grant',
    access: approvers,
    params: UserParams,
    body: z.strictObject({ ...Which, reason: Reason.optional() }),
    success: { status: 200, body: PersonView },
    errors: ['SEAT_REQUEST_OVER', 'SEATS_EXHAUSTED', 'SEAT_BLOCKED', 'TOO_MUCH_AT_ONCE'],
    summary: 'Grant a request: the person has the seat at once, or waits for one, as the seat policy says',
  },
  refuseSeatRequest: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/requests/refuse',
    access: approvers,
    params: UserParams,
    body: z.strictObject({ ...Which, reason: Reason }),
    success: { status: 200, body: SeatRequestView },
    errors: ['SEAT_REQUEST_OVER'],
    summary: 'Refuse a request, with the reason',
  },
  withdrawSeatRequest: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/users/{userId}/seats/requests/withdraw',
    access: askers,
    params: UserParams,
    body: z.strictObject(Which),
    success: { status: 200, body: SeatRequestView },
    errors: ['SEAT_REQUEST_OVER'],
    summary: 'Withdraw a request that nobody decided yet',
  },
} as const satisfies RouteTable
