import * as z from 'zod'
import { OrganizationId, ProductId } from '../platform/ids.ts'
import { Duration } from '../platform/time.ts'
import { Code, type Rules } from './terms.ts'

/** Ten years: with more, what is counted back from could lie before the first instant there is. */
export const MOST_DAYS = 3650
const Days = z.int().min(1).max(MOST_DAYS)
const NOTICE_DAYS = [7, 1]

/**
 * When idle seats come back. Without product and organization it is for all of the tenant. `null` takes a reason away.
 * Defaults are those of the reference page (market.md, 2.12: inactive 90 days, notices 7 days and 1 day before).
 */
export const ReclaimRule = z.strictObject({
  productId: ProductId.optional(),
  /** And those below it that have no rule of their own. */
  organizationId: OrganizationId.optional(),
  /** `false`: nothing is reclaimed here, whatever a wider rule or a plan says. */
  enabled: z.boolean().default(true),
  /** Not seen for so many days. */
  inactiveDays: Days.nullable().default(90),
  /** Never seen at all, so many days after the seat was given. */
  neverSeenDays: Days.nullable().default(90),
  /** Suspended for so many days, where the tenant keeps the seats of who is suspended. */
  suspendedDays: z.int().min(0).max(MOST_DAYS).nullable().default(30),
  /** So many days after leaving the directory. */
  leftDays: z.int().min(0).max(MOST_DAYS).nullable().default(0),
  /** Days before the seat is taken on which its holder is told; nobody loses one untold. */
  noticeDays: z
    .array(z.int().min(1).max(90))
    .min(1)
    .max(5)
    .refine((days) => new Set(days).size === days.length, 'days must differ')
    .default(NOTICE_DAYS),
  /** Days for which who kept a seat, or got it back, is left alone. */
  cooldownDays: z.int().min(0).max(MOST_DAYS).default(90),
  /** Days within which a reclaimed seat can be given back. */
  undoDays: z.int().min(0).max(365).default(14),
  /** Who has one of these roles keeps its seats. */
  exemptRoles: z.array(Code).max(50).default([]),
  /**
   * Somebody of the tenant must have been seen within so many days: where nobody was, activity is not being reported,
   * and nobody is taken for inactive. `null`: do not ask.
   */
  reportedDays: z.int().min(1).max(90).nullable().default(7),
})
export type ReclaimRule = z.infer<typeof ReclaimRule>

const scopeOf = ({ productId, organizationId }: ReclaimRule) => `${productId} ${organizationId}`

/** The rules of a tenant; no two for the same scope. */
export const ReclaimRules = z
  .strictObject({
    rules: z
      .array(ReclaimRule)
      .max(200)
      .refine((all) => new Set(all.map(scopeOf)).size === all.length, 'scopes must differ'),
  })
  .meta({ id: 'ReclaimRules' })
export type ReclaimRules = z.infer<typeof ReclaimRules>

/** The rule for one person and product, wherever it comes from. */
export type ReclaimTerms = Omit<
  ReclaimRule,
  'productId' | 'organizationId' | 'enabled' | 'inactiveDays' | 'neverSeenDays'
> & {
  readonly inactiveFor: Duration | null
  readonly neverSeenFor: Duration | null
}

/**
 * The most specific rule wins: that of the nearest organization, there the product's before the one for all products;
 * then the product's in the tenant, then the tenant's. Where it has none at all, what the licenses say.
 *
 * @param path the person's organization and those above, nearest first
 * @param sold the rules of the licenses in force for the product, in order of precedence
 * @returns undefined where nothing is reclaimed
 */
export function reclaimTerms(
  rules: readonly ReclaimRule[],
  productId: ProductId,
  path: readonly OrganizationId[],
  sold: readonly Pick<Rules, 'reclaim'>[],
): ReclaimTerms | undefined {
  for (const organizationId of [...path, undefined])
    for (const product of [productId, undefined]) {
      const found = rules.find((one) => one.organizationId === organizationId && one.productId === product)
      if (found !== undefined) return found.enabled ? termsOf(found) : undefined
    }
  const [plan] = sold.flatMap(({ reclaim }) => reclaim ?? [])
  if (plan === undefined) return undefined
  // Plans were sold that say more.
  const noticeDays = plan.noticeDays && [...new Set(plan.noticeDays.map((days) => Math.min(days, MOST_DAYS)))]
  return {
    ...termsOf(ReclaimRule.parse({})),
    inactiveFor: plan.inactiveFor,
    neverSeenFor: plan.inactiveFor,
    // An empty list would mean untold.
    ...(noticeDays && noticeDays.length > 0 && { noticeDays }),
  }
}

function termsOf({
  productId: _,
  organizationId: __,
  enabled: ___,
  inactiveDays,
  neverSeenDays,
  ...rest
}: ReclaimRule) {
  return { ...rest, inactiveFor: daysLong(inactiveDays), neverSeenFor: daysLong(neverSeenDays) }
}

const daysLong = (days: number | null) => (days === null ? null : Duration.parse(`P${days}D`))
