import * as z from 'zod'
import { epochMilliseconds, Instant, MINUTE } from '../platform/time.ts'
import type { Seconds } from './lease-entry.ts'
import { Department, Holder } from './lease-last.ts'

/** A place in the queue for units of one pool. */
export const Ticket = z.strictObject({
  /** The reference of the hold, and then of the lease, that it becomes. */
  ref: z.string(),
  /** Sorts the queue; see `orderOf`. */
  order: z.string(),
  units: z.int(),
  holder: Holder,
  department: Department.optional(),
  createdAt: Instant,
  /** Seconds since 1970: without a ping by then it is given up. */
  pingBy: z.int(),
  /** Seconds since 1970: its holder does not want to wait longer. */
  waitUntil: z.int().optional(),
  /** How many smaller requests overtook it because it did not fit. */
  overtaken: z.int(),
})
export type Ticket = z.infer<typeof Ticket>

/** Seconds between pings at most (Thales: 5 minutes; market.md, 2.12). */
export const PING_WITHIN = 300
/** What one step of priority is worth: as if the ticket had come so much earlier. */
const PRIORITY_STEP = 5 * MINUTE
export const HIGHEST_PRIORITY = 9
/** How often smaller requests may overtake a large one; then places are set aside for it. */
export const MOST_OVERTAKEN = 5

/**
 * Where a ticket stands. Priority ages at the same pace for all, so that who comes first by "priority, raised by
 * waiting" never changes while tickets wait: the order is fixed at arrival, and the head is one read.
 */
export function orderOf(now: Instant, priority: number): string {
  return String(epochMilliseconds(now) - priority * PRIORITY_STEP).padStart(15, '0')
}

export const isDead = ({ pingBy, waitUntil }: Ticket, now: Seconds) =>
  pingBy <= now || (waitUntil !== undefined && waitUntil <= now)

/** What becomes of the head of a queue. */
export type Allotment<Offer> = {
  readonly holds: readonly { ticket: Ticket; offer: Offer }[]
  /** Those that nobody waits for any more. */
  readonly dead: readonly Ticket[]
  readonly overtaken: readonly Ticket[]
  /** Those that what is free is too little for, or is set aside for others. */
  readonly short: readonly Ticket[]
}

/** Where departments have shares: how a ticket stands to them beside those that were given a place before. */
type Precedence = {
  /** Its department holds less than its share: it comes first. */
  isDue(ticket: Ticket, before: readonly Ticket[]): boolean
  /** What it wants is kept for its department: nobody else could use it. */
  isOwn(ticket: Ticket, before: readonly Ticket[]): boolean
  /** Its department has all it may have: it stands in nobody's way. */
  isHeldBack(ticket: Ticket, before: readonly Ticket[]): boolean
}

/** Tickets of a queue that something becomes of in one go: each can be two writes of the 100 of a transaction. */
export const LOOKED_AT = 25

/**
 * Gives free places to tickets in their order. `take` says how so many units, beside those given before, may be granted
 * now, and `mayHave` whether a ticket ever can be. Departments that hold less than their share come first. A large ticket
 * that does not fit may be overtaken a few times; then what is free is set aside for it. One larger than the pool has
 * become, or what others leave of it, stands in nobody's way.
 */
export function allot<Offer>(
  tickets: readonly Ticket[],
  now: Seconds,
  take: (units: number, givenBefore: number, ticket: Ticket, before: readonly Ticket[]) => Offer | undefined,
  mayHave: (ticket: Ticket) => boolean,
  precedence: Precedence = NO_PRECEDENCE,
): Allotment<Offer> {
  const holds: { ticket: Ticket; offer: Offer }[] = []
  const dead: Ticket[] = []
  const passed: { ticket: Ticket; at: number }[] = []
  const left = [...tickets]
  const before: Ticket[] = []
  let given = 0
  // What is kept for a department takes nothing from a large ticket of another: it overtakes none.
  let overtaking = 0
  while (holds.length + dead.length + passed.length < LOOKED_AT) {
    const due = left.findIndex((one) => !isDead(one, now) && precedence.isDue(one, before))
    const [ticket] = left.splice(Math.max(due, 0), 1)
    if (ticket === undefined) break
    if (isDead(ticket, now)) {
      dead.push(ticket)
      continue
    }
    if (!mayHave(ticket) || precedence.isHeldBack(ticket, before)) continue
    const mayOvertake = passed.every(
      ({ ticket: large, at }) => large.overtaken + overtaking - at < MOST_OVERTAKEN,
    )
    const isOwn = precedence.isOwn(ticket, before)
    const offer = mayOvertake || isOwn ? take(ticket.units, given, ticket, before) : undefined
    if (offer === undefined) passed.push({ ticket, at: overtaking })
    else {
      if (!isOwn) overtaking += 1
      holds.push({ ticket, offer })
      before.push(ticket)
      given += ticket.units
    }
  }
  const overtaken = passed.flatMap(({ ticket, at }) =>
    overtaking > at ? [{ ...ticket, overtaken: ticket.overtaken + overtaking - at }] : [],
  )
  return { holds, dead, overtaken, short: passed.map(({ ticket }) => ticket) }
}

const NO_PRECEDENCE: Precedence = { isDue: () => false, isOwn: () => false, isHeldBack: () => false }
