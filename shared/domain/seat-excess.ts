import type { Instant, TimeZone } from '../platform/time.ts'
import { addDays } from './calendar.ts'
import type { Standing } from './holdings.ts'
import { effectiveTerm } from './status.ts'

/**
 * More seats than are licensed: since when, and until when to cure it. Nothing is taken silently, then or later; new
 * seats are refused until it is cured (licensing-semantics.md, section 15: LMS365 gives 14 days).
 */
export type Excess = {
  readonly seats: number
  readonly since: Instant
  readonly cureUntil: Instant
  readonly isOverdue: boolean
}

/**
 * Capacity falls when a license ends, is suspended, revoked or deleted: the last of those begins the window; where none
 * did, the last edit of a license that counts.
 */
export function excessOf(
  assigned: number,
  limit: number,
  standings: readonly Standing[],
  metric: string,
  cureDays: number,
  timeZone: TimeZone,
  now: Instant,
): Excess | undefined {
  if (assigned <= limit) return undefined
  const own = standings.filter(({ license }) => Object.hasOwn(license.limits, metric))
  const since =
    latest(own.filter(({ counts }) => !counts).flatMap((one) => lossOf(one, now))) ??
    latest(own.filter(({ license }) => license.revision > 1).map(({ license }) => license.signedAt)) ??
    now
  const cureUntil = addDays(since, cureDays, timeZone)
  return { seats: assigned - limit, since, cureUntil, isOverdue: cureUntil <= now }
}

function lossOf({ license, extensions }: Standing, now: Instant): Instant[] {
  const { expiresAt, graceEndsAt } = effectiveTerm(license, extensions)
  return [license.revokedAt, license.suspendedAt, license.deletedAt, graceEndsAt ?? expiresAt]
    .filter((at) => at !== undefined)
    .filter((at) => at <= now)
}

const latest = (all: readonly Instant[]): Instant | undefined => all.toSorted().at(-1)
