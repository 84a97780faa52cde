import { type Instant, latest, type TimeZone } from '../platform/time.ts'
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

type Size = {
  readonly assigned: number
  readonly limit: number
  /** When it was first seen: the window begins then where no license tells, of what an application reports. */
  readonly seenAt?: Instant | undefined
}

/**
 * Capacity falls when a license ends, is suspended, revoked or deleted, or when one that counts is edited: the last of
 * those begins the window. An edit that took nothing away makes it longer, which is better than none after one that did.
 */
export function excessOf(
  metric: string,
  { assigned, limit, seenAt }: Size,
  standings: readonly Standing[],
  { cureDays, timeZone }: { readonly cureDays: number; readonly timeZone: TimeZone },
  now: Instant,
): Excess | undefined {
  if (assigned <= limit) return undefined
  const own = standings.filter(({ license }) => Object.hasOwn(license.limits, metric))
  const since = latest(own.flatMap((one) => (one.counts ? editOf(one) : lossOf(one, now)))) ?? seenAt ?? now
  const cureUntil = addDays(since, cureDays, timeZone)
  return { seats: assigned - limit, since, cureUntil, isOverdue: cureUntil <= now }
}

const editOf = ({ license }: Standing): Instant[] => (license.revision > 1 ? [license.signedAt] : [])

function lossOf({ license, extensions }: Standing, now: Instant): Instant[] {
  const { expiresAt, graceEndsAt } = effectiveTerm(license, extensions)
  return [license.revokedAt, license.suspendedAt, license.deletedAt, graceEndsAt ?? expiresAt]
    .filter((at) => at !== undefined)
    .filter((at) => at <= now)
}
