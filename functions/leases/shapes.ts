import * as z from 'zod'
import { LeaseHolder } from '../../shared/domain/pool-shortage.ts'
import { Code, Limit } from '../../shared/domain/terms.ts'
import { ProductId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

/** A lease as its holder sees it. */
export const Lease = z
  .strictObject({
    /** The credential of the lease: present it to renew or to give back. Replaced by each heartbeat. */
    leaseId: z.string(),
    productId: ProductId,
    /** Names the lease in the tenant's view of its pools. */
    ref: z.string(),
    items: z.array(
      z.strictObject({
        metric: Code,
        units: z.int(),
        /** Granted beyond the capacity. */
        overdraft: z.boolean(),
      }),
    ),
    /** Stop using the license then, unless a heartbeat moved it. */
    expiresAt: Instant,
    /** When to send the next heartbeat. Absent for a borrowed license. */
    nextHeartbeat: Instant.optional(),
    /** It was held before this request: by a retry of it, or by the same user or machine. */
    heldBefore: z.boolean().optional(),
  })
  .meta({ id: 'Lease' })
export type Lease = z.infer<typeof Lease>

/** A borrowed license: good offline until `lease.expiresAt`, on the machine of its fingerprint. */
export const Borrowed = z.strictObject({
  lease: Lease,
  /** A JWS (ES256, `typ: borrow+jwt`) that the application keeps; it verifies with the same JWKS. */
  token: z.string(),
})
export type Borrowed = z.infer<typeof Borrowed>

/** Where a ticket stands. */
export const TicketView = z
  .strictObject({
    ticketId: z.string(),
    /** `waiting`, or a place is kept for it (claim it before `claimBefore`), or it is over. */
    state: z.enum(['waiting', 'held', 'ended']),
    /** Of a waiting one: 1 is next. */
    position: z.int().optional(),
    /** More wait before it than were counted. */
    positionIsAtLeast: z.boolean().optional(),
    /** Ping again before then, or the ticket is given up. */
    pingBefore: Instant.optional(),
    claimBefore: Instant.optional(),
    /** When the leases now held would have ended that it waits for, if none of them is renewed or given back before. */
    estimate: z.strictObject({ at: Instant, basis: z.literal('ends-of-leases') }).optional(),
  })
  .meta({ id: 'Ticket' })
export type TicketView = z.infer<typeof TicketView>

/** One floating pool as its tenant sees it. */
export const PoolView = z
  .strictObject({
    productId: ProductId,
    metric: Code,
    capacity: Limit,
    /** Capacity and overdraft. */
    limit: Limit,
    /** Units held now, by leases and holds that have not lapsed. */
    used: z.int(),
    free: Limit,
    /** Of the units in use, those beyond the capacity. */
    overdraft: z.int(),
    borrowed: z.int(),
    /** Tickets in the queue. */
    waiting: z.int(),
    /** The next to end first. */
    leases: z.array(LeaseHolder),
    /** Others, for which one answer has no room. */
    leasesNotShown: z.int().optional(),
  })
  .meta({ id: 'PoolView' })
export type PoolView = z.infer<typeof PoolView>
