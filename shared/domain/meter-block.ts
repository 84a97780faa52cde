import type { Meter } from './meter.ts'

/** How many shards a counter of high rate has: in AWS each takes up to 500 batches a second. */
export const SHARDS = 16

/** The largest block, in additions like the one that takes it: so one in 64 writes to the counter. */
const ADDITIONS = 64

/** What all shards have in hand is at most 16/1024 of what was counted, 1.6 %. */
const SHARE = 1024

/** Near a bound blocks become as small as the addition: a 32nd of the room for each of 16 shards. */
const ROOM_SHARE = 32

/**
 * How an addition to a counter of high rate is met: from what its shard has in hand; by taking so many from the counter;
 * or not before all shards have given back what they have, because only that tells what is left.
 */
type Draw = { kind: 'hand' } | { kind: 'take'; units: number } | { kind: 'settle' }

/**
 * @param counted the counter with what its shards have in hand
 * @param inHand what this shard has
 */
export function planDraw(
  need: number,
  inHand: number,
  counted: number,
  { capacity, limit }: Pick<Meter, 'capacity' | 'limit'>,
): Draw {
  // A capacity that was cut: nothing in hand may be used unseen.
  if (counted > limit) return { kind: 'settle' }
  if (inHand >= need) return { kind: 'hand' }
  // Overage begins only when everything below it is used.
  const room = (counted <= capacity ? Math.min(capacity, limit) : limit) - counted
  if (need > room) return { kind: 'settle' }
  const block = Math.min(Math.floor(counted / SHARE), ADDITIONS * need, Math.floor(room / ROOM_SHARE))
  return { kind: 'take', units: Math.max(need, block) }
}
