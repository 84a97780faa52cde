import type { Entry, Seconds } from './lease-entry.ts'
import { itemOf } from './pool-pages.ts'
import { heldBy } from './shares.ts'

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
  return entry !== undefined && !isOver(entry, now)
}

export const isLapsed = ({ until }: Entry, now: Seconds) => until + DRIFT <= now

/** Is it over for its own holder, who asks again? What was borrowed is at its end: nothing renews it. */
export const isOver = (entry: Entry, now: Seconds) =>
  isBorrow(entry) ? entry.until <= now : isLapsed(entry, now)

/** What is held now. */
export const liveIn = ({ entries }: Pool, now: Seconds): Entry[] =>
  [...entries.values()].filter((entry) => !isLapsed(entry, now))

/** The earliest end of some entries. */
export function earliestEnd(entries: readonly Entry[]): Seconds | undefined {
  return entries.length === 0 ? undefined : Math.min(...entries.map(({ until }) => until + DRIFT))
}

/** AWS: an expression has at most 300 operators and 4 KB, also beside places for 25 who wait of 20 departments. */
const MOST_RECLAIMED = 50
/** AWS: a transaction has at most 100 items, of which those who wait need some, too. */
export const MOST_ITEMS = 20

/** Entries that nobody renewed, as many as one write can take away, and the units they free. */
type Lapsed = {
  readonly entries: Map<string, Entry>
  readonly units: number
  /** There are no more. */
  readonly isAll: boolean
  /** Those that they all lie in. */
  readonly items: number
}

export function lapsedIn(pool: Pool, now: Seconds): Lapsed {
  const all = [...pool.entries].filter(([, entry]) => isLapsed(entry, now))
  // Of many, those first that keep their department from what it may have: no other unit makes up for them.
  const first = all.filter(([, { department }]) => department !== undefined)
  const rest = all.filter(([, { department }]) => department === undefined)
  const items = Map.groupBy([...first, ...rest], ([ref, entry]) => itemOf(ref, entry))
  const some = [...items.values()].slice(0, MOST_ITEMS).flatMap((one) => one.slice(0, MOST_RECLAIMED))
  const entries = new Map(some)
  return { entries, units: unitsOf(entries.values()), isAll: entries.size === all.length, items: items.size }
}

export const unitsOf = (entries: Iterable<Entry>) =>
  [...entries].reduce((units, entry) => units + entry.units, 0)

/** What departments hold, before and after some entries are taken away. */
export function heldBeside(pool: Pool, gone: ReadonlyMap<string, Entry>) {
  const left = [...pool.entries].flatMap(([ref, entry]) => (gone.has(ref) ? [] : [entry]))
  return [heldBy(pool.entries.values()), heldBy(left)] as const
}

export const isBorrow = ({ kind }: Entry) => kind === 'borrow'
