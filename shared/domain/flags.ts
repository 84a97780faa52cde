import * as z from 'zod'
import type { Feature } from './catalog.ts'
import { byPrecedence } from './entitlement.ts'
import type { Standing } from './holdings.ts'
import { Code, FeatureValue, own } from './terms.ts'

/** A feature as OpenFeature sees it (OFREP 0.3, `successfulEvaluation`). */
export const EvaluatedFlag = z.strictObject({
  key: Code,
  value: FeatureValue,
  /** TARGETING_MATCH: a license that counts gives it. DEFAULT: none does. */
  reason: z.enum(['TARGETING_MATCH', 'DEFAULT']),
  variant: z.enum(['licensed', 'not-licensed']),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export type EvaluatedFlag = z.infer<typeof EvaluatedFlag>

const OFF = { boolean: false, number: 0, string: '' } as const

/** What a declared feature is worth now: the entitlement's value, or off, and which licenses give it. */
export function evaluateFlag(
  feature: Feature,
  product: string,
  granted: Readonly<Record<string, FeatureValue>>,
  standings: Iterable<Standing>,
): EvaluatedFlag {
  const value = own(granted, feature.code)
  const sources = [...standings]
    .filter(({ counts, license }) => counts && own(license.features, feature.code) !== undefined)
    .toSorted(byPrecedence)
  return {
    key: feature.code,
    value: value ?? OFF[feature.type],
    reason: value === undefined ? 'DEFAULT' : 'TARGETING_MATCH',
    variant: value === undefined ? 'not-licensed' : 'licensed',
    metadata: {
      product,
      ...(sources.length > 0 && { licenses: sources.map(({ license }) => license.id).join(',') }),
    },
  }
}
