import type { Entry, Seconds } from './lease-entry.ts'
import { isPaging, itemOf } from './pool-pages.ts'
import type { Offer } from './pool-terms.ts'
import { type Bounds, boundsOf, heldBy, isWithinMaximum, keptFromOthers, type ShareTerms } from './shares.ts'

/**
 * A pool as stored. `used` counts the units of all entries, lapsed ones too until somebody takes them away: an upper
 * bound, so that a condition on it can never grant too much.
 */
export type Pool = {
  /** Raised by every change of a license; see store/fence.ts. */
  readonly fence: number
  readonly used: number
  /** Tickets in the queue, dead ones too until somebody takes them away. */
  readonly waiting: number
  /** Units of the `borrow` entries. */
  readonly borrowed: number
  /** How many entries lie in its item, and how many on its pages; see pool-pages.ts. */
  readonly inItem: number
  readonly paged: number
  /** By reference. */
  readonly entries: ReadonlyMap<string, Entry>
  /** Who asked for the last change; see lease-events.ts. */
  readonly last: unknown
  /** The same of its pages. */
  readonly lastOfPages?: readonly unknown[]
}

/**
 * Seconds by which clocks may differ: the holder stops at the end it was told, the unit is free this much later
 * (licensing-semantics.md, sections 7 and 8).
 */
const DRIFT = 30

/** Has it this entry now? One that has lapsed is the next one's. */
export function isHolding(pool: Pool, ref: string, now: Seconds): boolean {
  const entry = pool.entries.get(ref)
  return entry !== undefined && !isLapsed(entry, now)
}

export const isLapsed = ({ until }: Entry, now: Seconds) => until + DRIFT <= now

/** The earliest end of some entries. */
export function earliestEnd(entries: readonly Entry[]): Seconds | undefined {
  return entries.length === 0 ? undefined : Math.min(...entries.map(({ until }) => until + DRIFT))
}

/** AWS: an expression has at most 300 operators and 4 KB; the rest is for the next who looks. */
const MOST_RECLAIMED = 60
/** AWS: a transaction has at most 100 items, of which those who wait need some, too. */
const MOST_ITEMS = 20

/** The entries that nobody renewed, and the units they free. */
export function lapsedIn(pool: Pool, now: Seconds): { entries: Map<string, Entry>; units: number } {
  const all = [...pool.entries].filter(([, entry]) => isLapsed(entry, now))
  // Of many, those first that keep their department from what it may have: no other unit makes up for them.
  const first = all.filter(([, { department }]) => department !== undefined)
  const rest = all.filter(([, { department }]) => department === undefined)
  const items = Map.groupBy([...first, ...rest], ([ref, entry]) => itemOf(ref, entry))
  const some = [...items.values()].slice(0, MOST_ITEMS).flatMap((one) => one.slice(0, MOST_RECLAIMED))
  const entries = new Map(some)
  return { entries, units: unitsOf(entries.values()) }
}

export const unitsOf = (entries: Iterable<Entry>) =>
  [...entries].reduce((units, entry) => units + entry.units, 0)

/**
 * A change of a pool, made on conditions rather than on a lock: what it takes away must be as it was seen, what it adds
 * must not be there, and the units then held must be within `limit`.
 */
export type PoolChange = {
  readonly put: ReadonlyMap<string, Entry>
  /** What `put` replaces and `remove` takes away, as it was seen. */
  readonly seen: ReadonlyMap<string, Entry>
  readonly remove: readonly string[]
  /** How many may be held afterwards; absent for a change that only gives back. */
  readonly limit?: number
  /** How many units may be borrowed afterwards. */
  readonly borrowLimit?: number
  /** What departments must hold before, by code; see shares.ts. */
  readonly held?: ReadonlyMap<number, Bounds>
  /** Whether what is new lies on a page: must be so still. */
  readonly paging?: boolean
  /** Only while the licenses are those the limit was computed from. */
  readonly fence?: number
  /** Tickets that must be waiting; absent where it does not matter. */
  readonly waiting?: number
  /** Fewer tickets than this must be waiting. */
  readonly waitingBelow?: number
  /** More than this must be held before: where one goes because there is not enough for all, and others may have gone. */
  readonly usedAbove?: number
  /** How many must be held before: where those who wait were looked at, and what else is freed may be what they need. */
  readonly usedBefore?: number
  /** Tickets that come and go with this change. */
  readonly tickets?: number
}

