import { DAY, type Instant, plusMilliseconds } from '../platform/time.ts'
import {
  type CancelReason,
  commonOf,
  isOpen,
  type OpenCase,
  type ReclaimCase,
  reclaimAtOf,
} from './reclaim-case.ts'
import type { Exclusion, Outlook } from './reclaim-outlook.ts'
import type { ReclaimTerms } from './reclaim-rule.ts'
import type { User } from './user.ts'

/** What is to be done about a person's seats of a product now. */
export type ReclaimStep =
  /** Nothing; `lookAt` is the earliest instant at which there may be something, if nothing else happens. */
  | {
      readonly does: 'wait'
      readonly excludedBy?: Exclusion | undefined
      readonly lookAt?: Instant | undefined
    }
  | { readonly does: 'open'; readonly to: OpenCase }
  | { readonly does: 'notify'; readonly to: OpenCase; readonly days: number; readonly reclaimAt: Instant }
  | { readonly does: 'cancel'; readonly to: ReclaimCase; readonly because: CancelReason }
  | { readonly does: 'reclaim'; readonly of: OpenCase; readonly terms: ReclaimTerms }

/** Facts of a tenant that no person has: that activity is reported at all. */
export type Reporting = { readonly isReported: boolean }

/** How long it is waited for activity to be reported again. */
const LOOK_AGAIN = DAY

/**
 * The one decision of reclamation, for the job and its preview alike. *candidate → notified → …* one step at a time:
 * whoever commits a step asks again. Notices are given once each, the longest ahead first. One that comes late, after an
 * outage or because somebody is found late, moves what follows it: a seat is never taken sooner after a notice than the
 * notice says.
 *
 * @param last the last case of this person and product
 * @param outlook what the facts say now; see reclaim-outlook.ts
 */
export function reclaimStep(
  user: Pick<User, 'id' | 'organizationId' | 'lastActiveAt'>,
  last: ReclaimCase | undefined,
  outlook: Outlook | undefined,
  terms: ReclaimTerms | undefined,
  { isReported }: Reporting,
  now: Instant,
): ReclaimStep {
  if (last !== undefined && isOpen(last)) {
    const because = cancelReason(user, last, outlook, terms, now)
    if (because !== undefined) {
      const to: ReclaimCase = { ...commonOf(last), state: 'canceled', endedAt: now, because }
      return { does: 'cancel', to, because }
    }
  }
  if (outlook === undefined || terms === undefined) return { does: 'wait' }
  const { excludedBy, excludedUntil, dueAt, seats, reason, since } = outlook
  if (excludedBy !== undefined) return { does: 'wait', excludedBy, lookAt: excludedUntil }
  const quietUntil =
    last && (last.state === 'kept' || last.state === 'restored') ? last.quietUntil : undefined
  if (quietUntil !== undefined && now < quietUntil)
    return { does: 'wait', excludedBy: 'COOLDOWN', lookAt: quietUntil }

  const ahead = terms.noticeDays.toSorted((a, b) => b - a)
  const open = last !== undefined && isOpen(last) ? last : undefined
  const opensAt = before(dueAt, ahead[0] ?? 0)
  if (open === undefined && now < opensAt) return { does: 'wait', lookAt: opensAt }
  if (!isReported && (reason === 'INACTIVE' || reason === 'NEVER_SEEN'))
    return { does: 'wait', excludedBy: 'ACTIVITY_NOT_REPORTED', lookAt: plusMilliseconds(now, LOOK_AGAIN) }
  if (open === undefined) {
    const to: OpenCase = {
      state: 'candidate',
      userId: user.id,
      ...(user.organizationId && { organizationId: user.organizationId }),
      productId: seats[0]?.productId ?? noSeats(),
      metrics: metricsOf(outlook),
      reason,
      since,
      dueAt,
      openedAt: now,
      notices: [],
      version: (last?.version ?? 0) + 1,
    }
    return { does: 'open', to }
  }
  const reclaimAt = reclaimAtOf(open, dueAt)
  const [days] = ahead.filter((one) => open.notices.every((given) => one < given.days))
  if (days !== undefined) {
    const noticeAt = before(reclaimAt, days)
    if (now < noticeAt) return { does: 'wait', lookAt: noticeAt }
    const notices = [...open.notices, { days, at: now }]
    const to: OpenCase = { ...commonOf(open), state: 'notified', dueAt, notices }
    return { does: 'notify', to, days, reclaimAt: reclaimAtOf(to, dueAt) }
  }
  return now < reclaimAt ? { does: 'wait', lookAt: reclaimAt } : { does: 'reclaim', of: open, terms }
}

/** Why an open case is over: what it was opened for is not so any more. */
function cancelReason(
  { lastActiveAt }: Pick<User, 'lastActiveAt'>,
  open: OpenCase,
  outlook: Outlook | undefined,
  terms: ReclaimTerms | undefined,
  now: Instant,
): CancelReason | undefined {
  if (terms === undefined) return 'RULES_CHANGED'
  if (outlook === undefined) return 'FACTS_CHANGED'
  if (outlook.excludedBy !== undefined) return 'EXCLUDED'
  const isSame = outlook.reason === open.reason && outlook.since === open.since
  if (!isSame)
    return outlook.since === lastActiveAt && outlook.since > open.since ? 'ACTIVITY' : 'FACTS_CHANGED'
  if (metricsOf(outlook).join() !== open.metrics.join()) return 'FACTS_CHANGED'
  // By a clock that is behind it may not have been opened yet.
  const at = open.openedAt > now ? open.openedAt : now
  return at < before(outlook.dueAt, Math.max(...terms.noticeDays)) ? 'RULES_CHANGED' : undefined
}

const metricsOf = ({ seats }: Pick<Outlook, 'seats'>) => seats.map(({ metric }) => metric).toSorted()
const before = (at: Instant, days: number) => plusMilliseconds(at, -days * DAY)

function noSeats(): never {
  throw new RangeError('an outlook has seats')
}
