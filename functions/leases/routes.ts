import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { PublicKey } from '../../shared/domain/borrowing.ts'
import { Country } from '../../shared/domain/country.ts'
import { Department, Holder } from '../../shared/domain/lease-last.ts'
import { Fingerprint } from '../../shared/domain/license.ts'
import { PLACE_REFUSALS } from '../../shared/domain/refusal.ts'
import { Code } from '../../shared/domain/terms.ts'
import { HIGHEST_PRIORITY } from '../../shared/domain/ticket.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { Reason } from '../../shared/platform/http/shapes.ts'
import { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { Duration, Instant } from '../../shared/platform/time.ts'
import { Borrowed, Lease, PoolView, TicketView } from './shapes.ts'

const holders = ['license', 'tenant:app', 'tenant:admin'] as const
const LeaseId = z.string().max(4000)
const LeaseToken = z.string().min(8).max(200)
const Units = z.int().min(1).max(1_000_000)

const Item = z.strictObject({ metric: Code, units: Units.default(1) })
const Items = z
  .array(Item)
  .min(1)
  .max(10)
  .refine(
    (items) => new Set(items.map(({ metric }) => metric)).size === items.length,
    'name each metric once',
  )

const asked = {
  /** Code or id; not needed with a license key. */
  product: z.string().max(64).optional(),
  holder: Holder.optional(),
  department: Department.optional(),
  /** Where it is used, as the caller says; what the network shows may go before it. */
  country: Country.optional(),
}

const CheckOutBody = z.strictObject({
  ...asked,
  /** All of them or none; one unit of the product's only floating metric, or of `concurrent`, unless said otherwise. */
  items: Items.optional(),
  /** Chosen by the application: asking again with it answers the same lease. */
  leaseToken: LeaseToken.optional(),
})

const own = ['LICENSE_NOT_IN_FORCE', 'NOT_FOUND'] as const

export const leasesRoutes = {
  checkOut: {
    method: 'POST',
    path: '/v1/leases',
    access: holders,
    body: CheckOutBody,
    success: { status: 201, body: Lease },
    errors: [...own, ...PLACE_REFUSALS, 'POOL_EXHAUSTED'],
    summary: 'Check out floating licenses: several at once, all or nothing',
  },
  heartbeat: {
    method: 'POST',
    path: '/v1/leases/heartbeat',
    access: holders,
    body: z.strictObject({ leaseId: LeaseId }),
    success: { status: 200, body: Lease },
    errors: [...own, 'LEASE_SUPERSEDED', 'LEASE_LAPSED', 'TRANSITION_NOT_ALLOWED', 'BORROW_RETURNED'],
    summary: 'Renew a lease; its id is replaced',
  },
  checkIn: {
    method: 'POST',
    path: '/v1/leases/check-in',
    access: holders,
    body: z.strictObject({
      leaseId: LeaseId,
      /** Of a borrowed license whose machine gave a key: a JWS of the token's `jti`, `typ: return+jwt`, signed with it. */
      proof: z.string().max(4000).optional(),
    }),
    success: { status: 200, body: z.strictObject({ released: z.boolean() }) },
    errors: ['NOT_FOUND', 'LEASE_SUPERSEDED', 'RETURN_NOT_PROVEN'],
    summary: 'Give a lease back; a second time changes nothing',
    description:
      'A borrowed license comes back early. Where the machine that borrowed it gave a `publicKey`, it signs that it has disabled its copy (`proof`); otherwise the event says until when a copy may be used. A copy that comes online later is answered `BORROW_RETURNED` to a heartbeat.',
  },
  borrow: {
    method: 'POST',
    path: '/v1/leases/borrow',
    access: holders,
    body: z.strictObject({
      ...asked,
      item: Item.optional(),
      /** Of the machine that goes offline. */
      fingerprint: Fingerprint,
      /** Of a key pair of that machine (P-256): then it has to prove an early return. */
      publicKey: PublicKey.optional(),
      /** As long as the plan allows, unless said otherwise. */
      until: Instant.optional(),
      leaseToken: LeaseToken.optional(),
    }),
    success: { status: 201, body: Borrowed },
    errors: [...own, ...PLACE_REFUSALS, 'POOL_EXHAUSTED', 'BORROW_NOT_ALLOWED'],
    summary: 'Borrow a floating license for offline use; a check-in returns it early',
  },
  joinQueue: {
    method: 'POST',
    path: '/v1/tickets',
    access: holders,
    body: z.strictObject({
      ...asked,
      /** One unit of the product's only floating metric, or of `concurrent`, unless said otherwise. */
      item: Item.optional(),
      /** 0 to 9: each step counts as five minutes of waiting. Of a token; a license key has none. */
      priority: z.int().min(0).max(HIGHEST_PRIORITY).default(0),
      /** Give the ticket up after this time. */
      maxWait: Duration.optional(),
      /** Refuse it rather than wait further back than this. */
      maxPosition: z.int().min(1).max(100_000).optional(),
    }),
    success: { status: 201, body: TicketView },
    errors: [...own, ...PLACE_REFUSALS, 'POOL_EXHAUSTED', 'QUEUE_TOO_LONG'],
    summary: 'Wait for a floating license: a ticket in the queue of its pool',
  },
  pingTicket: {
    method: 'POST',
    path: '/v1/tickets/ping',
    access: holders,
    body: z.strictObject({ ticketId: LeaseId }),
    success: { status: 200, body: TicketView },
    errors: ['NOT_FOUND'],
    summary: 'Keep a ticket alive and see where it stands',
  },
  cancelTicket: {
    method: 'POST',
    path: '/v1/tickets/cancel',
    access: holders,
    body: z.strictObject({ ticketId: LeaseId }),
    success: { status: 200, body: z.strictObject({ canceled: z.boolean() }) },
    errors: ['NOT_FOUND'],
    summary: 'Leave the queue, or give up the place that is held; a second time changes nothing',
  },
  claimTicket: {
    method: 'POST',
    path: '/v1/tickets/claim',
    access: holders,
    body: z.strictObject({ ticketId: LeaseId }),
    success: { status: 201, body: Lease },
    errors: [...own, 'TICKET_ENDED', 'TRANSITION_NOT_ALLOWED'],
    summary: 'Turn the place that is held for a ticket into a lease',
    description:
      'A lease of its own: where the plan says that the processes of a user or a machine share one, check-outs of theirs do not share this one.',
  },
  listPools: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/pools',
    access: [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter', 'tenant:app'],
    params: z.strictObject({ tenantId: TenantId }),
    success: { status: 200, body: z.strictObject({ items: z.array(PoolView) }) },
    errors: [],
    summary: "The tenant's floating pools: capacity, use, queue, and who holds what",
  },
  releaseLease: {
    method: 'POST',
    path: '/v1/tenants/{tenantId}/leases/release',
    access: ['tenant:admin'],
    params: z.strictObject({ tenantId: TenantId }),
    body: z.strictObject({ productId: ProductId, metric: Code, ref: z.string().max(20), reason: Reason }),
    success: { status: 200, body: z.strictObject({ released: z.boolean() }) },
    errors: [],
    summary: 'Release a stranded lease of the own tenant; audited, limited in rate',
  },
} as const satisfies RouteTable
