import * as z from 'zod'
import { OrganizationId, ProductId, UserId } from '../platform/ids.ts'
import { Duration, Instant } from '../platform/time.ts'
import { Code } from './terms.ts'

/** Why a seat is there: `role:<role>`, or `direct` for one that was given by hand. */
const SeatSource = z.string()

/** A person's place in a pool: one unit of a product's metric. There is one per person and pool, whatever it is for. */
export const Seat = z
  .strictObject({
    userId: UserId,
    productId: ProductId,
    metric: Code,
    /** The modules it is for. */
    modules: z.array(Code),
    sources: z.array(SeatSource),
    assignedAt: Instant,
    /** Never reclaimed, and last among seats in excess. */
    pinned: z.boolean(),
    /** The organization from whose reservation it was taken. */
    reservedBy: OrganizationId.optional(),
  })
  .meta({ id: 'Seat' })
export type Seat = z.infer<typeof Seat>

/** `NO_CAPACITY` and `NOT_LICENSED` wait in the pool's queue; the others for the person's own facts to change. */
const PENDING_REASONS = [
  'NO_CAPACITY',
  'NOT_LICENSED',
  'MUTUALLY_EXCLUSIVE',
  'MISSING_DEPENDENCY',
  'NOT_ALLOWED_HERE',
] as const
export const PendingReason = z.enum(PENDING_REASONS)
export type PendingReason = z.infer<typeof PendingReason>

/** A seat that a person should have and does not: filled by itself, oldest first. One per person and pool. */
export const Pending = z
  .strictObject({
    productId: ProductId,
    metric: Code,
    modules: z.array(Code),
    sources: z.array(SeatSource),
    reason: PendingReason,
    /** The module that stands against it, or that is missing. */
    because: Code.optional(),
    since: Instant,
    /** It waits for a combined seat, instead of those of single modules that it waits for as well. */
    instead: z.literal(true).optional(),
  })
  .meta({ id: 'PendingSeat' })
export type Pending = z.infer<typeof Pending>

/** Which of a tenant's pools: there is one for each product and metric. */
export type TenantPool = Pick<Seat, 'productId' | 'metric'>

/** Does it stand in the pool's queue, before newcomers? */
export const isQueued = ({ reason }: Pick<Pending, 'reason'>) =>
  reason === 'NO_CAPACITY' || reason === 'NOT_LICENSED'

/** How a tenant wants its seats handled. */
export const SeatPolicy = z
  .strictObject({
    /** What becomes of a role for which no seat is free: the role is kept and the seat pending, or it is refused. */
    onShortage: z.enum(['keep', 'refuse']).default('keep'),
    /** What becomes of the seats of who is suspended. */
    suspended: z.enum(['free', 'keep']).default('free'),
    /** A seat stays at least so long with whom it was given to; see seat-cooldown.ts. */
    cooldown: Duration.optional(),
    /** Days to cure an excess of seats over what is licensed (market.md, 2.12: 14 days). */
    cureDays: z.int().min(1).max(90).default(14),
    /** Days within which somebody was seen who counts as active. */
    activeDays: z.int().min(1).max(90).default(30),
    /** Days after which a request for a seat lapses that nobody decided. */
    requestDays: z.int().min(1).max(90).default(14),
    /** What becomes of a request that is granted where no seat is free: it waits for one, in order, or cannot be granted. */
    onGrant: z.enum(['wait', 'refuse']).default('wait'),
    /** Days within which who left and comes back gets the seats it had, if they are free. */
    undoDays: z.int().min(0).max(365).default(30),
  })
  .meta({ id: 'SeatPolicy' })
export type SeatPolicy = z.infer<typeof SeatPolicy>

/** A pool of seats, by product and metric. */
export type PoolName = `${ProductId}#${string}`
export const poolName = ({ productId, metric }: { productId: ProductId; metric: string }): PoolName =>
  `${productId}#${metric}`

/** In one order: the table has them by pool, a decision as it came to them. */
export const byPool = <T extends TenantPool>(all: readonly T[]): T[] =>
  all.toSorted((a, b) => (poolName(a) < poolName(b) ? -1 : 1))

/** The counts of a pool of seats, as stored. */
export type SeatPool = {
  /** Raised by every change of a license; see store/fence.ts. */
  readonly fence: number
  /** Rows of seats. */
  readonly assigned: number
  /** `assigned`, and the places that are kept free for organizations. Never grows beyond what is licensed. */
  readonly committed: number
  /** Rows in the queue. */
  readonly queued: number
  /** Was a seat ever given or waited for? */
  readonly isManaged: boolean
}

/** Seats kept for the people of an organization and those below it, and how many of them are taken. */
export const Reservation = z.strictObject({
  productId: ProductId,
  metric: Code,
  organizationId: OrganizationId,
  seats: z.int().min(0),
  used: z.int().min(0),
})
export type Reservation = z.infer<typeof Reservation>

/** Places that a reservation keeps free. */
export const keptFree = ({ seats, used }: Pick<Reservation, 'seats' | 'used'>) => Math.max(0, seats - used)
