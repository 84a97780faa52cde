import * as z from 'zod'
import { earliest, type Instant, latest, type TimeZone } from '../platform/time.ts'
import { addDays, addDuration } from './calendar.ts'
import type { Product } from './catalog.ts'
import type { ReclaimReason } from './reclaim-case.ts'
import type { ReclaimTerms } from './reclaim-rule.ts'
import type { Seat } from './seat.ts'
import type { User } from './user.ts'

/** Why a seat stays though there would be a reason to take it. */
const EXCLUSIONS = [
  'EXEMPT',
  'EXEMPT_ROLE',
  'ON_LEAVE',
  'PINNED',
  'COOLDOWN',
  'ACTIVITY_NOT_REPORTED',
] as const
export const Exclusion = z.enum(EXCLUSIONS)
export type Exclusion = z.infer<typeof Exclusion>

/** Taken in one transaction; what is left makes the next case. Each is some four of the 100 items it may have (AWS). */
const MOST_SEATS = 10

/** What a person's facts say about its seats of a product, whatever was done about them so far. */
export type Outlook = {
  readonly seats: readonly Seat[]
  readonly reason: ReclaimReason
  readonly since: Instant
  /** When the seats are to be taken by the rule, if nothing changes. */
  readonly dueAt: Instant
  /** Why they are not, all the same. */
  readonly excludedBy?: Exclusion | undefined
  /** From then on they are not excluded any more, by themselves. */
  readonly excludedUntil?: Instant | undefined
}

/**
 * Which seats of a product a person seems not to need, why, and when they are due: by the reason that comes first.
 * Whoever was on leave is counted from its end. A seat that was given later than the person was last seen is counted
 * from when it was given.
 *
 * @param seats the person's seats of the product
 * @returns undefined where nothing of it can ever be taken: no seats, no rule, or no reason
 */
export function outlookOf(
  user: User,
  seats: readonly Seat[],
  product: Pick<Product, 'modules'>,
  terms: ReclaimTerms | undefined,
  now: Instant,
  timeZone: TimeZone,
): Outlook | undefined {
  if (terms === undefined || seats.length === 0) return undefined
  const loose = reclaimable(seats, product)
  const asked = loose.length > 0 ? loose : seats
  const { onLeaveUntil: leave } = user
  const isOnLeave = leave !== undefined && now < leave
  const given = latest(asked.map(({ assignedAt }) => assignedAt)) ?? now
  const idleSince = latest([given, user.lastActiveAt, leave])
  const idleFor = user.lastActiveAt === undefined ? terms.neverSeenFor : terms.inactiveFor
  const grounds: Pick<Outlook, 'reason' | 'since' | 'dueAt'>[] = []
  if (idleSince !== undefined && idleFor !== null)
    grounds.push({
      reason: user.lastActiveAt === undefined ? 'NEVER_SEEN' : 'INACTIVE',
      since: idleSince,
      dueAt: addDuration(idleSince, idleFor, timeZone),
    })
  const { suspendedAt, leftDirectoryAt } = user
  if (suspendedAt !== undefined && terms.suspendedDays !== null)
    grounds.push({
      reason: 'SUSPENDED',
      since: suspendedAt,
      dueAt: addDays(suspendedAt, terms.suspendedDays, timeZone),
    })
  if (leftDirectoryAt !== undefined && terms.leftDays !== null)
    grounds.push({
      reason: 'LEFT_DIRECTORY',
      since: leftDirectoryAt,
      dueAt: addDays(leftDirectoryAt, terms.leftDays, timeZone),
    })
  const [first] = grounds.toSorted((a, b) => (a.dueAt < b.dueAt ? -1 : 1))
  if (first === undefined) return undefined
  const isIdle = first.reason === 'INACTIVE' || first.reason === 'NEVER_SEEN'
  return {
    seats: asked,
    ...first,
    ...(user.reclaimExempt
      ? { excludedBy: 'EXEMPT' }
      : terms.exemptRoles.some((role) => user.roles.includes(role))
        ? { excludedBy: 'EXEMPT_ROLE' }
        : loose.length === 0
          ? { excludedBy: 'PINNED' }
          : isIdle && isOnLeave
            ? { excludedBy: 'ON_LEAVE', excludedUntil: leave }
            : {}),
  }
}

/** Is it known of anybody that it was seen lately? Where not, nobody is taken for inactive. */
export function isActivityReported(
  reportedDays: number | null,
  lastDay: string | undefined,
  firstDay: (days: number) => string,
): boolean {
  return reportedDays === null || (lastDay !== undefined && lastDay >= firstDay(reportedDays))
}

/** Seats that are not pinned, and that no pinned one needs. */
function reclaimable(seats: readonly Seat[], { modules }: Pick<Product, 'modules'>): Seat[] {
  const needed = new Set(seats.filter(({ pinned }) => pinned).flatMap((seat) => seat.modules))
  for (let before = -1; before !== needed.size; ) {
    before = needed.size
    for (const { code, seat } of modules)
      if (needed.has(code)) for (const other of seat?.requires ?? []) needed.add(other)
  }
  return seats
    .filter((seat) => !seat.pinned && !seat.modules.some((code) => needed.has(code)))
    .toSorted((a, b) => (a.metric < b.metric ? -1 : 1))
    .slice(0, MOST_SEATS)
}

/** The earlier of two, where either may be never. */
export const sooner = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined ? b : earliest(a, b)
