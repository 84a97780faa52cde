import * as z from 'zod'
import { LicenseId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { type Entitlement, entitlement, standpoint } from './entitlement.ts'
import type { Holdings, Standing } from './holdings.ts'

/** One link of the chain from the question to the answer: what was looked at, what was found, and where. */
export const Step = z.strictObject({
  step: z.string(),
  passed: z.boolean(),
  evidence: z.string(),
  licenseId: LicenseId.optional(),
})
export type Step = z.infer<typeof Step>

/** Something that would turn the answer around. Who can do it, and does it cost money? */
export const Cure = z.strictObject({
  cure: z.string(),
  who: z.enum(['tenant', 'vendor']),
  costs: z.enum(['nothing', 'money']),
  licenseId: LicenseId.optional(),
  /** Before when it has to be done to make a difference, where that is known. */
  until: Instant.optional(),
})
export type Cure = z.infer<typeof Cure>

export const Explanation = z.strictObject({
  granted: z.boolean(),
  /** The answer in one sentence. */
  summary: z.string(),
  chain: z.array(Step),
  /** Cheapest first: what the tenant can do itself, what the vendor does for nothing, what has to be paid. */
  cures: z.array(Cure),
})
export type Explanation = z.infer<typeof Explanation>

/** Why is this feature on or off? */
export function explainFeature(
  holdings: Holdings,
  standings: readonly Standing[],
  feature: string,
): Explanation {
  const value = entitlement(holdings, standings).features[feature]
  const granting = standings.filter(({ license }) => isOn(license.features[feature]))
  const granted = isOn(value)
  return {
    granted,
    summary: granted
      ? `${feature} is ${JSON.stringify(value)}: ${granting.filter((one) => one.counts).length} license(s) that count give it.`
      : granting.length === 0
        ? `No license that is held includes ${feature}.`
        : `${granting.length} license(s) include ${feature}, but none of them counts.`,
    chain: [
      heldStep(standings),
      ...granting.flatMap((one) => [
        standingStep(one),
        grantStep(one, `feature ${feature}`, one.license.features[feature]),
      ]),
    ],
    cures: granted
      ? []
      : cures(granting, { cure: `Buy a license that includes ${feature}.`, who: 'vendor', costs: 'money' }),
  }
}

/** Is there room for `wanted` more of a metric, and where does every part of the number come from? */
export function explainCapacity(
  holdings: Holdings,
  standings: readonly Standing[],
  metric: string,
  wanted: number,
): Explanation {
  const { pools } = entitlement(holdings, standings)
  const { capacity, used } = poolOf(pools, metric)
  const remaining = capacity === 'unlimited' ? Number.POSITIVE_INFINITY : capacity - used
  const granting = standings.filter(({ license }) => license.limits[metric] !== undefined)
  const missing = wanted - remaining
  return {
    granted: missing <= 0,
    summary: `${used} of ${capacity} ${metric} in use; ${wanted} more ${missing <= 0 ? 'fit' : `do not fit, ${missing} too many`}.`,
    chain: [
      heldStep(standings),
      ...granting.flatMap((one) => [standingStep(one), grantStep(one, metric, one.license.limits[metric])]),
      {
        step: 'room',
        passed: missing <= 0,
        evidence: `capacity ${capacity}, used ${used}, wanted ${wanted}`,
      },
    ],
    cures:
      missing <= 0
        ? []
        : [
            { cure: `Free ${missing} ${metric}.`, who: 'tenant', costs: 'nothing' },
            ...cures(granting, { cure: `Buy ${missing} more ${metric}.`, who: 'vendor', costs: 'money' }),
          ],
  }
}

/** Does this license count, and if not, which of the conditions fails? */
export function explainLicense(standing: Standing): Explanation {
  const { license, counts, status } = standing
  return {
    granted: counts,
    summary: counts
      ? `The license is ${status} and counts.`
      : `The license does not count: ${reasonOf(standing)}.`,
    chain: conditions(standing),
    cures: counts
      ? []
      : cures([standing], {
          cure: `Buy another license for ${license.productCode}.`,
          who: 'vendor',
          costs: 'money',
        }),
  }
}

/** The conditions under which a license counts, in the order in which they are looked at. */
function conditions(standing: Standing): Step[] {
  const { license, because, status } = standing
  const { expiresAt, graceEndsAt } = standpoint(standing)
  const step = (name: string, passed: boolean, evidence: string): Step => ({
    step: name,
    passed,
    evidence,
    licenseId: license.id,
  })
  return [
    step(
      'signature',
      because !== 'TAMPERED',
      because === 'TAMPERED'
        ? 'the row is not what was signed'
        : `revision ${license.revision}, key ${license.signature.kid}`,
    ),
    step(
      'not revoked',
      license.revokedAt === undefined,
      license.revokedAt ? `revoked on ${license.revokedAt}: ${license.revocationReason}` : 'never revoked',
    ),
    step(
      'not suspended',
      license.suspendedAt === undefined,
      license.suspendedAt
        ? `suspended since ${license.suspendedAt}: ${license.suspensionReason}`
        : 'not suspended',
    ),
    step('started', status !== 'PENDING', `valid from ${license.validFrom}`),
    step(
      'not over',
      status !== 'EXPIRED',
      `${expiresAt ? `expires on ${expiresAt}` : 'never expires'}${graceEndsAt ? `, works until ${graceEndsAt}` : ''}`,
    ),
    step(
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
      : [step('what it extends counts', because !== 'BASE_NOT_IN_FORCE', `extends ${license.extends}`)]),
  ]
}

function heldStep(standings: readonly Standing[]): Step {
  const counting = standings.filter((one) => one.counts).length
  return {
    step: 'licenses held',
    passed: counting > 0,
    evidence: `${standings.length} held, ${counting} count`,
  }
}

function standingStep(standing: Standing): Step {
  const { license, counts, status } = standing
  return {
    step: `${license.type} license counts`,
    passed: counts,
    evidence: counts ? `${status}, key ending in ${license.keyHint}` : reasonOf(standing),
    licenseId: license.id,
  }
}

function grantStep({ license, counts }: Standing, what: string, value: unknown): Step {
  return { step: `gives ${what}`, passed: counts, evidence: JSON.stringify(value), licenseId: license.id }
}

/** The first condition that fails, in words. */
function reasonOf(standing: Standing): string {
  const failed = conditions(standing).find((step) => !step.passed)
  return failed ? `${failed.step} fails (${failed.evidence})` : 'unknown'
}

const ORDER = ['tenant nothing', 'vendor nothing', 'tenant money', 'vendor money']

/** What would make one of these licenses count, and the purchase that always helps; cheapest first. */
function cures(standings: readonly Standing[], purchase: Cure): Cure[] {
  return [...standings.filter((one) => !one.counts).flatMap(cureOf), purchase].toSorted(
    (a, b) => ORDER.indexOf(`${a.who} ${a.costs}`) - ORDER.indexOf(`${b.who} ${b.costs}`),
  )
}

/** The one act that makes a license count, if there is one: two failed conditions are no cheap cure. */
function cureOf(standing: Standing): Cure[] {
  const failed = conditions(standing).filter((step) => !step.passed)
  const [only] = failed
  if (only === undefined || failed.length > 1) return []
  const { license } = standing
  const act = (cure: string, who: Cure['who'], costs: Cure['costs']): Cure[] => [
    { cure, who, costs, licenseId: license.id },
  ]
  switch (only.step) {
    case 'applied':
      return act('Upload its license file.', 'tenant', 'nothing')
    case 'not suspended':
      return act('Reinstate it.', 'vendor', 'nothing')
    case 'signature':
      return act('Restore the row from a backup.', 'vendor', 'nothing')
    case 'started':
      return act(`Wait until ${license.validFrom}.`, 'tenant', 'nothing')
    case 'not over':
      return act('Renew it.', 'vendor', 'money')
    case 'what it extends counts':
      return act(`Make ${license.extends} count again.`, 'vendor', 'money')
    default:
      return []
  }
}

function poolOf(
  pools: Entitlement['pools'],
  metric: string,
): Pick<Entitlement['pools'][number], 'capacity' | 'used'> {
  return pools.find((pool) => pool.metric === metric) ?? { capacity: 0, used: 0 }
}

const isOn = (value: unknown) => value !== undefined && value !== false
