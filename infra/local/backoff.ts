/** Waits between attempts double from the first to the longest, in milliseconds. */
const FIRST = 250
const LONGEST = 60_000

/** How long to wait after an attempt, 1 for the first, before the next one. */
export function backoff(attempt: number): number {
  return Math.min(FIRST * 2 ** (attempt - 1), LONGEST)
}
