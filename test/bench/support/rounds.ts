import type { Effort } from './arm-protocol.ts'

/** Two arms measured side by side; `ratio` is the median of the ratios of each round. */
type Comparison = { readonly ours: number; readonly floor: number; readonly ratio: number }

/**
 * Measures two arms in turn, and the other one first in every second round, so that what else the machine does falls
 * on both. A ratio of one round is worth more than one of two averages: it compares the same moment.
 */
export async function alternate<T>(
  rounds: number,
  ours: () => Promise<T>,
  floor: () => Promise<T>,
): Promise<{ ours: T; floor: T }[]> {
  const pairs: { ours: T; floor: T }[] = []
  for (let round = 0; round < rounds; round += 1) {
    if (round % 2 === 0) pairs.push({ ours: await ours(), floor: await floor() })
    else {
      const first = await floor()
      pairs.push({ ours: await ours(), floor: first })
    }
  }
  return pairs
}

export function compare(pairs: readonly { ours: number; floor: number }[]): Comparison {
  return {
    ours: median(pairs.map(({ ours }) => ours)),
    floor: median(pairs.map(({ floor }) => floor)),
    ratio: median(pairs.map(({ ours, floor }) => ours / floor)),
  }
}

export function compareEffort(
  part: keyof Effort,
  pairs: readonly { ours: Effort; floor: Effort }[],
): Comparison {
  return compare(pairs.map(({ ours, floor }) => ({ ours: ours[part], floor: floor[part] })))
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = Number.NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}
