import { vi } from 'vitest'
import { epochMilliseconds, type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'

/**
 * Stops the clock that functions read (`Date`, nothing else), at now or at an instant of choice: a test moves it and
 * waits for nothing. Undone by `vi.useRealTimers()`.
 */
export function stopClock(now: Instant = readClock()): void {
  vi.useFakeTimers({ toFake: ['Date'], now: epochMilliseconds(now) })
}

export function setClock(now: Instant): void {
  vi.setSystemTime(now)
}

/** Moves it on and returns what it shows then. */
export function advanceClock(milliseconds: number): Instant {
  const now = plusMilliseconds(readClock(), milliseconds)
  setClock(now)
  return now
}
