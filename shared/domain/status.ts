import { type Instant, latest } from '../platform/time.ts'
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
  return statusByDates(license, now, extensions)
}

/** What the status is, or would be once the license is reinstated, by its dates alone. */
export function statusByDates(
  license: Dated,
  now: Instant,
  extensions: readonly Dated[] = [],
): Exclude<Status, 'REVOKED' | 'SUSPENDED'> {
  const begun = begunBy(now, periods(license, extensions))
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
  return termOf(periods(license, extensions))
}

/** The same without the periods still to come: what is over, or in grace, where the status says so. */
export function begunTerm(license: Dated, now: Instant, extensions: readonly Dated[]): Term {
  return termOf(begunBy(now, periods(license, extensions)))
}

function termOf(all: readonly Dated[]): Term {
  if (all.some((period) => period.expiresAt === undefined)) return {}
  const expiresAt = latest(all.map((period) => period.expiresAt))
  const graceEndsAt = latest(all.map((period) => period.graceEndsAt))
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
  return periods(license, extensions)
    .flatMap((period) => [period.validFrom, period.expiresAt, period.graceEndsAt])
    .filter((instant) => instant !== undefined && instant > now)
    .toSorted()[0]
}

const isUsable = (dated: Dated) => dated.revokedAt === undefined && dated.suspendedAt === undefined
const periods = (license: Dated, extensions: readonly Dated[]) => [license, ...extensions.filter(isUsable)]
const begunBy = (now: Instant, all: readonly Dated[]) => all.filter((period) => period.validFrom <= now)
const before = (now: Instant, end: Instant | undefined) => end === undefined || now < end