/** Units that a change adds; negative if it frees some. `of` picks the entries that count. */
export function balance({ put, seen }: PoolChange, of: (entry: Entry) => boolean = () => true): number {
  return unitsOf([...put.values()].filter(of)) - unitsOf([...seen.values()].filter(of))
}

/** What is asked of a pool. */
export type Ask = {
  readonly ref: string
  readonly units: number
  readonly kind: 'lease' | 'shared' | 'borrow'
  /** Tells this check-out from earlier ones under the same reference; 16 bits. */
  readonly generation: number
  /** Units that may be borrowed at once. */
  readonly borrowLimit?: number
  /** The code of the department that asks, if it has a share. */
  readonly department?: number | undefined
}

/** `sharer` is the bit of this one among those who share; `heldBefore`, that the unit was its own, or shared, before. */
type Granted = { readonly entry: Entry; readonly sharer: number; readonly heldBefore: boolean }

export type Grant =
  | ({ readonly outcome: 'granted'; readonly change: PoolChange } & Granted)
  /** Asked before: it is this one's already. */
  | ({ readonly outcome: 'held' } & Granted)
  /** There are no units, or those that are free are kept for other departments, or its own has all it may have. */
  | { readonly outcome: 'full'; readonly because: 'units' | 'kept' | 'quota' | 'borrowed' }

/**
 * The grant as it is in the normal case, decided without looking: nothing lapsed, nobody waits, the first offer fits,
 * nothing is shared out, and new leases lie where they did (`paging`). The conditions of the change tell whether that was
 * so.
 */
export function grantBlindly(ask: Ask, offer: Offer, fence: number, paging: boolean, now: Seconds): Grant {
  const entry = entryOf(ask, offer, paging, now)
  return {
    outcome: 'granted',
    entry,
    sharer: entry.sharers,
    heldBefore: false,
    change: {
      put: new Map([[ask.ref, entry]]),
      seen: new Map(),
      remove: [],
      limit: offer.limit,
      paging,
      fence,
      waiting: 0,
      ...(ask.borrowLimit !== undefined && { borrowLimit: ask.borrowLimit }),
    },
  }
}

/** The grant on the pool as it is; what has lapsed is taken away by the same write and blocks nobody. */
export function grant(
  pool: Pool,
  ask: Ask,
  offers: readonly Offer[],
  now: Seconds,
  shares?: ShareTerms,
): Grant {
  const own = pool.entries.get(ask.ref)
  if (own !== undefined && !isLapsed(own, now)) return again(pool, ask, own, offers, now)
  const lapsed = lapsedIn(pool, now)
  // Its own lapsed entry is replaced, whether or not it is among those taken away.
  const seen = own === undefined ? lapsed.entries : new Map([...lapsed.entries, [ask.ref, own]])
  const units = pool.used - unitsOf(seen.values()) + ask.units
  const [before, held] = shares ? heldBeside(pool, seen) : NOBODY
  if (!isWithinMaximum(shares, held, ask.department, ask.units)) return { outcome: 'full', because: 'quota' }
  const kept = keptFromOthers(shares, held, ask.department)
  const offer = offers.find(({ limit }) => units <= limit - kept)
  if (offer === undefined)
    return { outcome: 'full', because: offers.some(({ limit }) => units <= limit) ? 'kept' : 'units' }
  const freed = [...lapsed.entries.values()].filter(({ paged }) => !paged).length
  // What takes the place of another lies where that lay.
  const paging = own === undefined ? isPaging(pool, 1 - freed) : own.paged === true
  const entry = entryOf(ask, offer, paging, now)
  const change: PoolChange = {
    put: new Map([[ask.ref, entry]]),
    seen,
    remove: [...seen.keys()].filter((ref) => ref !== ask.ref),
    limit: offer.limit - kept,
    ...(own === undefined && { paging }),
    fence: pool.fence,
    waiting: pool.waiting,
    ...(shares && { held: boundsOf(shares, before, held, heldBy([entry])) }),
    ...(ask.borrowLimit !== undefined && { borrowLimit: ask.borrowLimit }),
  }
  if (ask.borrowLimit !== undefined && pool.borrowed + balance(change, isBorrow) > ask.borrowLimit)
    return { outcome: 'full', because: 'borrowed' }
  return { outcome: 'granted', entry, sharer: entry.sharers, heldBefore: false, change }
}

