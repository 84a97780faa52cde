import { DAY, HOUR, MINUTE } from '../../../shared/platform/time.ts'

const UNITS: ReadonlyMap<string, number> = new Map([
  ['minute', MINUTE],
  ['hour', HOUR],
  ['day', DAY],
])

/** The period of `rate(5 minutes)` in milliseconds; undefined for `cron(…)`, `at(…)` and whatever is no rate. */
export function ratePeriod(expression: string): number | undefined {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? []
  const milliseconds = UNITS.get(unit)
  if (milliseconds === undefined || Number(count) < 1) return undefined
  return Number(count) * milliseconds
}

/**
 * The first slot after a moment, both in milliseconds since 1970. Slots are whole multiples of the period since then, so
 * that every start of the stack, and two stacks at once, mean the same times.
 */
export function nextSlot(period: number, now: number): number {
  return (Math.floor(now / period) + 1) * period
}

/** The slot a moment lies in. */
export function currentSlot(period: number, now: number): number {
  return Math.floor(now / period) * period
}
