import type { LicenseId } from '../platform/ids.ts'
import {
  DAY,
  Duration,
  epochMilliseconds,
  type Instant,
  plusMilliseconds,
  type TimeZone,
} from '../platform/time.ts'
import { addDuration } from './calendar.ts'
import type { Standing } from './holdings.ts'
import type { License } from './license.ts'
import { effectiveTerm, isInForce } from './status.ts'

/** What ends on a day of which people are told beforehand. */
const DEADLINES = ['expiry', 'trial', 'maintenance'] as const
export type DeadlineKind = (typeof DEADLINES)[number]

/** That something of a license ends, with its extensions counted. */
export type Deadline = {
  readonly kind: DeadlineKind
  readonly license: License
  readonly endsAt: Instant
  /** It works until then, though it is over. */
  readonly graceEndsAt?: Instant
  /** How long it runs from one end to the next, in milliseconds: who buys by the month is not told 90 days before. */
  readonly length: number
}

/** `ahead` of it, `ended` without grace, `grace` begun or going on, `over` at the end of grace. */
type Phase = 'ahead' | 'ended' | 'grace' | 'over'

/** A time at which people are told of a deadline, until the next such time. */
export type Stage = {
  /** Tells it from the others of its deadline. */
  readonly name: string
  readonly phase: Phase
  readonly from: Instant
  readonly until: Instant
}

/** How many days before it people are told. */
export type ReminderTerms = {
  readonly reminderDays: readonly number[]
  /** Before the end of grace. */
  readonly graceDays: readonly number[]
  readonly maintenanceDays: readonly number[]
}

/** How long that something is over is still news. */
const NEWS = 7 * DAY

/**
 * What ends of the licenses that a tenant holds of a product. A suspended or revoked license has said so itself, the time
 * that a VALIDITY license adds is its base's, and the end of a trial is none once the product was bought.
 */
export function deadlinesOf(standings: Iterable<Standing>): Deadline[] {
  const all = [...standings]
  const isBought = all.some(({ license, counts }) => license.type === 'NORMAL' && counts)
  return all
    .filter(({ license, status, because }) => {
      if (because === 'TAMPERED' || license.type === 'VALIDITY') return false
      if (license.appliedAt === undefined || license.deletedAt !== undefined) return false
      return status !== 'REVOKED' && status !== 'SUSPENDED'
    })
    .flatMap((standing) => [...expiryOf(standing, isBought), ...maintenanceOf(standing)])
}

function expiryOf({ license, extensions }: Standing, isBought: boolean): Deadline[] {
  const { expiresAt, graceEndsAt } = effectiveTerm(license, extensions)
  const isTrial = license.type === 'TRIAL' || license.term === 'trial'
  if (expiresAt === undefined || (isTrial && isBought)) return []
  return [
    {
      kind: isTrial ? 'trial' : 'expiry',
      license,
      endsAt: expiresAt,
      ...(graceEndsAt && { graceEndsAt }),
      length: lengthOf(license, expiresAt),
    },
  ]
}

function maintenanceOf({ license, status }: Standing): Deadline[] {
  const { maintenanceEndsAt, validFrom } = license
  // It ends with the license, which has its own.
  if (maintenanceEndsAt === undefined || maintenanceEndsAt === license.expiresAt) return []
  if (!isInForce(status) && status !== 'PENDING') return []
  const length = epochMilliseconds(maintenanceEndsAt) - epochMilliseconds(validFrom)
  return [{ kind: 'maintenance', license, endsAt: maintenanceEndsAt, length }]
}

function lengthOf({ duration, timeZone, validFrom }: License, endsAt: Instant): number {
  const begin = duration === undefined ? validFrom : addDuration(endsAt, duration, timeZone, -1)
  return epochMilliseconds(endsAt) - epochMilliseconds(begin)
}

/**
 * When people are told of a deadline, in the order of time: so many days before it, at the same time of day on their
 * calendar. Of the days only those count that are at most half of how long the license runs.
 */
export function stagesOf(deadline: Deadline, terms: ReminderTerms, timeZone: TimeZone): Stage[] {
  const { kind, endsAt, graceEndsAt, length } = deadline
  const days = kind === 'maintenance' ? terms.maintenanceDays : terms.reminderDays
  const ahead = days.filter((each) => each > 0 && each * 2 * DAY <= length)
  const starts: Omit<Stage, 'until'>[] = ahead.map((each) => ({
    name: String(each),
    phase: 'ahead',
    from: daysBefore(endsAt, each, timeZone),
  }))
  if (days.includes(0)) starts.push({ name: '0', phase: graceEndsAt ? 'grace' : 'ended', from: endsAt })
  if (graceEndsAt !== undefined)
    for (const each of terms.graceDays) {
      const from = each === 0 ? graceEndsAt : daysBefore(graceEndsAt, each, timeZone)
      if (from > endsAt) starts.push({ name: `grace-${each}`, phase: each === 0 ? 'over' : 'grace', from })
    }
  const sorted = starts.toSorted((one, other) => (one.from < other.from ? -1 : 1))
  return sorted.map((stage, index) => ({
    ...stage,
    until: sorted[index + 1]?.from ?? plusMilliseconds(stage.from, NEWS),
  }))
}

/** The stage that `now` lies in, and when the next one begins: who slept through several is told the last of them. */
export function stageAt(
  stages: readonly Stage[],
  now: Instant,
): { readonly stage?: Stage; readonly next?: Instant } {
  const stage = stages.find(({ from, until }) => from <= now && now < until)
  const next = stages.find(({ from }) => from > now)?.from
  return { ...(stage && { stage }), ...(next && { next }) }
}

const daysBefore = (instant: Instant, days: number, timeZone: TimeZone): Instant =>
  addDuration(instant, Duration.parse(`P${days}D`), timeZone, -1)

/** What makes the notice of a stage one of a kind: a license that is renewed ends at another instant, and is new. */
export const occasionOf = (
  { kind, license, endsAt }: Pick<Deadline, 'kind' | 'endsAt'> & { license: { id: LicenseId } },
  stage: Pick<Stage, 'name'>,
): string[] => [license.id, kind, endsAt, stage.name]
