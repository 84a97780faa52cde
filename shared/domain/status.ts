import type { Instant } from '../platform/time.ts'
import type { License } from './license.ts'

export const STATUSES = ['REVOKED', 'SUSPENDED', 'PENDING', 'ACTIVE', 'GRACE', 'EXPIRED'] as const
export type Status = (typeof STATUSES)[number]

/** The facts a status is computed from. */
export type Dated = Pick<License, 'validFrom' | 'expiresAt' | 'graceEndsAt' | 'suspendedAt' | 'revokedAt'>

/**
 * The status of a license at an instant, first match wins: REVOKED, SUSPENDED, PENDING, ACTIVE, GRACE, EXPIRED.
 * Intervals are half-open. `extensions` are the VALIDITY licenses that extend it and are themselves usable: each adds
 * its own period, and its own grace, to the license's.
 */
export function statusAt(license: Dated, now: Instant, extensions: readonly Dated[] = []): Status {
  if (license.revokedAt !== undefined) return 'REVOKED'
  if (license.suspendedAt !== undefined) return 'SUSPENDED'
  const periods = [license, ...extensions.filter(isUsable)]
  const begun = periods.filter((period) => period.validFrom <= now)
  if (begun.length === 0) return 'PENDING'
  if (begun.some((period) => before(now, period.expiresAt))) return 'ACTIVE'
  if (begun.some((period) => period.graceEndsAt !== undefined && now < period.graceEndsAt)) return 'GRACE'
  return 'EXPIRED'
}

/** Licenses in force give capacity and features. */
export function isInForce(status: Status): boolean {
  return status === 'ACTIVE' || status === 'GRACE'
}

export type Term = { expiresAt?: Instant; graceEndsAt?: Instant }

/** When the license ends once its extensions are counted; an absent `expiresAt` means never. */
export function effectiveTerm(license: Dated, extensions: readonly Dated[]): Term {
  const periods = [license, ...extensions.filter(isUsable)]
  if (periods.some((period) => period.expiresAt === undefined)) return {}
  const expiresAt = latest(periods.map((period) => period.expiresAt))
  const graceEndsAt = latest(periods.map((period) => period.graceEndsAt))
  return {
    ...(expiresAt && { expiresAt }),
    ...(graceEndsAt && expiresAt && graceEndsAt > expiresAt && { graceEndsAt }),
  }
}

/** The next instant after `now` at which the status can change by time alone. */
export function nextChange(
  license: Dated,
  now: Instant,
  extensions: readonly Dated[] = [],
): Instant | undefined {
  return [license, ...extensions.filter(isUsable)]
    .flatMap((period) => [period.validFrom, period.expiresAt, period.graceEndsAt])
    .filter((instant): instant is Instant => instant !== undefined && instant > now)
    .toSorted()[0]
}

const isUsable = (dated: Dated) => dated.revokedAt === undefined && dated.suspendedAt === undefined
const before = (now: Instant, end: Instant | undefined) => end === undefined || now < end

function latest(instants: readonly (Instant | undefined)[]): Instant | undefined {
  return instants
    .filter((instant): instant is Instant => instant !== undefined)
    .toSorted()
    .at(-1)
}
