import type { Instant } from '../platform/time.ts'
import { type Activation, hashesOf } from './activation.ts'
import type { Size } from './overdraft.ts'

/** The counts of a pool of machines, as stored. */
export type MachinePool = {
  /** Raised by every change of a license; see store/fence.ts. */
  readonly fence: number
  /** Rows of activations: those that died count until somebody takes their place. */
  readonly used: number
  /** Rows that are flagged as overdraft. */
  readonly overdrawn: number
  /** Places that a deactivation freed and nobody has taken since; kept where deactivations are limited. */
  readonly freed: number
  /** When a freed place went to a machine not seen before, oldest first, as far as it still counts. */
  readonly moves: readonly Instant[]
}

/** How a machine can get a place. */
type Place =
  | { readonly found: true; readonly overdraft: boolean; readonly reclaim: readonly Activation[] }
  /** There are places once these are taken away; they are too many for one transaction. */
  | { readonly found: false; readonly makeWay: readonly Activation[] }
  | { readonly found: false; readonly makeWay?: never }

/** AWS: 100 items in a transaction; the rest is for the pool, the new row, its fingerprints, promotions, events, reply. */
const MOST_RECLAIMED_ITEMS = 50

/**
 * Looks for a place: a free one within the capacity, else that of dead machines, and only then one of the overdraft.
 * `owed` are dead machines that have to go in any case, because the new one has one of their components.
 */
export function findPlace(
  { used }: Pick<MachinePool, 'used'>,
  { capacity, limit }: Size,
  owed: readonly Activation[],
  dead: readonly Activation[],
): Place {
  const others = dead.filter((one) => !owed.some(({ id }) => id === one.id))
  const all = [...owed, ...others]
  /** How many have to go so that one more stays within so many. */
  const short = (most: number) => Math.max(owed.length, used + 1 - most)
  const overdraft = short(capacity) > all.length
  const wanted = overdraft ? short(limit) : short(capacity)
  if (wanted > all.length) return { found: false }
  const reclaim = all.slice(0, wanted)
  const fitting = withinTransaction(reclaim)
  return fitting.length < reclaim.length
    ? { found: false, makeWay: fitting }
    : { found: true, overdraft, reclaim }
}

/** As many as one transaction can take away: the row, an event and a fingerprint per component each. */
export function withinTransaction(
  activations: readonly Activation[],
  most = MOST_RECLAIMED_ITEMS,
): Activation[] {
  const fitting: Activation[] = []
  let items = 0
  for (const activation of activations) {
    items += 2 + hashesOf(activation).length
    if (items > most) break
    fitting.push(activation)
  }
  return fitting
}

/** The rest of the transaction has room for so many; what remains is for the next change of the pool. */
const MOST_PROMOTED = 5

/**
 * How many overdraft grants have a place within the capacity once a change is made: a place inside it was freed, or the
 * capacity grew. `change` is what it adds to the counts of the pool.
 */
export function promotable(
  { used, overdrawn }: Pick<MachinePool, 'used' | 'overdrawn'>,
  { capacity }: Pick<Size, 'capacity'>,
  change: { used: number; overdrawn: number },
): number {
  const beyond = Math.max(0, used + change.used - capacity)
  return Math.min(MOST_PROMOTED, Math.max(0, overdrawn + change.overdrawn - beyond))
}
