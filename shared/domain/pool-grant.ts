import { type Entry, LAST_SHARER, type Seconds } from './lease-entry.ts'
import { heldBeside, isBorrow, isOver, lapsedIn, type Pool, unitsOf } from './pool.ts'
import { balance, type PoolChange } from './pool-change.ts'
import { isPaging } from './pool-pages.ts'
import type { Offer } from './pool-terms.ts'
import { boundsOf, heldBy, isWithinMaximum, keptFromOthers, type ShareTerms } from './shares.ts'

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
  /** Bits of those who share the unit in any pool of the request: this one has one bit in all of them. */
  readonly taken?: number
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
  if (own !== undefined && !isOver(own, now)) return again(pool, ask, own, offers, now)
  const lapsed = lapsedIn(pool, now)
  // Its own entry that is over is replaced, whether or not it is among those taken away.
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

/** Those who share the entry of a name in some pools. */
export const sharersIn = (pools: Iterable<Pool>, ref: string): number =>
  [...pools].reduce((bits, { entries }) => bits | (entries.get(ref)?.sharers ?? 0), 0)

/** The same holder again: it has its unit already; who shares one gets a bit of its own, and renews it. */
function again(pool: Pool, ask: Ask, own: Entry, offers: readonly Offer[], now: Seconds): Grant {
  if (own.kind !== 'shared' || ask.kind !== 'shared')
    return { outcome: 'held', entry: own, sharer: 0, heldBefore: true }
  const lapsed = lapsedIn(pool, now)
  const offer = offers.find(({ limit }) => pool.used - lapsed.units <= limit)
  const sharer = nextSharer(own.sharers | (ask.taken ?? 0))
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
      seen: new Map([...lapsed.entries, [ask.ref, own]]),
      remove: [...lapsed.entries.keys()],
      ...(offer && { limit: offer.limit }),
      fence: pool.fence,
    },
  }
}

/** The first bit that is free; the last one is for all who come after. */
function nextSharer(sharers: number): number {
  let sharer = 1
  while (sharer < LAST_SHARER && (sharers & sharer) !== 0) sharer *= 2
  return sharer
}

function entryOf(ask: Ask, { until, overdraft }: Offer, paging: boolean, now: Seconds): Entry {
  const { kind, units, generation, department, taken = 0 } = ask
  return {
    kind,
    units,
    overdraft,
    until,
    beat: now,
    generation,
    sharers: kind === 'shared' ? nextSharer(taken) : 0,
    ...(department !== undefined && { department }),
    ...(paging && { paged: true }),
  }
}
