import * as z from 'zod'
import { LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { earliest, Instant, plusMilliseconds } from '../platform/time.ts'
import { activationFindings } from './activation-findings.ts'
import { Entitlement, entitlement } from './entitlement.ts'
import { conclude, Finding, FindingCode, finding } from './finding.ts'
import { capacityFindings, featureFindings } from './grant-findings.ts'
import type { Holdings, Standing } from './holdings.ts'
import { Reference } from './license.ts'
import type { FileFault } from './license-file.ts'
import { ownFindings } from './license-findings.ts'
import { Place } from './place.ts'
import type { Question } from './question.ts'
import { scopeFindings } from './scope-findings.ts'
import { seatFindings } from './seat-findings.ts'
import { effectiveTerm, nextChange, STATUSES } from './status.ts'
import { Allocation, Code, Features, LicenseType, Limits, Term } from './terms.ts'
import { versionFindings, withFallback } from './version-findings.ts'

/** The license as an answer to a validation shows it: nothing that its holder does not know. */
const LicenseInVerdict = z.strictObject({
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
  /** Where it was asked from; of a license that is limited to countries. */
  place: Place.optional(),
  /** Parts of the question that this service did not check. */
  unchecked: z.array(z.string()),
  checkedAt: Instant,
  /** Ask again after this instant, not before. */
  nextCheckAfter: Instant,
})
export type Verdict = z.infer<typeof Verdict>

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
    ...withFallback(ownFindings(standing, now, question.fileRevision), standing, question.version),
    ...scopeFindings(license, question),
    ...activationFindings(question.machine, now),
    ...seatFindings(question.seat),
    ...versionFindings(standing, question.version),
    ...featureFindings(granted, question.features ?? []),
    ...capacityFindings(granted, standing, holdings.managedSeats),
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
    ...(license.rules.countries && question.place && { place: question.place }),
    unchecked: unchecked(question),
    checkedAt: now,
    nextCheckAfter: nextCheck(now, pace, changeOf(standing, all)),
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

/** What the question asks that no rule looks at: who asks, where no seats are managed. */
function unchecked({ userId, seat }: Question): string[] {
  return userId === undefined || seat !== undefined ? [] : ['userId']
}

/** When time alone may change the verdict: the license, or the one that it extends. */
function changeOf(standing: Standing, all: ReadonlyMap<LicenseId, Standing>): Instant | undefined {
  const base = standing.base && all.get(standing.base.id)
  return [standing, base]
    .flatMap((one) => (one && nextChange(one.license, one.at, one.extensions)) ?? [])
    .toSorted()[0]
}

function nextCheck(now: Instant, { interval, jitter }: Pace, change: Instant | undefined): Instant {
  return earliest(plusMilliseconds(now, Math.round(interval * (0.9 + 0.1 * jitter))), change)
}
