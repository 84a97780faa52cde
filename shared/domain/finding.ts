import * as z from 'zod'

/**
 * Every code a validation can give, in the order in which the first one found becomes the verdict's `code`. Errors
 * make it invalid; warnings and notes do not.
 */
export const FINDINGS = [
  ['FILE_MALFORMED', 'error'],
  ['FILE_FORGED', 'error'],
  ['FILE_FOREIGN', 'error'],
  ['NOT_FOUND', 'error'],
  ['TAMPERED', 'error'],
  ['REVOKED', 'error'],
  ['SUSPENDED', 'error'],
  ['PENDING', 'error'],
  ['EXPIRED', 'error'],
  ['NOT_APPLIED', 'error'],
  ['BASE_NOT_IN_FORCE', 'error'],
  ['FILE_OUTDATED', 'error'],
  ['PRODUCT_MISMATCH', 'error'],
  ['FINGERPRINT_REQUIRED', 'error'],
  ['FINGERPRINT_MISMATCH', 'error'],
  ['NO_ACTIVATION', 'error'],
  ['HEARTBEAT_NOT_STARTED', 'error'],
  ['HEARTBEAT_DEAD', 'error'],
  ['COUNTRY_REQUIRED', 'error'],
  ['COUNTRY_NOT_ALLOWED', 'error'],
  ['TRAVEL_EXHAUSTED', 'error'],
  ['SITE_MEMBER_REQUIRED', 'error'],
  ['OUTSIDE_SITE', 'error'],
  ['USER_INACTIVE', 'error'],
  ['SEAT_PENDING', 'error'],
  ['SEAT_REQUIRED', 'error'],
  ['VERSION_REQUIRED', 'error'],
  ['VERSION_UNKNOWN', 'error'],
  ['VERSION_NOT_COVERED', 'error'],
  ['FEATURE_MISSING', 'error'],
  ['OVER_CAPACITY', 'warning'],
  ['VERSION_WITHDRAWN', 'warning'],
  ['COUNTRY_UNKNOWN', 'warning'],
  ['COUNTRY_DOUBTFUL', 'warning'],
  ['TRAVELING', 'warning'],
  ['GRACE_PERIOD', 'warning'],
  ['FALLBACK_VERSION', 'warning'],
  ['VALID', 'info'],
] as const satisfies readonly (readonly [string, 'error' | 'warning' | 'info'])[]

export const FindingCode = z.enum(FINDINGS.map(([code]) => code))
export type FindingCode = z.infer<typeof FindingCode>

/** One thing a validation found: what it concerns, what is the matter, and what would cure it. */
export const Finding = z
  .strictObject({
    code: FindingCode,
    severity: z.enum(['error', 'warning', 'info']),
    /** What it is about: `license`, `product`, `feature:reports`, `metric:users`, … */
    subject: z.string(),
    detail: z.string(),
    cure: z.string(),
  })
  .meta({ id: 'Finding' })
export type Finding = z.infer<typeof Finding>

export function finding(code: FindingCode, subject: string, detail: string, cure: string): Finding {
  return { code, severity: severityOf(code), subject, detail, cure }
}

function severityOf(code: FindingCode): Finding['severity'] {
  return FINDINGS.find(([known]) => known === code)?.[1] ?? 'error'
}

const rank = (code: FindingCode) => FINDINGS.findIndex(([known]) => known === code)

/** What some findings amount to: the first in the documented order decides the code, any error the validity. */
export function conclude(found: readonly Finding[]): {
  valid: boolean
  code: FindingCode
  detail: string
  findings: Finding[]
} {
  const findings = found.toSorted((a, b) => rank(a.code) - rank(b.code))
  const first = findings[0]
  return {
    valid: findings.every((one) => one.severity !== 'error'),
    code: first?.code ?? 'VALID',
    detail: first?.detail ?? 'The license is valid.',
    findings,
  }
}
