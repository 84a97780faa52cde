import { type Instant, latest, type TimeZone } from '../platform/time.ts'
import { addDays } from './calendar.ts'
import type { Standing } from './holdings.ts'
import { begunTerm } from './status.ts'

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
 * those begins the window; so does what ends a license that it extends, or what extends it. An edit that took nothing
 * away makes it longer, which is better than none after one that did.
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
  const since =
    latest(own.flatMap((one) => (one.counts ? editOf(one) : lossOf(one, standings, now)))) ?? seenAt ?? now
  const cureUntil = addDays(since, cureDays, timeZone)
  return { seats: assigned - limit, since, cureUntil, isOverdue: cureUntil <= now }
}

const editOf = ({ license }: Standing): Instant[] => (license.revision > 1 ? [license.signedAt] : [])

function lossOf(
  { license, extensions, base, lacksBase }: Standing,
  standings: readonly Standing[],
  now: Instant,
): Instant[] {
  const { expiresAt, graceEndsAt } = begunTerm(license, now, extensions)
  // Also those that were deleted: a license that had ended without them ended with them.
  const extending = standings.filter(
    (one) => one.license.type === 'VALIDITY' && one.license.extends === license.id,
  )
  const taken = [license, ...extending.map((one) => one.license)].flatMap((one) => [
    one.revokedAt,
    one.suspendedAt,
    one.deletedAt,
  ])
  const lost = [...taken, graceEndsAt ?? expiresAt].filter((at) => at !== undefined)
  const found = lacksBase ? standings.find((one) => one.license.id === base?.id) : undefined
  return [...lost.filter((at) => at <= now), ...(found ? lossOf(found, standings, now) : [])]
}
