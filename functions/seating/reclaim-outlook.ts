import { byPrecedence } from '../../shared/domain/entitlement.ts'
import { pathOf } from '../../shared/domain/organization.ts'
import type { ReclaimCase } from '../../shared/domain/reclaim-case.ts'
import { type ReclaimStep, type Reporting, reclaimStep } from '../../shared/domain/reclaim-decision.ts'
import { isActivityReported, type Outlook, outlookOf, sooner } from '../../shared/domain/reclaim-outlook.ts'
import { type ReclaimRule, type ReclaimTerms, reclaimTerms } from '../../shared/domain/reclaim-rule.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import type { ProductId } from '../../shared/platform/ids.ts'
import { DAY, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import type { Person } from '../../shared/store/user.ts'
import type { TenantSeating } from './seating.ts'

/** How long until it is looked again where no rule is now: one may come with a license, of which nobody is told. */
const NO_RULE = 30 * DAY

/** What is to be done about a person's seats of one product, and on what it was decided. */
export type ProductStep = {
  readonly productId: ProductId
  readonly last: ReclaimCase | undefined
  readonly terms: ReclaimTerms | undefined
  readonly outlook: Outlook | undefined
  readonly step: ReclaimStep
}

/**
 * What is to be done about a person's seats, product by product.
 *
 * @param lastDay the last day on which anybody of the tenant was seen
 * @param rules those of the tenant, or others to see what they would do
 * @param reportedAt as of when it is asked whether activity is reported; for looking ahead
 */
export function stepsFor(
  { user, seats, cases }: Person & { readonly cases: ReadonlyMap<ProductId, ReclaimCase> },
  seating: TenantSeating,
  lastDay: string | undefined,
  now: Instant,
  {
    rules = seating.reclaimRules,
    reportedAt = now,
  }: { rules?: readonly ReclaimRule[]; reportedAt?: Instant } = {},
): ProductStep[] {
  const { timeZone } = seating.tenant
  const firstDay = (days: number) => firstDayOf(reportedAt, days, timeZone)
  return [...new Set([...seats.map(({ productId }) => productId), ...cases.keys()])].map((productId) => {
    const terms = termsFor(user, productId, seating, rules)
    const own = seats.filter((seat) => seat.productId === productId)
    const outlook = outlookOf(
      user,
      own,
      { modules: seating.products.get(productId)?.modules ?? [] },
      terms,
      now,
      timeZone,
    )
    const last = cases.get(productId)
    const reporting: Reporting = {
      isReported: isActivityReported(terms?.reportedDays ?? null, lastDay, firstDay),
    }
    return { productId, last, terms, outlook, step: reclaimStep(user, last, outlook, terms, reporting, now) }
  })
}

/** The earliest instant at which there may be something to do about somebody with these seats; none where never. */
export function lookAtOf(steps: readonly ProductStep[], seats: number, now: Instant): Instant | undefined {
  const own = steps.reduce<Instant | undefined>(
    (at, { step, terms }) =>
      sooner(
        at,
        step.does !== 'wait' ? now : terms === undefined ? plusMilliseconds(now, NO_RULE) : step.lookAt,
      ),
    undefined,
  )
  return seats === 0 ? undefined : own
}

/**
 * When a person is to be looked at because of a change, if because of that at all: at once where a case may be open, else
 * when there may be something to do at the earliest.
 */
export function nextLook(
  before: Person | undefined,
  after: Person,
  seating: TenantSeating,
  now: Instant,
): Instant | undefined {
  if (before !== undefined && before.seats.length > 0) return isSame(before, after) ? undefined : now
  const known = { ...after, cases: new Map<ProductId, ReclaimCase>() }
  // Whether activity is reported matters to what is done, not to when it is looked.
  return lookAtOf(stepsFor(known, seating, undefined, now), after.seats.length, now)
}

function termsFor(
  { organizationId }: Person['user'],
  productId: ProductId,
  { tenant, organizations, standings }: TenantSeating,
  rules: readonly ReclaimRule[],
): ReclaimTerms | undefined {
  if (tenant.archivedAt !== undefined) return undefined
  const sold = (standings.get(productId) ?? []).filter(({ counts }) => counts).toSorted(byPrecedence)
  return reclaimTerms(
    rules,
    productId,
    pathOf(organizationId, organizations),
    sold.map(({ license }) => license.rules),
  )
}

/** Is all the same that a decision over seats is made on, but activity? */
function isSame(before: Person, after: Person): boolean {
  const facts = ({ user, seats }: Person) =>
    JSON.stringify([
      [user.status, user.organizationId, user.roles, user.reclaimExempt],
      [user.onLeaveUntil, user.suspendedAt, user.leftDirectoryAt],
      seats
        .map(({ productId, metric, assignedAt, pinned }) => [productId, metric, assignedAt, pinned].join())
        .toSorted(),
    ])
  return facts(before) === facts(after)
}
