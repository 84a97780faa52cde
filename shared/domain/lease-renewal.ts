import type { Entry, Seconds } from './lease-entry.ts'
import type { Pool } from './pool.ts'
import type { PoolChange } from './pool-change.ts'
import { findLease, renew } from './pool-lease.ts'
import type { Offer } from './pool-terms.ts'

/** A lease as its id has it: its reference, its bit among those who share it, its entry in each pool. */
export type LeaseAsIssued = {
  readonly ref: string
  readonly sharer: number
  readonly entries: readonly (readonly [metric: string, entry: Entry])[]
}

/** What a heartbeat comes to. */
export type Renewal =
  | { readonly is: 'lapsed' | 'superseded' }
  /** An id that was just replaced: its answer is given again. */
  | { readonly is: 'again'; readonly entries: [string, Entry][] }
  | {
      readonly is: 'renewed'
      readonly changes: ReadonlyMap<string, PoolChange>
      readonly entries: [string, Entry][]
    }
  /** A pool has become too small for all it holds: the lease goes, and is told that it lapsed. */
  | { readonly is: 'too-many'; readonly changes: ReadonlyMap<string, PoolChange> }

/** The heartbeat of a lease on its pools as they are; `offers` are the ways to renew in each of them, in their order. */
export function renewal(
  { ref, sharer, entries }: LeaseAsIssued,
  pools: ReadonlyMap<string, Pool>,
  offers: readonly (readonly Offer[])[],
  now: Seconds,
): Renewal {
  const changes = new Map<string, PoolChange>()
  const asFound: [string, Entry][] = []
  const renewed: [string, Entry][] = []
  let isPrevious = false
  let isTooMany = false
  for (const [index, [metric, held]] of entries.entries()) {
    const pool = pools.get(metric)
    if (pool === undefined) return { is: 'lapsed' }
    const found = findLease(pool, ref, held, sharer, now)
    if (found.is === 'superseded') return { is: 'superseded' }
    if (!('entry' in found)) return { is: 'lapsed' }
    isPrevious ||= found.is === 'previous'
    const { entry, change } = renew(pool, ref, found.entry, offers[index] ?? [], now)
    isTooMany ||= entry === undefined
    changes.set(metric, change)
    asFound.push([metric, found.entry])
    if (entry !== undefined) renewed.push([metric, entry])
  }
  if (isPrevious) return { is: 'again', entries: asFound }
  return isTooMany ? { is: 'too-many', changes } : { is: 'renewed', changes, entries: renewed }
}