const NOBODY = [new Map<number, number>(), new Map<number, number>()] as const

/** What departments hold, before and after some entries are taken away. */
export function heldBeside(pool: Pool, gone: ReadonlyMap<string, Entry>) {
  const left = [...pool.entries].flatMap(([ref, entry]) => (gone.has(ref) ? [] : [entry]))
  return [heldBy(pool.entries.values()), heldBy(left)] as const
}

export const isBorrow = ({ kind }: Entry) => kind === 'borrow'

/** All bits of a `shared` entry. */
const SHARERS = 16

/** The same holder again: it has its unit already; who shares one gets a bit of its own, and renews it. */
function again(pool: Pool, ask: Ask, own: Entry, offers: readonly Offer[], now: Seconds): Grant {
  if (own.kind !== 'shared' || ask.kind !== 'shared')
    return { outcome: 'held', entry: own, sharer: 0, heldBefore: true }
  const offer = offers.find(({ limit }) => pool.used <= limit)
  const sharer = nextSharer(own.sharers)
  const entry: Entry = {
    ...own,
    sharers: own.sharers | sharer,
    ...(offer && { until: Math.max(own.until, offer.until), beat: now }),
  }
  return {
    outcome: 'granted',
    entry,
    sharer,
    heldBefore: true,
    change: {
      put: new Map([[ask.ref, entry]]),
      seen: new Map([[ask.ref, own]]),
      remove: [],
      fence: pool.fence,
    },
  }
}

/** The first bit that is free; the last one is for all who come after. */
function nextSharer(sharers: number): number {
  for (let bit = 0; bit < SHARERS - 1; bit += 1) if ((sharers & (1 << bit)) === 0) return 1 << bit
  return 1 << (SHARERS - 1)
}

function entryOf(ask: Ask, { until, overdraft }: Offer, paging: boolean, now: Seconds): Entry {
  const { kind, units, generation, department } = ask
  return {
    kind,
    units,
    overdraft,
    until,
    beat: now,
    generation,
    sharers: kind === 'shared' ? 1 : 0,
    ...(department !== undefined && { department }),
    ...(paging && { paged: true }),
  }
}

/** The pool as it will be after a change. */
export function applied(pool: Pool, change: PoolChange): Pool {
  const entries = new Map(pool.entries)
  for (const ref of change.remove) entries.delete(ref)
  for (const [ref, entry] of change.put) entries.set(ref, entry)
  const paged = [...entries.values()].filter((entry) => entry.paged).length
  return {
    ...pool,
    used: pool.used + balance(change),
    borrowed: pool.borrowed + balance(change, isBorrow),
    inItem: entries.size - paged,
    paged,
    waiting: pool.waiting + (change.tickets ?? 0),
    entries,
  }
}

/**
 * A change and one decided on the pool as it is after it, as one. How many wait is no condition of it: the tickets it
 * takes away are conditions of their own, and one that joins meanwhile asks for itself.
 */
export function together(first: PoolChange, second: PoolChange): PoolChange {
  const put = new Map([...first.put, ...second.put])
  for (const ref of second.remove) put.delete(ref)
  const { waiting: _, ...rest } = { ...first, ...second }
  return {
    ...rest,
    put,
    seen: new Map([...second.seen, ...first.seen]),
    remove: [...new Set([...first.remove, ...second.remove])],
    tickets: (first.tickets ?? 0) + (second.tickets ?? 0),
  }
}
