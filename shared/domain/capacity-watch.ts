import * as z from 'zod'
import { ProductId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import type { Pool } from './entitlement.ts'
import type { EventType } from './event-types.ts'
import type { Excess } from './seat-excess.ts'
import { Code } from './terms.ts'

/** Points below a threshold at which it is cleared, so that use that goes up and down about it is told once. */
const HYSTERESIS = 5

/** What was last told of a pool. */
export const CapacityLevel = z.strictObject({
  productId: ProductId,
  metric: Code,
  /** The highest threshold that was reached and not cleared, in percent; 0 for none. */
  reached: z.int().min(0),
  /** More was in use than licensed; `overdue`: and the time to cure it was over. */
  excess: z.enum(['none', 'curing', 'overdue']),
  /** When the time to cure it began. */
  since: Instant.optional(),
})
export type CapacityLevel = z.infer<typeof CapacityLevel>

/** A pool as the overview shows it, and what of its use is more than licensed. */
export type WatchedPool = {
  readonly productId: ProductId
  readonly product: string
  readonly pool: Pick<Pool, 'metric' | 'capacity' | 'used' | 'utilization'>
  /** Absent where nothing is, or where that is no wrong (a counter's overage). */
  readonly excess: Excess | undefined
}

/** Something to tell of a pool. */
type CapacityChange = {
  readonly type: Extract<EventType, `capacity.${string}`>
  readonly productId: ProductId
  readonly metric: string
  readonly after: Readonly<Record<string, unknown>>
}

/**
 * What is to be told of a pool, each crossing once: a threshold is reached by use at or above it, and cleared by use
 * five points below, or none. A jump over several is told as the highest; so is a fall, with the threshold that stays reached.
 *
 * @param thresholds percent of the capacity
 */
export function watchPool(
  { productId, product, pool, excess }: WatchedPool,
  known: CapacityLevel | undefined,
  thresholds: readonly number[],
): { level: CapacityLevel; changes: CapacityChange[] } {
  const { metric, capacity, used, utilization } = pool
  const before = known ?? { productId, metric, reached: 0, excess: 'none' }
  const held = thresholds.filter((one) => one <= before.reached && isAt(pool, one - HYSTERESIS))
  const reached = Math.max(0, ...held, ...thresholds.filter((one) => isAt(pool, one)))
  const since = excess && { since: excess.since }
  const level: CapacityLevel = { productId, metric, reached, excess: stateOf(excess), ...since }
  const facts = { productId, product, metric, used, capacity, utilization }
  const changes: CapacityChange[] = []
  if (reached > before.reached) tell('capacity.reached', { threshold: reached })
  if (reached < before.reached)
    tell('capacity.cleared', { threshold: before.reached, ...(reached > 0 && { stillAt: reached }) })
  if (excess && before.excess === 'none')
    tell('capacity.over-allocated', {
      excess: excess.seats,
      since: excess.since,
      cureUntil: excess.cureUntil,
    })
  if (excess?.isOverdue && before.excess !== 'overdue')
    tell('capacity.cure-overdue', { excess: excess.seats, cureUntil: excess.cureUntil })
  if (!excess && before.excess !== 'none') tell('capacity.cured', {})
  return { level, changes }

  function tell(type: CapacityChange['type'], more: Readonly<Record<string, unknown>>): void {
    changes.push({ type, productId, metric, after: { ...facts, ...more } })
  }
}

/** Nothing was told of it, or nothing that still holds: such a level need not be kept. */
export const isQuiet = ({ reached, excess }: CapacityLevel) => reached === 0 && excess === 'none'

/** Is so many percent of the capacity in use? Not of the rounded figure: 79.6 % is not 80 %. Any use of none is. */
const isAt = ({ capacity, used }: Pick<Pool, 'capacity' | 'used'>, percent: number): boolean =>
  capacity !== 'unlimited' && used > 0 && used * 100 >= percent * capacity

const stateOf = (excess: Excess | undefined): CapacityLevel['excess'] =>
  excess === undefined ? 'none' : excess.isOverdue ? 'overdue' : 'curing'
