import type { Entry, Seconds } from './lease-entry.ts'
import type { LeaseTerms } from './lease-terms.ts'
import { applied, lapsedIn, type Pool, type PoolChange } from './pool.ts'
import type { Offer } from './pool-terms.ts'
import { type Allotment, allot, isDead, type Ticket } from './ticket.ts'

/** Tickets looked at in one go: each can be two writes of the 100 of a transaction. */
export const LOOKED_AT = 25

/** Tickets counted before one; beyond, its position is told as at least this. */
export const COUNTED = 200

/** What becomes of free places and of the head of the queue. */
export type Serving = Allotment<Offer> & { readonly change: PoolChange }

/**
 * Gives what is free to those who wait, as holds, and takes away the tickets nobody waits for; undefined if there is
 * nothing to do.
 *
 * @param tickets the first of the queue, `LOOKED_AT` at most
 * @param terms those of a hold
 */
export function serving(
  pool: Pool,
  tickets: readonly Ticket[],
  { size, offers }: LeaseTerms,
  now: Seconds,
): Serving | undefined {
  const lapsed = lapsedIn(pool, now)
  const used = pool.used - lapsed.units
  const allotment = allot(
    tickets,
    now,
    (units, given) => offers.find(({ limit }) => used + given + units <= limit),
    (units) => units <= size.limit,
  )
  const { holds, dead } = allotment
  if (holds.length + dead.length === 0) return undefined
  const put = holds.map(({ ticket, offer }): [string, Entry] => [ticket.ref, holdOf(ticket, offer, now)])
  const change: PoolChange = {
    put: new Map(put),
    seen: lapsed.entries,
    remove: [...lapsed.entries.keys()],
    ...(holds.length > 0 && { limit: Math.max(...holds.map(({ offer }) => offer.limit)) }),
    fence: pool.fence,
    tickets: -(holds.length + dead.length),
  }
  return { ...allotment, change }
}

function holdOf({ units }: Ticket, { overdraft, until }: Offer, beat: Seconds): Entry {
  return { kind: 'hold', units, overdraft, until, beat, generation: 0, sharers: 0 }
}

/** A pool and its queue. */
export type Line = { readonly pool: Pool; readonly tickets: readonly Ticket[] }

/** The pool and its queue once all that is free is given out: as the next who asks will find them. */
export function served({ pool, tickets }: Line, terms: LeaseTerms, now: Seconds): Line {
  if (pool.waiting <= 0) return { pool, tickets }
  const serve = serving(pool, tickets.slice(0, LOOKED_AT), terms, now)
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
