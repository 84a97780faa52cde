import {
  type EpochSeconds,
  epochMilliseconds,
  epochSeconds,
  fromEpochMilliseconds,
  HOUR,
  type Instant,
  plusMilliseconds,
} from '../time.ts'

/** Adds to a shared count and returns the new total; see store/count.ts. */
export type AddCount = (subject: string, window: string, amount: number, ttl: EpochSeconds) => Promise<number>

/** A span of time that is counted on its own. */
type Window = { readonly name: Instant; readonly secondsLeft: number; readonly ttl: EpochSeconds }

export function windowOf(now: Instant, length: number): Window {
  const start = Math.floor(epochMilliseconds(now) / length) * length
  const end = start + length
  return {
    name: fromEpochMilliseconds(start),
    secondsLeft: Math.ceil((end - epochMilliseconds(now)) / 1000),
    // Few requests write a count.
    get ttl() {
      return epochSeconds(plusMilliseconds(now, length + HOUR))
    },
  }
}
