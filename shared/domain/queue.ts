import type { Entry, Seconds } from './lease-entry.ts'
import type { LeaseTerms } from './lease-terms.ts'
import { heldBeside, lapsedIn, type Pool, unitsOf } from './pool.ts'
import { applied, type PoolChange } from './pool-change.ts'
import type { Ask } from './pool-grant.ts'
import type { Offer } from './pool-terms.ts'
import { boundsOf, codeOf, heldBy, isWithinKept, isWithinMaximum, keptFromOthers, mostFor } from './shares.ts'
import { type Allotment, allot, isDead, LOOKED_AT, type Ticket } from './ticket.ts'

/** Tickets counted before one; beyond, its position is told as at least this. */
export const COUNTED = 200

/**
 * Tickets that are looked at to give places out: more where departments have shares, for some may be held back, and where
 * one of the first is larger than the pool has become.
 */
export const lookedAt = (terms: LeaseTerms, first: readonly Ticket[] = []) =>
  terms.shares === undefined && first.slice(0, LOOKED_AT).every((one) => isPossible(one, terms))
    ? LOOKED_AT
    : COUNTED

/** Can it ever have a place, as the pool is, and shared out? It stands in nobody's way if not. */
const isPossible = ({ units, department }: Ticket, { size, shares }: LeaseTerms) =>
  units <= mostFor(shares, size.limit, codeOf(shares, department))

/** What becomes of free places and of the head of the queue. */
export type Serving = Allotment<Offer> & { readonly change: PoolChange }

/**
 * Gives what is free to those who wait, as holds, and takes away the tickets nobody waits for; undefined if there is
 * nothing to do.
 *
 * @param tickets the first of the queue
 * @param terms those of a hold
 */
export function serving(
  pool: Pool,
  tickets: readonly Ticket[],
  terms: LeaseTerms,
  now: Seconds,
): Serving | undefined {
  const lapsed = lapsedIn(pool, now)
  const allotment = allotted(pool, lapsed, tickets, terms, now)
  const { holds, dead } = allotment
  if (holds.length + dead.length === 0) return undefined
  const { shares } = terms
  const put = new Map(
    holds.map(({ ticket, offer }) => [
      ticket.ref,
      holdOf(ticket, offer, codeOf(shares, ticket.department), now),
    ]),
  )
  const change: PoolChange = {
    put,
    seen: lapsed.entries,
    remove: [...lapsed.entries.keys()],
    ...(holds.length > 0 && { limit: leastLimit(holds) }),
    fence: pool.fence,
    tickets: -(holds.length + dead.length),
  }
  if (shares === undefined || holds.length === 0) return { ...allotment, change }
  // What each gets was decided beside what all others hold: no more may be held meanwhile.
  const limit = pool.used - lapsed.units + unitsOf(put.values())
  const [before, after] = heldBeside(pool, lapsed.entries)
  return {
    ...allotment,
    change: { ...change, limit, held: boundsOf(shares, before, after, heldBy(put.values())) },
  }
}

/** So many may be held once all of these are, that each is still within the limit of its offer. */
function leastLimit(holds: Serving['holds']): number {
  let [given, room] = [0, Number.POSITIVE_INFINITY]
  for (const { ticket, offer } of holds) {
    given += ticket.units
    room = Math.min(room, offer.limit - given)
  }
  return given + room
}

