import * as z from 'zod'
import { LicenseId, ProductId } from '../platform/ids.ts'
import { Instant, latest } from '../platform/time.ts'
import type { Metric } from './catalog.ts'
import { type Holdings, independent, type Standing } from './holdings.ts'
import type { License } from './license.ts'
import { usedOf } from './meter-rule.ts'
import { effectiveTerm, STATUSES } from './status.ts'
import { Code, Features, type FeatureValue, LicenseType, Limit, own } from './terms.ts'

/** One license's part of a number, so that every number can be traced. */
const Source = z.strictObject({ licenseId: LicenseId, type: LicenseType, amount: Limit })

/** The countable part of an entitlement: what is granted and used of one metric. */
export const Pool = z.strictObject({
  metric: Code,
  capacity: Limit,
  /**
   * Seats, machines and leases given out here, where any ever was, and else what was reported. A validation shows what was
   * reported.
   */
  used: z.number(),
  remaining: Limit,
  /** Used as a share of capacity in percent, rounded half up; null where capacity is unlimited or 0. */
  utilization: z.number().nullable(),
  sources: z.array(Source),
})
export type Pool = z.infer<typeof Pool>

/** Where one license stands: whether it counts, and if not, why. */
export const Standpoint = z.strictObject({
  licenseId: LicenseId,
  type: LicenseType,
  status: z.enum(STATUSES),
  counts: z.boolean(),
  because: z.enum(['STATUS', 'NOT_APPLIED', 'BASE_NOT_IN_FORCE', 'TAMPERED']).optional(),
  expiresAt: Instant.optional(),
  graceEndsAt: Instant.optional(),
})
export type Standpoint = z.infer<typeof Standpoint>

export function standpoint({ license, status, extensions, counts, because }: Standing): Standpoint {
  return {
    licenseId: license.id,
    type: license.type,
    status,
    counts,
    ...(because && { because }),
    ...effectiveTerm(license, extensions),
  }
}

/** What all of a tenant's licenses in force give it for one product at an instant. */
export const Entitlement = z
  .strictObject({
    productId: ProductId,
    inForce: z.boolean(),
    pools: z.array(Pool),
    features: Features,
    /** When the last license in force expires; absent if one never does or none is in force. */
    expiresAt: Instant.optional(),
  })
  .meta({ id: 'Entitlement' })
export type Entitlement = z.infer<typeof Entitlement>

/**
 * Adds up what counts. Capacities are summed per metric, `unlimited` absorbs; features merge: a boolean is true if any
 * license says so, a number is the highest, a text is that of the license ending last.
 *
 * @param givenOut by metric (store/given-out.ts): their use, whatever was reported; what people hold on to though no
 *   license gives any now has a pool, too
 */
export function entitlement(
  holdings: Holdings,
  standings: Iterable<Standing>,
  givenOut: ReadonlyMap<string, number> = NOTHING,
): Entitlement {
  const all = [...standings]
  const counting = all.filter((standing) => standing.counts).toSorted(byPrecedence)
  const metrics = new Set([
    ...counting.flatMap(({ license }) => Object.keys(license.limits)),
    ...holdings.usage.map((usage) => usage.metric),
    ...givenOut.keys(),
  ])
  const ends = independent(counting).map(
    ({ license, extensions }) => effectiveTerm(license, extensions).expiresAt,
  )
  const last = ends.includes(undefined) ? undefined : latest(ends)
  return {
    productId: holdings.productId,
    inForce: counting.length > 0,
    pools: [...metrics]
      .toSorted()
      .map((metric) => pool(metric, counting, givenOut.get(metric) ?? usedOf(holdings.usage, metric, all))),
    features: mergedFeatures(counting),
    ...(last && { expiresAt: last }),
  }
}

const NOTHING: ReadonlyMap<string, number> = new Map()

function pool(metric: Metric['code'], counting: readonly Standing[], used: number): Pool {
  const sources = counting.flatMap(({ license }) => {
    const amount = own(license.limits, metric)
    return amount === undefined ? [] : [{ licenseId: license.id, type: license.type, amount }]
  })
  const capacity = sum(sources.map((source) => source.amount))
  return { metric, capacity, used, ...room(capacity, used), sources }
}

/** What is left of a capacity, and how much of it is used. */
export function room(capacity: Limit, used: number): { remaining: Limit; utilization: number | null } {
  if (capacity === 'unlimited') return { remaining: 'unlimited', utilization: null }
  return {
    remaining: Math.max(0, capacity - used),
    utilization: capacity === 0 ? null : Math.round((used * 100) / capacity),
  }
}

export function sum(limits: readonly Limit[]): Limit {
  return limits.reduce<Limit>(
    (total, one) => (total === 'unlimited' || one === 'unlimited' ? 'unlimited' : total + one),
    0,
  )
}

function mergedFeatures(counting: readonly Standing[]): Record<string, FeatureValue> {
  const merged = new Map<string, FeatureValue>()
  for (const { license } of counting.toSorted((a, b) => compare(endOf(b), endOf(a)))) {
    for (const [code, value] of Object.entries(license.features)) {
      merged.set(code, merge(merged.get(code), value))
    }
  }
  return Object.fromEntries([...merged].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

// Licenses come ending last first, so for texts the first one stays.
function merge(known: FeatureValue | undefined, value: FeatureValue): FeatureValue {
  if (typeof known === 'boolean' && typeof value === 'boolean') return known || value
  if (typeof known === 'number' && typeof value === 'number') return Math.max(known, value)
  return known ?? value
}

const TYPE_ORDER: readonly License['type'][] = ['NORMAL', 'TOPUP', 'FEATURE', 'VALIDITY', 'TRIAL']

/**
 * The documented order in which licenses are listed and use is attributed to them: by type (NORMAL, TOPUP, FEATURE,
 * VALIDITY, TRIAL), active before grace, ending last first (never first of all), then by id.
 */
export function byPrecedence(a: Standing, b: Standing): number {
  return (
    compareTypes(a, b) ||
    Number(a.status === 'GRACE') - Number(b.status === 'GRACE') ||
    compare(endOf(b), endOf(a)) ||
    compare(a.license.id, b.license.id)
  )
}

/** By type, then by id: unlike the order of precedence, this one does not change when a license is renewed. */
export const byRole = (a: Standing, b: Standing): number =>
  compareTypes(a, b) || compare(a.license.id, b.license.id)

const compareTypes = (a: Standing, b: Standing) =>
  TYPE_ORDER.indexOf(a.license.type) - TYPE_ORDER.indexOf(b.license.type)

/** Sorts after every instant. */
const NEVER = 'never'
const endOf = ({ license, extensions }: Standing) => effectiveTerm(license, extensions).expiresAt ?? NEVER
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** What of a metric's use falls on each license that counts: each is filled to its limit in order of precedence. */
type Attribution = { licenseId: LicenseId; metric: string; used: number; limit: Limit }

/** `excess` is what no license covers. */
export function attribute(
  metric: string,
  used: number,
  standings: Iterable<Standing>,
): { shares: Attribution[]; excess: number } {
  const shares: Attribution[] = []
  let left = used
  for (const { license } of [...standings].filter((one) => one.counts).toSorted(byPrecedence)) {
    const limit = own(license.limits, metric)
    if (limit === undefined) continue
    const share = limit === 'unlimited' ? left : Math.min(left, limit)
    shares.push({ licenseId: license.id, metric, used: share, limit })
    left -= share
  }
  return { shares, excess: left }
}
