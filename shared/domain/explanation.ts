import * as z from 'zod'
import { LicenseId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import type { Refusal } from './refusal.ts'

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
  /** `nobody`: it comes by itself. `caller`: who asks, or the person it asks for. */
  who: z.enum(['nobody', 'caller', 'tenant', 'vendor']),
  costs: z.enum(['nothing', 'money']),
  licenseId: LicenseId.optional(),
  /** When it comes, where it comes by itself. */
  at: Instant.optional(),
  /** Before when it has to be done to make a difference, where that is known. */
  until: Instant.optional(),
})
export type Cure = z.infer<typeof Cure>

/** What an operation would answer now; made by its own rules, on the rows it reads. */
export const Prediction = z.strictObject({
  /** Its method and path. */
  operation: z.string(),
  /** `OK`, or the code of its refusal. */
  outcome: z.string(),
  /** The state it would answer, where it answers one. */
  state: z.string().optional(),
})
export type Prediction = z.infer<typeof Prediction>

export const Explanation = z.strictObject({
  granted: z.boolean(),
  /** The answer in one sentence. */
  summary: z.string(),
  chain: z.array(Step),
  /** What would be answered if it were asked for now; of what can be asked for. */
  predictions: z.array(Prediction).optional(),
  /** Cheapest first: waiting, what the caller, the tenant, the vendor does for nothing, what has to be paid. */
  cures: z.array(Cure),
})
export type Explanation = z.infer<typeof Explanation>

const WHO: readonly Cure['who'][] = ['nobody', 'caller', 'tenant', 'vendor']

/** In the order in which they cost those who need them least; of equals, as they were named. */
export function cheapestFirst(cures: readonly Cure[]): Cure[] {
  const effort = ({ who, costs }: Cure) => Number(costs === 'money') * WHO.length + WHO.indexOf(who)
  return cures.toSorted((a, b) => effort(a) - effort(b))
}

export function step(name: string, passed: boolean, evidence: string, licenseId?: LicenseId): Step {
  return { step: name, passed, evidence, ...(licenseId && { licenseId }) }
}

/** A cure that costs nothing but the doing. */
export const free = (who: Cure['who'], cure: string, more: Partial<Cure> = {}): Cure => ({
  cure,
  who,
  costs: 'nothing',
  ...more,
})

export const purchase = (cure: string): Cure => ({ cure, who: 'vendor', costs: 'money' })

/**
 * What of an explanation a license key is told: of its own license all, of others only what counts, as its validation
 * shows it, and neither their keys nor what is the matter with them.
 */
export function toldTo(own: LicenseId, explanation: Explanation): Explanation {
  const isOwn = ({ licenseId }: { licenseId?: LicenseId | undefined }) =>
    licenseId === undefined || licenseId === own
  return {
    ...explanation,
    chain: explanation.chain
      .filter((one) => isOwn(one) || one.passed)
      .map((one) =>
        isOwn(one) ? one : { ...one, evidence: one.evidence.replace(/, key ending in .*$/, '') },
      ),
    cures: explanation.cures.filter(isOwn),
  }
}

/** What helps where a license may not be used. */
export const elsewhereCures = ({ refused }: Refusal): Cure[] =>
  refused === 'COUNTRY_REQUIRED'
    ? [free('caller', 'Say the country that it is used in.')]
    : [free('caller', 'Use it in a country that it covers.'), purchase('Have the country covered.')]

/** What the caller may be told beyond its own: who else uses the license, and whom to ask. */
export type Sight = {
  /** A license key may be anybody's who has the application: it is told numbers, and no names. */
  readonly others: boolean
  /** The administrator to turn to, by name where the caller may know it. */
  readonly administrator: string
}