function allotted(
  pool: Pool,
  lapsed: ReturnType<typeof lapsedIn>,
  tickets: readonly Ticket[],
  terms: LeaseTerms,
  now: Seconds,
): Allotment<Offer> {
  const { offers, shares } = terms
  const used = pool.used - lapsed.units
  const mayHave = (ticket: Ticket) => isPossible(ticket, terms)
  if (shares === undefined) {
    const take = (units: number, given: number) => offers.find(({ limit }) => used + given + units <= limit)
    return allot(tickets, now, take, mayHave)
  }
  const [, held] = heldBeside(pool, lapsed.entries)
  /** What departments hold beside these, and whose the ticket is. */
  const seen = ({ department }: Ticket, before: readonly Ticket[]) => {
    const all = new Map(held)
    for (const one of before) {
      const code = codeOf(shares, one.department)
      if (code !== undefined) all.set(code, (all.get(code) ?? 0) + one.units)
    }
    return { held: all, own: codeOf(shares, department) }
  }
  const take = (units: number, given: number, ticket: Ticket, before: readonly Ticket[]) => {
    const { held: all, own } = seen(ticket, before)
    const kept = keptFromOthers(shares, all, own)
    return offers.find(({ limit }) => used + given + units <= limit - kept)
  }
  return allot(tickets, now, take, mayHave, {
    isDue(ticket, before) {
      const { held: all, own } = seen(ticket, before)
      const share = own === undefined ? 0 : (shares.get(own)?.share ?? 0)
      return own !== undefined && (all.get(own) ?? 0) + ticket.units <= share
    },
    isOwn(ticket, before) {
      const { held: all, own } = seen(ticket, before)
      return isWithinKept(shares, all, own, ticket.units)
    },
    isHeldBack(ticket, before) {
      const { held: all, own } = seen(ticket, before)
      return !isWithinMaximum(shares, all, own, ticket.units)
    },
  })
}

function holdOf(
  { units }: Ticket,
  { overdraft, until }: Offer,
  department: number | undefined,
  beat: Seconds,
): Entry {
  const hold = { kind: 'hold', units, overdraft, until, beat, generation: 0, sharers: 0 } as const
  return department === undefined ? hold : { ...hold, department }
}

/**
 * Does a newcomer come after those who wait, once all that is free was given out? After whoever can have a place at all;
 * but where departments have shares, who waits for its own department's sake keeps nobody else from a place, and nobody
 * keeps a department from what is kept for it alone.
 *
 * @param hold the terms of the places that are kept for those who wait
 */
export function isBehind({ pool, tickets }: Line, ask: Ask, hold: LeaseTerms, now: Seconds): boolean {
  if (pool.waiting <= 0) return false
  const { shares } = hold
  // Those further back are not seen: they may wait for what is free.
  if (tickets.length < pool.waiting) return true
  if (shares === undefined) return tickets.some((one) => isPossible(one, hold))
  const lapsed = lapsedIn(pool, now)
  const { short } = allotted(pool, lapsed, tickets, hold, now)
  const [, held] = heldBeside(pool, lapsed.entries)
  const isOwn = isWithinKept(shares, held, ask.department, ask.units)
  return short.some(({ department }) => !isOwn || codeOf(shares, department) === ask.department)
}

/** A pool and its queue. */
export type Line = { readonly pool: Pool; readonly tickets: readonly Ticket[] }

/** The pool and its queue once all that is free is given out: as the next who asks will find them. */
export function served({ pool, tickets }: Line, terms: LeaseTerms, now: Seconds): Line {
  if (pool.waiting <= 0) return { pool, tickets }
  const seen = tickets.slice(0, lookedAt(terms, tickets))
  const serve = serving(pool, seen, terms, now)
  if (serve === undefined) return { pool, tickets }
  const gone = new Set([...serve.dead, ...serve.holds.map(({ ticket }) => ticket)].map(({ ref }) => ref))
  const passed = new Map(serve.overtaken.map((ticket) => [ticket.ref, ticket]))
  const left = tickets.filter(({ ref }) => !gone.has(ref)).map((ticket) => passed.get(ticket.ref) ?? ticket)
  return served({ pool: applied(pool, serve.change), tickets: left }, terms, now)
}

/** Where a ticket stands among those before it, and when the leases it waits for would end. */
export function standingOf(
  ticket: Ticket,
  before: readonly Ticket[],
  pool: Pool,
  now: Seconds,
): { position: number; estimate: Seconds | undefined } {
  const live = before.filter((one) => !isDead(one, now))
  let needed = live.reduce((units, one) => units + one.units, ticket.units)
  const ends = [...pool.entries.values()].toSorted((a, b) => a.until - b.until)
  const end = ends.find((entry) => {
    needed -= entry.units
    return needed <= 0
  })
  return { position: live.length + 1, estimate: end && Math.max(end.until, now) }
}
