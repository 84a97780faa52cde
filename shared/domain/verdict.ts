import * as z from 'zod'
import { LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { earliest, Instant, plusMilliseconds } from '../platform/time.ts'
import { Allocation, Code, Features, LicenseType, Limits, Term } from './catalog.ts'
import { Entitlement, entitlement } from './entitlement.ts'
import type { Holdings, Standing } from './holdings.ts'
import { type License, Reference } from './license.ts'
import type { FileFault } from './license-file.ts'
import { begunTerm, effectiveTerm, nextChange, STATUSES, statusByDates } from './status.ts'

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
  ['COUNTRY_REQUIRED', 'error'],
  ['COUNTRY_NOT_ALLOWED', 'error'],
  ['FEATURE_MISSING', 'error'],
  ['OVER_CAPACITY', 'warning'],
  ['GRACE_PERIOD', 'warning'],
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

/** The license as an answer to a validation shows it: nothing that its holder does not know. */
export const LicenseInVerdict = z.strictObject({
  id: LicenseId,
  tenantId: TenantId,
  productId: ProductId,
  productCode: Code,
  type: LicenseType,
  term: Term,
  allocation: Allocation,
  status: z.enum(STATUSES),
  revision: z.int(),
  reference: Reference.optional(),
  limits: Limits,
  features: Features,
  validFrom: Instant,
  expiresAt: Instant.optional(),
  graceEndsAt: Instant.optional(),
})

export const Verdict = z.strictObject({
  valid: z.boolean(),
  code: FindingCode,
  detail: z.string(),
  findings: z.array(Finding),
  license: LicenseInVerdict.optional(),
  entitlement: Entitlement.optional(),
  /** Parts of the question that this service did not check. */
  unchecked: z.array(z.string()),
  checkedAt: Instant,
  /** Ask again after this instant, not before. */
  nextCheckAfter: Instant,
})
export type Verdict = z.infer<typeof Verdict>

/** What the caller wants to know beyond "is it valid". */
export type Question = {
  product?: string | undefined
  fingerprint?: string | undefined
  country?: string | undefined
  features?: readonly string[] | undefined
  version?: string | undefined
  userId?: string | undefined
  /** The revision of the file that was presented instead of a key. */
  fileRevision?: number | undefined
}

export type Pace = {
  /** Milliseconds between two checks. */
  interval: number
  /** 0 ≤ jitter < 1: spreads the next checks over the last tenth of the interval. */
  jitter: number
}

/** The verdict over a license that is known. Evaluates every rule, so that the caller gets all reasons at once. */
export function judge(
  standing: Standing,
  all: ReadonlyMap<LicenseId, Standing>,
  holdings: Holdings,
  question: Question,
  now: Instant,
  pace: Pace,
): Verdict {
  const { license, extensions } = standing
  const granted = entitlement(holdings, all.values())
  const found = [
    ...ownFindings(standing, now),
    ...scopeFindings(license, question),
    ...featureFindings(granted, question.features ?? []),
    ...capacityFindings(granted, standing),
  ]
  return {
    ...conclude(found),
    license: {
      id: license.id,
      tenantId: license.tenantId,
      productId: license.productId,
      productCode: license.productCode,
      type: license.type,
      term: license.term,
      allocation: license.allocation,
      status: standing.status,
      revision: license.revision,
      ...(license.reference && { reference: license.reference }),
      limits: license.limits,
      features: license.features,
      validFrom: license.validFrom,
      ...effectiveTerm(license, extensions),
    },
    entitlement: granted,
    unchecked: unchecked(question),
    checkedAt: now,
    nextCheckAfter: nextCheck(now, pace, nextChange(license, now, extensions)),
  }
}

/** The verdict over a key, id or file that is nobody's: the same for one that never was and one that is foreign. */
export function unknownLicense(now: Instant, pace: Pace): Verdict {
  const found = finding(
    'NOT_FOUND',
    'license',
    'No such license.',
    'Check the key for typing errors, or ask the vendor for it.',
  )
  return {
    ...conclude([found]),
    unchecked: [],
    checkedAt: now,
    nextCheckAfter: nextCheck(now, pace, undefined),
  }
}

/** The verdict over a file that is not one of ours as we made it. */
export function rejectedFile(fault: FileFault, now: Instant, pace: Pace): Verdict {
  const found = {
    malformed: finding(
      'FILE_MALFORMED',
      'file',
      'This is not a license file.',
      'Send the file exactly as it was received.',
    ),
    forged: finding(
      'FILE_FORGED',
      'file',
      'The file is not what the vendor signed.',
      'Ask the vendor for the file again.',
    ),
    foreign: finding(
      'FILE_FOREIGN',
      'file',
      'The file was signed by another issuer.',
      'Validate it with the vendor that issued it.',
    ),
  }[fault]
  return {
    ...conclude([found]),
    unchecked: [],
    checkedAt: now,
    nextCheckAfter: nextCheck(now, pace, undefined),
  }
}

function ownFindings(standing: Standing, now: Instant): Finding[] {
  const { license, base, lacksBase, because } = standing
  const found: Finding[] = []
  if (because === 'TAMPERED') {
    found.push(
      finding(
        'TAMPERED',
        'license',
        'The stored license is not what the vendor signed.',
        'Tell the vendor: the row has to be restored, or the license issued anew.',
      ),
    )
  }
  if (license.revokedAt !== undefined) {
    found.push(
      finding(
        'REVOKED',
        'license',
        `Revoked on ${license.revokedAt}.`,
        'Revocation is final; ask the vendor for another license.',
      ),
    )
  } else {
    if (license.suspendedAt !== undefined) {
      found.push(
        finding(
          'SUSPENDED',
          'license',
          `Suspended since ${license.suspendedAt}.`,
          'Ask the vendor to reinstate it.',
        ),
      )
    }
    found.push(...dateFindings(standing, now))
  }
  if (license.appliedAt === undefined) {
    found.push(
      license.deletedAt === undefined
        ? finding(
            'NOT_APPLIED',
            'license',
            'Issued, but not applied by the customer.',
            'Upload the license file.',
          )
        : finding(
            'NOT_APPLIED',
            'license',
            `Deleted by the customer on ${license.deletedAt}.`,
            'Upload the license file again.',
          ),
    )
  }
  if (lacksBase) {
    found.push(
      finding(
        'BASE_NOT_IN_FORCE',
        'license',
        `It extends ${license.extends}, which ${base ? 'is not in force' : 'does not exist'} at ${now}.`,
        'Renew, apply or reinstate the license it extends.',
      ),
    )
  }
  return found
}

function dateFindings({ license, extensions }: Standing, now: Instant): Finding[] {
  const { expiresAt, graceEndsAt } = begunTerm(license, now, extensions)
  switch (statusByDates(license, now, extensions)) {
    case 'PENDING':
      return [
        finding(
          'PENDING',
          'license',
          `Starts on ${license.validFrom}.`,
          'Wait for its start, or ask the vendor for an earlier one.',
        ),
      ]
    case 'EXPIRED':
      return [
        finding(
          'EXPIRED',
          'license',
          `Expired on ${expiresAt}${graceEndsAt ? `, its grace ended on ${graceEndsAt}` : ''}.`,
          'Renew the license.',
        ),
      ]
    case 'GRACE':
      return [
        finding(
          'GRACE_PERIOD',
          'license',
          `Expired on ${expiresAt}; its grace lasts until ${graceEndsAt}.`,
          `Renew before ${graceEndsAt}.`,
        ),
      ]
    case 'ACTIVE':
      return []
  }
}

function scopeFindings(license: License, question: Question): Finding[] {
  const found: Finding[] = []
  if (question.fileRevision !== undefined && question.fileRevision < license.revision) {
    found.push(
      finding(
        'FILE_OUTDATED',
        'file',
        `The file has revision ${question.fileRevision}, the license ${license.revision}.`,
        'Download the newest license file.',
      ),
    )
  }
  if (
    question.product !== undefined &&
    question.product !== license.productCode &&
    question.product !== license.productId
  ) {
    found.push(
      finding(
        'PRODUCT_MISMATCH',
        'product',
        `The license is for ${license.productCode}, not ${question.product}.`,
        `Use a license for ${question.product}.`,
      ),
    )
  }
  found.push(
    ...fingerprintFindings(license, question.fingerprint),
    ...countryFindings(license, question.country),
  )
  return found
}

function fingerprintFindings({ fingerprints }: License, fingerprint: string | undefined): Finding[] {
  if (fingerprints === undefined) return []
  if (fingerprint === undefined) {
    return [
      finding(
        'FINGERPRINT_REQUIRED',
        'fingerprint',
        'The license is bound to machines and none was named.',
        'Send the fingerprint of this machine.',
      ),
    ]
  }
  if (fingerprints.includes(fingerprint)) return []
  return [
    finding(
      'FINGERPRINT_MISMATCH',
      'fingerprint',
      'The license is bound to other machines.',
      'Use it on a machine it is bound to, or ask the vendor to bind it to this one.',
    ),
  ]
}

function countryFindings({ rules }: License, country: string | undefined): Finding[] {
  if (rules.countries === undefined) return []
  if (country === undefined) {
    return [
      finding(
        'COUNTRY_REQUIRED',
        'country',
        'The license is limited to countries and none was named.',
        'Send the country as ISO 3166-1 alpha-2.',
      ),
    ]
  }
  const { allow, deny } = rules.countries
  if (!deny?.includes(country) && (allow === undefined || allow.includes(country))) return []
  const covered = allow?.filter((one) => !deny?.includes(one)) ?? []
  return [
    finding(
      'COUNTRY_NOT_ALLOWED',
      'country',
      `The license does not cover ${country}.`,
      covered.length > 0
        ? `Use it in ${covered.join(', ')}.`
        : 'Use it in another country, or ask the vendor to cover this one.',
    ),
  ]
}

function featureFindings(granted: Entitlement, wanted: readonly string[]): Finding[] {
  return (
    wanted
      // Own keys only: a feature asked for may be named like something every object inherits.
      .filter((code) => !Object.hasOwn(granted.features, code) || granted.features[code] === false)
      .map((code) =>
        finding(
          'FEATURE_MISSING',
          `feature:${code}`,
          `No license in force gives ${code}.`,
          `Buy a license that includes ${code}.`,
        ),
      )
  )
}

function capacityFindings(granted: Entitlement, standing: Standing): Finding[] {
  if (!standing.counts) return []
  return granted.pools
    .filter(({ capacity, used }) => capacity !== 'unlimited' && used > capacity)
    .map(({ metric, capacity, used }) =>
      finding(
        'OVER_CAPACITY',
        `metric:${metric}`,
        `${used} ${metric} in use, ${capacity} licensed.`,
        `Free ${used - Number(capacity)} ${metric} or buy more.`,
      ),
    )
}

/** What the question asks that no rule looks at: releases and named users are not known to the service. */
function unchecked(question: Question): string[] {
  return (['version', 'userId'] as const).filter((part) => question[part] !== undefined)
}

function finding(code: FindingCode, subject: string, detail: string, cure: string): Finding {
  return { code, severity: severityOf(code), subject, detail, cure }
}

function severityOf(code: FindingCode): Finding['severity'] {
  return FINDINGS.find(([known]) => known === code)?.[1] ?? 'error'
}

const rank = (code: FindingCode) => FINDINGS.findIndex(([known]) => known === code)

function conclude(found: readonly Finding[]): Pick<Verdict, 'valid' | 'code' | 'detail' | 'findings'> {
  const findings = found.toSorted((a, b) => rank(a.code) - rank(b.code))
  const first = findings[0]
  return {
    valid: findings.every((one) => one.severity !== 'error'),
    code: first?.code ?? 'VALID',
    detail: first?.detail ?? 'The license is valid.',
    findings,
  }
}

function nextCheck(now: Instant, { interval, jitter }: Pace, change: Instant | undefined): Instant {
  return earliest(plusMilliseconds(now, Math.round(interval * (0.9 + 0.1 * jitter))), change)
}
