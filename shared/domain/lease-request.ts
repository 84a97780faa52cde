import type { Entry, Seconds } from './lease-entry.ts'
import type { LeaseTerms } from './lease-terms.ts'
import { isHolding, isLapsed, lapsedIn, type Pool } from './pool.ts'
import type { PoolChange } from './pool-change.ts'
import { type Ask, grant } from './pool-grant.ts'
import { mostOf } from './pool-lease.ts'
import { isPaging } from './pool-pages.ts'
import type { Offer } from './pool-terms.ts'
import { isBehind, type Line, served } from './queue.ts'

/** What a check-out of one pool comes to. */
export type CheckedOut =
  | { readonly is: 'granted'; readonly entry: Entry; readonly heldBefore: boolean }
  /** Others wait, or there is no place, or none for this department. */
  | { readonly is: 'full'; readonly line: Line; readonly because: 'units' | 'kept' | 'quota' | 'borrowed' }
  /** No license gives any. */
  | { readonly is: 'none' }

/**
 * What a check-out comes to on a pool as it is. Those who wait come first: what is free is theirs, and a newcomer gets
 * what they leave. Told for one pool by the rules that functions/leases/check-out.ts takes, write by write.
 *
 * @param hold the terms of the places that are kept for those who wait
 */
export function checkedOut(
  line: Line | undefined,
  ask: Ask,
  terms: LeaseTerms,
  hold: LeaseTerms,
  now: Seconds,
): CheckedOut {
  if (line === undefined || terms.size.limit === 0) return { is: 'none' }
  const isNew = !isHolding(line.pool, ask.ref, now)
  const left = isNew ? served(line, hold, now) : line
  if (isNew && isBehind(left, ask, hold, now)) return { is: 'full', line: left, because: 'units' }
  const found = grant(left.pool, ask, terms.offers, now, terms.shares)
  if (found.outcome === 'full') return { is: 'full', line: left, because: found.because }
  return { is: 'granted', entry: found.entry, heldBefore: found.heldBefore }
}

/** Seconds in which a claim whose answer was lost is answered again. */
const ANSWERED_AGAIN = 30

/** What the claim of a ticket comes to. */
type Claim =
  /** Claimed just now. */
  | { readonly is: 'again'; readonly entry: Entry }
  /** No place is held for it: it waits, or is over. */
  | { readonly is: 'not-held' }
  | { readonly is: 'claimed'; readonly entry: Entry; readonly change: PoolChange }
  /** The pool has shrunk since: the place that was held is gone. */
  | { readonly is: 'lost'; readonly change: PoolChange }

export function claim(pool: Pool, ref: string, offers: readonly Offer[], now: Seconds): Claim {
  const held = pool.entries.get(ref)
  if (held?.kind === 'lease' && held.generation === 0 && now - held.beat <= ANSWERED_AGAIN)
    return { is: 'again', entry: held }
  if (held?.kind !== 'hold' || isLapsed(held, now)) return { is: 'not-held' }
  const lapsed = lapsedIn(pool, now)
  const offer = offers.find(({ limit }) => pool.used - lapsed.units <= limit)
  const change: PoolChange = {
    put: new Map(),
    seen: new Map([...lapsed.entries, [ref, held]]),
    remove: [...lapsed.entries.keys(), ...(offer ? [] : [ref])],
    fence: pool.fence,
  }
  if (offer === undefined)
    return { is: 'lost', change: { ...change, usedAbove: mostOf(offers) + lapsed.units } }
  const { limit, until, overdraft } = offer
  // A place that is held lies in the item, whatever it becomes.
  const paged = isPaging(pool, 0) && ({ paged: true } as const)
  const entry: Entry = { ...held, kind: 'lease', until, beat: now, overdraft, ...paged }
  return { is: 'claimed', entry, change: { ...change, put: new Map([[ref, entry]]), limit } }
}
