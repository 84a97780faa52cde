import { standpoint } from './entitlement.ts'
import { type Cure, cheapestFirst, type Explanation, free, purchase, type Step, step } from './explanation.ts'
import type { Standing } from './holdings.ts'
import type { Refusal } from './refusal.ts'

/** Does this license count, and if not, which of the conditions fails? */
export function explainLicense(standing: Standing): Explanation {
  const { license, counts, status } = standing
  return {
    granted: counts,
    summary: counts
      ? `The license is ${status} and counts.`
      : `The license does not count: ${reasonOf(standing)}.`,
    chain: conditions(standing),
    cures: counts ? [] : curesOf([standing], `Buy another license for ${license.productCode}.`),
  }
}

/** To the key of a license that does not count nothing is granted, whatever others give (own-license.ts). */
export const explainRefused = (
  standings: readonly Standing[],
  own: Standing,
  { detail }: Refusal,
): Explanation => ({
  granted: false,
  summary: detail,
  chain: [heldStep(standings), standingStep(own)],
  cures: curesOf([own], `Buy another license for ${own.license.productCode}.`),
})

/** The conditions under which a license counts, in the order in which they are looked at. */
function conditions(standing: Standing): Step[] {
  const { license, because, status } = standing
  const { expiresAt, graceEndsAt } = standpoint(standing)
  const own = (name: string, passed: boolean, evidence: string) => step(name, passed, evidence, license.id)
  return [
    own(
      'signature',
      because !== 'TAMPERED',
      because === 'TAMPERED'
        ? 'the row is not what was signed'
        : `revision ${license.revision}, key ${license.signature.kid}`,
    ),
    own(
      'not revoked',
      license.revokedAt === undefined,
      license.revokedAt ? `revoked on ${license.revokedAt}: ${license.revocationReason}` : 'never revoked',
    ),
    own(
      'not suspended',
      license.suspendedAt === undefined,
      license.suspendedAt
        ? `suspended since ${license.suspendedAt}: ${license.suspensionReason}`
        : 'not suspended',
    ),
    own('started', status !== 'PENDING', `valid from ${license.validFrom}`),
    own(
      'not over',
      status !== 'EXPIRED',
      `${expiresAt ? `expires on ${expiresAt}` : 'never expires'}${graceEndsAt ? `, works until ${graceEndsAt}` : ''}`,
    ),
    own(
      'applied',
      license.appliedAt !== undefined,
      license.appliedAt
        ? `applied on ${license.appliedAt}`
        : license.deletedAt
          ? `deleted on ${license.deletedAt}`
          : 'not applied yet',
    ),
    ...(license.extends === undefined
      ? []
      : [own('what it extends counts', because !== 'BASE_NOT_IN_FORCE', `extends ${license.extends}`)]),
  ]
}

export function heldStep(standings: readonly Standing[]): Step {
  const counting = standings.filter((one) => one.counts).length
  return step('licenses held', counting > 0, `${standings.length} held, ${counting} count`)
}

export function standingStep(standing: Standing): Step {
  const { license, counts, status } = standing
  const evidence = counts ? `${status}, key ending in ${license.keyHint}` : reasonOf(standing)
  return step(`${license.type} license counts`, counts, evidence, license.id)
}

/** The first condition that fails, in words. */
function reasonOf(standing: Standing): string {
  const failed = conditions(standing).find((one) => !one.passed)
  return failed ? `${failed.step} fails (${failed.evidence})` : 'unknown'
}

/** What would make one of these licenses count, and the purchase that always helps; cheapest first. */
export function curesOf(standings: readonly Standing[], buy: string): Cure[] {
  return cheapestFirst([...standings.filter((one) => !one.counts).flatMap(cureOf), purchase(buy)])
}

/** The one act that makes a license count, if there is one: two failed conditions are no cheap cure. */
function cureOf(standing: Standing): Cure[] {
  const [only, ...others] = conditions(standing).filter((one) => !one.passed)
  if (only === undefined || others.length > 0) return []
  const { license } = standing
  const { id: licenseId } = license
  switch (only.step) {
    case 'applied':
      return [free('tenant', 'Upload its license file.', { licenseId })]
    case 'not suspended':
      return [free('vendor', 'Reinstate it.', { licenseId })]
    case 'signature':
      return [free('vendor', 'Restore the row from a backup.', { licenseId })]
    case 'started':
      return [free('nobody', `Wait until ${license.validFrom}.`, { licenseId, at: license.validFrom })]
    case 'not over':
      return [{ ...purchase('Renew it.'), licenseId }]
    case 'what it extends counts':
      return [{ ...purchase(`Make ${license.extends} count again.`), licenseId }]
    default:
      return []
  }
}
