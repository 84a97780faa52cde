import ical, {
  ICalAlarmType,
  ICalCalendarMethod,
  ICalEventStatus,
  ICalEventTransparency,
} from 'ical-generator'
import type { Holdings } from '../../shared/domain/holdings.ts'
import { type Standing, standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { type DeadlineKind, deadlinesOf } from '../../shared/domain/reminders.ts'
import { effectiveTerm } from '../../shared/domain/status.ts'
import {
  DAY,
  dayOf,
  type Instant,
  plusMilliseconds,
  type TimeZone,
  toDate,
} from '../../shared/platform/time.ts'
import type { CalendarWords } from './texts/calendar-words.ts'

/** How long what is over stays in the calendar. */
const KEPT = 400 * DAY
/** How often a calendar program should look, in seconds. */
const REFRESH = 3600
/** Before the day, in seconds. */
const ALARMS = [30, 7, 1].map((days) => days * 24 * 3600)

/** A day of a license. Its uid is the same whenever it is, so a renewal moves it. */
type Entry = {
  readonly license: License
  readonly what: DeadlineKind | 'grace'
  readonly at: Instant
  readonly isOff: boolean
}

type FeedParts = {
  readonly name: string
  readonly host: string
  readonly held: readonly { readonly holdings: Holdings; readonly product: string }[]
  readonly timeZone: TimeZone
  readonly words: CalendarWords
  readonly now: Instant
  readonly isGenuine: (license: License) => boolean
}

/**
 * The calendar feed (RFC 5545): an event of a whole day, on the tenant's calendar, for each end of a license, trial,
 * grace or maintenance. The same facts give the same text, so that who has it need not fetch it again.
 */
export function calendarFeed({ name, host, held, timeZone, words, now, isGenuine }: FeedParts): string {
  const calendar = ical({
    name: words.name(name),
    prodId: { company: 'Latchkey', product: 'licenses', language: words.language.toUpperCase() },
    method: ICalCalendarMethod.PUBLISH,
    ttl: REFRESH,
  })
  const oldest = plusMilliseconds(now, -KEPT)
  for (const { holdings, product } of held)
    for (const { license, what, at, isOff } of entriesOf(holdings, now, isGenuine)) {
      if (at < oldest) continue
      const day = dayOf(at, timeZone)
      const isRenewed = what === 'expiry' && license.term === 'subscription'
      calendar.createEvent({
        id: `${license.id}-${what}@${host}`,
        sequence: sequenceOf(license, holdings),
        stamp: toDate(license.signedAt),
        allDay: true,
        start: day,
        summary: words.summary(isRenewed ? 'renewal' : what, product),
        description: words.description(license.id, license.customer.name),
        categories: [{ name: words.category }],
        status: isOff ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
        transparency: ICalEventTransparency.TRANSPARENT,
        ...(!isOff && {
          alarms: ALARMS.map((trigger) => ({ type: ICalAlarmType.display, trigger, description: product })),
        }),
      })
    }
  return calendar.toString()
}

function entriesOf(holdings: Holdings, now: Instant, isGenuine: (license: License) => boolean): Entry[] {
  const all = [...standings(holdings, now, isGenuine).values()]
  const going = deadlinesOf(all).flatMap(({ kind, license, endsAt, graceEndsAt }): Entry[] => [
    { license, what: kind, at: endsAt, isOff: false },
    ...(graceEndsAt ? [{ license, what: 'grace' as const, at: graceEndsAt, isOff: false }] : []),
  ])
  const known = new Set(going.map(({ license, what }) => `${license.id} ${what}`))
  const off = all.flatMap((standing) => calledOff(standing, isGenuine))
  return [...going, ...off.filter(({ license, what }) => !known.has(`${license.id} ${what}`))]
}

/** What would have ended, had the license not been revoked, suspended or removed: those who have it in theirs see so. */
function calledOff({ license, extensions }: Standing, isGenuine: (license: License) => boolean): Entry[] {
  if (license.type === 'VALIDITY' || !isGenuine(license)) return []
  if (license.appliedAt === undefined && license.deletedAt === undefined) return []
  const { expiresAt, graceEndsAt } = effectiveTerm(license, extensions)
  const what = license.type === 'TRIAL' || license.term === 'trial' ? 'trial' : 'expiry'
  const { maintenanceEndsAt } = license
  return [
    ...(expiresAt ? [{ license, what, at: expiresAt, isOff: true } as const] : []),
    ...(graceEndsAt ? [{ license, what: 'grace', at: graceEndsAt, isOff: true } as const] : []),
    ...(maintenanceEndsAt && maintenanceEndsAt !== license.expiresAt
      ? [{ license, what: 'maintenance', at: maintenanceEndsAt, isOff: true } as const]
      : []),
  ]
}

/** It only rises: rows count their writes, and those that extend a license move its end. */
const sequenceOf = (license: License, { licenses }: Holdings): number =>
  licenses
    .filter((one) => one.extends === license.id)
    .reduce((sum, { version }) => sum + version, license.version)
