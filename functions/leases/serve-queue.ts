import { lastOf } from '../../shared/domain/lease-last.ts'
import type { Pool } from '../../shared/domain/pool.ts'
import { applied, type PoolChange, together } from '../../shared/domain/pool-change.ts'
import type { Ask } from '../../shared/domain/pool-grant.ts'
import type { Offer } from '../../shared/domain/pool-terms.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { COUNTED, isBehind, lookedAt, type Serving, serving } from '../../shared/domain/queue.ts'
import { isDead, LOOKED_AT, type Ticket } from '../../shared/domain/ticket.ts'
import type { Instant } from '../../shared/platform/time.ts'
import type { PoolAddress } from '../../shared/store/pool.ts'
import {
  giveUp,
  joinQueue,
  keepHeld,
  leaveQueue,
  readQueue,
  setOvertaken,
} from '../../shared/store/ticket.ts'
import type { Action } from '../../shared/store/transact.ts'
import type { CommitRequest } from '../services.ts'
import type { Grounds } from './grounds.ts'
import { holdOffersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import type { Step } from './settle.ts'

/** A change of a pool, with what it does to the queue. */
export type Served = { readonly change: PoolChange; readonly beside: Readonly<Record<string, Action>> }

const NOTHING: PoolChange = { put: new Map(), seen: new Map(), remove: [] }

/** A pool and its queue, as one who asks finds them. */
type Looked = {
  /** What is to be given out, or taken away, first. */
  readonly served: Served | undefined
  /** The queue was read after the pool, and somebody has left it meanwhile: look again. */
  readonly isOutdated: boolean
  /** Has who asks for this to wait for those in the queue? See shared/domain/queue.ts. */
  readonly isBehind: (ask: Ask) => boolean
}

/**
 * Gives what is free to those who wait, as holds, and takes away the tickets nobody waits for: beside another change of
 * the pool, or on its own. Undefined if there is nothing to do. What frees a place gives it on by the same transaction,
 * so that no newcomer can take it in between.
 */
export async function serveQueue(
  address: PoolAddress,
  pool: Pool,
  grounds: Grounds,
  now: Instant,
  services: LeaseServices,
  first: PoolChange = NOTHING,
): Promise<Served | undefined> {
  return (await lookAtQueue(address, pool, grounds, now, services, first)).served
}

/** The same, with what it means for a newcomer. */
export async function lookAtQueue(
  address: PoolAddress,
  pool: Pool,
  grounds: Grounds,
  now: Instant,
  services: LeaseServices,
  first: PoolChange = NOTHING,
): Promise<Looked> {
  const then = applied(pool, first)
  if (then.waiting <= 0) return { served: undefined, isOutdated: false, isBehind: () => false }
  const terms = holdOffersOf(grounds, address.metric, now, services)
  const head = await readQueue(services.table, address, lookedAt(terms))
  const most = lookedAt(terms, head)
  const tickets = most > lookedAt(terms) ? await readQueue(services.table, address, most) : head
  const serve = serving(then, tickets, terms, seconds(now))
  return {
    served: serve && servedBy(serve, address, first),
    isOutdated: tickets.length < Math.min(then.waiting, most),
    isBehind: (ask) => isBehind({ pool: then, tickets }, ask, terms, seconds(now)),
  }
}

/** Takes away those of the queue who stopped asking, also behind the first; undefined if none of those counted has. */
export async function forgetDead(
  address: PoolAddress,
  now: Instant,
  { table }: LeaseServices,
): Promise<Served | undefined> {
  const dead = (await readQueue(table, address, COUNTED)).filter((one) => isDead(one, seconds(now)))
  const some = dead.slice(0, LOOKED_AT)
  if (some.length === 0) return undefined
  return {
    change: { ...NOTHING, tickets: -some.length },
    beside: Object.fromEntries(some.map((one) => [`waited ${one.ref}`, giveUp(address, one)])),
  }
}

/**
 * A change that frees places, with what it gives on to those who wait. On condition that nothing else was freed since:
 * of several who give back at once each sees too little for a ticket of several units, and the last has to see it all.
 */
export async function giveOn(
  address: PoolAddress,
  pool: Pool,
  grounds: Grounds,
  now: Instant,
  services: LeaseServices,
  freeing: PoolChange,
): Promise<Served> {
  const served = await serveQueue(address, pool, grounds, now, services, freeing)
  const { change, beside } = served ?? { change: freeing, beside: {} }
  return {
    change: pool.waiting > 0 ? { ...change, usedBefore: pool.used } : { ...change, waiting: 0 },
    beside,
  }
}

/** What becomes of a queue by one that joins it, and of that one. */
type Joined = { readonly served: Served } & (
  | { readonly held: Offer }
  /** The ticket as it waits then, and those before it. */
  | { readonly waits: Ticket; readonly before: readonly Ticket[] }
)

/**
 * One joins the queue, and what is free is given out, all in one transaction: so its answer holds, also when it is given
 * again. Undefined where somebody has left the queue since the pool was read: look again.
 */
export async function joinServed(
  address: PoolAddress,
  pool: Pool,
  ticket: Ticket,
  grounds: Grounds,
  now: Instant,
  services: LeaseServices,
): Promise<Joined | undefined> {
  const joining: PoolChange = { ...NOTHING, fence: pool.fence, tickets: 1 }
  const terms = holdOffersOf(grounds, address.metric, now, services)
  const waiting = pool.waiting > 0 ? await readQueue(services.table, address, COUNTED) : []
  if (waiting.length < Math.min(pool.waiting, COUNTED)) return undefined
  const line = [...waiting, ticket].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const serve = serving(applied(pool, joining), line.slice(0, lookedAt(terms, line)), terms, seconds(now))
  const { change, beside } = serve
    ? servedBy(serve, address, joining, ticket)
    : { change: joining, beside: {} }
  const isOwn = ({ ref }: Ticket) => ref === ticket.ref
  const held = serve?.holds.find((one) => isOwn(one.ticket))?.offer
  if (held !== undefined) return { served: { change, beside }, held }
  const waits = serve?.overtaken.find(isOwn) ?? ticket
  const gone = new Set([...(serve?.dead ?? []), ...(serve?.holds ?? []).map((one) => one.ticket)])
  return {
    served: {
      // Who is told to wait waits for what is freed from now on.
      change: { ...change, usedBefore: pool.used },
      beside: { ...beside, ticket: joinQueue(address, waits) },
    },
    waits,
    before: line.slice(0, line.indexOf(ticket)).filter((one) => !gone.has(one)),
  }
}

const keyOf = ({ order, ref }: Ticket) => `${order}#${ref}`

/** `newcomer`: has no row in the queue yet. */
function servedBy(
  { change, holds, dead, overtaken }: Serving,
  address: PoolAddress,
  first: PoolChange,
  newcomer?: Ticket,
): Served {
  const waited = ({ ref }: Ticket) => ref !== newcomer?.ref
  const served = holds.map(({ ticket }) => ticket).filter(waited)
  const beside = Object.fromEntries<Action>([
    ...served.map((ticket) => [`waited ${ticket.ref}`, leaveQueue(address, ticket)] as const),
    ...dead.map((ticket) => [`waited ${ticket.ref}`, giveUp(address, ticket)] as const),
    ...holds.map(
      ({ ticket, offer }) => [`held ${ticket.ref}`, keepHeld(address, ticket, offer.until)] as const,
    ),
    ...overtaken
      .filter(waited)
      .map((ticket) => [`overtaken ${ticket.ref}`, setOvertaken(address, ticket)] as const),
  ])
  return { change: together(first, change), beside }
}

/** Those who wait get what is free, then it is decided again. */
export function makeWay(call: CommitRequest, metric: string, served: Served | undefined): Step<never> {
  if (served === undefined) return { changes: new Map(), again: true }
  const changes = new Map([[metric, served.change]])
  return { changes, beside: served.beside, last: lastOf('serve', '', call), again: true }
}
