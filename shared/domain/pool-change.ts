import type { Entry, Seconds } from './lease-entry.ts'
import { isBorrow, lapsedIn, MOST_ITEMS, type Pool, unitsOf } from './pool.ts'
import type { Bounds } from './shares.ts'

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
 * What nobody renewed, where it is more than one write takes away, of so many pools at once: it goes first, so that
 * nobody is refused, or let go, for the sake of leases that are over.
 */
export function clearing(pool: Pool, now: Seconds, pools = 1): PoolChange | undefined {
  const { entries: seen, isAll, items } = lapsedIn(pool, now)
  const fits = isAll && items * pools <= MOST_ITEMS
  return fits ? undefined : { put: new Map(), seen, remove: [...seen.keys()] }
}

/** The pool as it is decided on, once that has gone. */
export function cleared(pool: Pool, now: Seconds): Pool {
  const change = clearing(pool, now)
  return change ? cleared(applied(pool, change), now) : pool
}

/**
 * A change and one decided on the pool as it is after it, as one. How many wait is no condition of it: the tickets it
 * takes away are conditions of their own, and one that joins meanwhile asks for itself.
 */
export function together(first: PoolChange, second: PoolChange): PoolChange {
  const put = new Map([...first.put, ...second.put])
  for (const ref of second.remove) put.delete(ref)
  const { waiting: _, held = NO_BOUNDS, ...rest } = { ...first, ...second }
  return {
    ...rest,
    ...(held.size > 0 && { held: shifted(held, first) }),
    put,
    seen: new Map([...second.seen, ...first.seen]),
    remove: [...new Set([...first.remove, ...second.remove])],
    tickets: (first.tickets ?? 0) + (second.tickets ?? 0),
  }
}

const NO_BOUNDS: ReadonlyMap<number, Bounds> = new Map()

/** Bounds of what is held after the first change, as bounds of what is held before it. */
function shifted(held: ReadonlyMap<number, Bounds>, first: PoolChange): Map<number, Bounds> {
  return new Map(
    [...held].map(([code, { atLeast, atMost }]) => {
      const added = balance(first, ({ department }) => department === code)
      return [
        code,
        {
          ...(atLeast !== undefined && { atLeast: atLeast - added }),
          ...(atMost !== undefined && { atMost: atMost - added }),
        },
      ]
    }),
  )
}
