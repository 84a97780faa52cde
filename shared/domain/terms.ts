import * as z from 'zod'
import { Duration } from '../platform/time.ts'
import { Countries } from './country.ts'

/** A short name for machines: `users`, `NX`, `learn`. */
export const Code = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'a letter, then letters, digits, _ . -, at most 64')
export const Name = z.string().trim().min(1).max(200)

export const FeatureValue = z.union([z.boolean(), z.number(), z.string().max(500)])
export type FeatureValue = z.infer<typeof FeatureValue>

/** How many of a metric a license grants. */
export const Limit = z.union([z.int().min(0).max(1_000_000_000_000), z.literal('unlimited')])
export type Limit = z.infer<typeof Limit>
export const Limits = z.record(Code, Limit)
export const Features = z.record(Code, FeatureValue)

/** The value of a name, which may be one that every object inherits, such as `constructor`. */
export function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

export const Term = z.enum(['perpetual', 'subscription', 'trial'])
export const Allocation = z.enum(['named', 'floating', 'node-locked', 'site'])
export const LicenseType = z.enum(['NORMAL', 'TOPUP', 'VALIDITY', 'TRIAL', 'FEATURE'])
export type LicenseType = z.infer<typeof LicenseType>

const Percent = z.number().min(0).max(1000)

export const Metering = z.strictObject({
  /** Whole days, weeks, months or years, counted from the license's first day in the tenant's zone. */
  period: Duration.refine((text) => !text.includes('T'), 'whole days, weeks, months or years'),
  /** `allow`: it is recorded and told. `refuse`: it is not taken. A number: refused beyond so much more. */
  overage: z
    .union([
      z.enum(['allow', 'refuse']),
      z.strictObject({ absolute: z.int().positive().max(1_000_000_000_000) }),
      z.strictObject({ percent: Percent }),
    ])
    .default('allow'),
})
export type Metering = z.infer<typeof Metering>

/**
 * The rules a plan gives its licenses. All optional; defaults are those of the reference page (market.md, 2.12).
 * They are copied into the license at issue and signed with it.
 */
export const Rules = z
  .strictObject({
    overdraft: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({ kind: z.literal('absolute'), units: z.int().positive() }),
        z.strictObject({ kind: z.literal('percent'), percent: Percent, cap: z.int().positive().optional() }),
        z.strictObject({ kind: z.literal('unlimited') }),
      ])
      .optional(),
    heartbeat: z
      .strictObject({
        required: z.boolean().default(false),
        window: Duration,
        revive: z.enum(['never', 'within-window', 'always']).default('within-window'),
      })
      .optional(),
    lease: z
      .strictObject({
        duration: Duration,
        sharing: z.enum(['machine', 'user', 'process']).default('process'),
      })
      .optional(),
    borrow: z.strictObject({ maximum: Duration, share: Percent.max(100).optional() }).optional(),
    queue: z
      .strictObject({ maxPosition: z.int().positive().optional(), hold: Duration.optional() })
      .optional(),
    versions: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('range'), range: z.string().max(200) }),
        z.strictObject({
          kind: z.literal('policy'),
          base: z.string().max(100),
          allow: z.enum(['patch', 'minor', 'major']),
        }),
      ])
      .optional(),
    maintenance: z.strictObject({ duration: Duration, fallback: z.boolean().default(false) }).optional(),
    /** The boundary of a site license: who is inside uses it without limit. At least one list. */
    site: z
      .strictObject({
        domains: z
          .array(
            z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'a domain in lower case, such as example.edu'),
          )
          .min(1)
          .max(200)
          .optional(),
        organizations: z.array(z.string().min(1).max(100)).min(1).max(200).optional(),
      })
      .refine(
        (site) => site.domains !== undefined || site.organizations !== undefined,
        'name domains or organizations',
      )
      .optional(),
    countries: Countries.optional(),
    fingerprints: z
      .strictObject({
        match: z.enum(['any', 'two', 'most', 'all']),
        /** Within what a machine counts once; the product unless said otherwise. */
        unique: z.enum(['license', 'plan', 'product']).optional(),
      })
      .optional(),
    reclaim: z
      .strictObject({ inactiveFor: Duration, noticeDays: z.array(z.int().positive()).max(10).optional() })
      .optional(),
    transfer: z
      .strictObject({
        allowed: z.boolean(),
        perYear: z.int().positive().optional(),
        approval: z.boolean().default(false),
      })
      .optional(),
    /** Of counters: when their allowance, the license's limit, begins anew, and what becomes of use above it. */
    metering: z.record(Code, Metering).optional(),
    /** How often within any such period a place may go to a machine that was not seen in it before. */
    deactivations: z.strictObject({ allowed: z.int().min(0).max(100), period: Duration }).optional(),
  })
  .meta({ id: 'Rules' })
export type Rules = z.infer<typeof Rules>
