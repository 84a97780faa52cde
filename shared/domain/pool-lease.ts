import { type Entry, LAST_SHARER, nextGeneration, type Seconds } from './lease-entry.ts'
import { isLapsed, lapsedIn, type Pool } from './pool.ts'
import type { PoolChange } from './pool-change.ts'
import type { Offer } from './pool-terms.ts'

/** Seconds in which an answer that was lost is given again to who comes with the id before. */
const REPLAY_WINDOW = 30

/** What has become of the entry that a lease id was made for. */
type Found =
  | { readonly is: 'current' | 'previous'; readonly entry: Entry }
  | { readonly is: 'gone' | 'lapsed' | 'superseded' }

/** Looks for the lease of an id: `held` is the entry as the id has it, `sharer` its bit. */
export function findLease(pool: Pool, ref: string, held: Entry, sharer: number, now: Seconds): Found {
  const entry = pool.entries.get(ref)
  if (entry === undefined || entry.kind === 'hold') return { is: 'gone' }
  if (entry.kind === 'shared') {
    if (entry.generation !== held.generation || (entry.sharers & sharer) === 0) return { is: 'gone' }
    return isLapsed(entry, now) ? { is: 'lapsed' } : { is: 'current', entry }
  }
  const isCurrent = entry.generation === held.generation
  if (!isCurrent && nextGeneration(held.generation) !== entry.generation) return { is: 'superseded' }
  if (isLapsed(entry, now)) return { is: 'lapsed' }
  if (isCurrent) return { is: 'current', entry }
  return now - entry.beat <= REPLAY_WINDOW ? { is: 'previous', entry } : { is: 'superseded' }
}

/** A lease renewed, decided without looking: it is as its id says, and the pool is not overfull. */
export function renewBlindly(ref: string, held: Entry, offer: Offer, fence: number, now: Seconds) {
  const entry = renewed(held, offer.until, now)
  const change: PoolChange = {
    put: new Map([[ref, entry]]),
    seen: new Map([[ref, held]]),
    remove: [],
    limit: offer.limit,
    fence,
  }
  return { entry, change }
}

/**
 * A lease renewed on the pool as it is. Where the pool has become too small for all it holds, because a license ended
 * or was cut, this one goes: each that asks for renewal is let go until the others fit.
 */
export function renew(
  pool: Pool,
  ref: string,
  entry: Entry,
  offers: readonly Offer[],
  now: Seconds,
): { entry: Entry | undefined; change: PoolChange } {
  const lapsed = lapsedIn(pool, now)
  const seen = new Map([...lapsed.entries, [ref, entry]])
  const offer = offers.find(({ limit }) => pool.used - lapsed.units <= limit)
  if (offer === undefined) {
    const usedAbove = mostOf(offers) + lapsed.units
    const change = { put: new Map(), seen, remove: [...seen.keys()], fence: pool.fence, usedAbove }
    return { entry: undefined, change }
  }
  const next = renewed(entry, offer.until, now)
  const change: PoolChange = {
    put: new Map([[ref, next]]),
    seen,
    remove: [...lapsed.entries.keys()],
    limit: offer.limit,
    fence: pool.fence,
  }
  return { entry: next, change }
}

/** The most that may be held, however short the leases. */
export const mostOf = (offers: readonly Offer[]) => Math.max(0, ...offers.map(({ limit }) => limit))

function renewed(entry: Entry, until: Seconds, now: Seconds): Entry {
  const generation = entry.kind === 'shared' ? entry.generation : nextGeneration(entry.generation)
  return { ...entry, until, beat: now, generation }
}

/**
 * A lease given back; a shared one is given back by the last who shares it. How many stand behind the last bit nobody
 * knows, so their unit comes back when none of them renews it.
 */
export function giveBack(ref: string, entry: Entry, sharer: number): PoolChange {
  const gone = sharer === LAST_SHARER ? 0 : sharer
  const left = entry.kind === 'shared' ? entry.sharers & ~gone : 0
  return {
    put: new Map(left === 0 ? [] : [[ref, { ...entry, sharers: left }]]),
    seen: new Map([[ref, entry]]),
    remove: left === 0 ? [ref] : [],
  }
}
