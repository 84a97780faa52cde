import * as durations from 'temporal-polyfill/fns/Duration'
import * as dates from 'temporal-polyfill/fns/PlainDate'
import {
  DAY,
  type Duration,
  fromEpochMilliseconds,
  HOUR,
  type Instant,
  plusMilliseconds,
  type TimeZone,
} from '../platform/time.ts'
import { dateOf } from './calendar.ts'

/** From its first instant up to, not including, the one it ends at. */
export type Period = { readonly from: Instant; readonly until: Instant }

/** What periods are counted from: the day of the anchor, on the calendar of the zone. */
export type PeriodTerms = {
  readonly anchor: Instant
  readonly each: Duration
  readonly timeZone: TimeZone
}

/** How long after its end a period takes usage that comes late (licensing-semantics.md, section 17). */
export const GRACE = 7 * DAY

/**
 * The period that an instant lies in; the first one for what is before the anchor. A period begins with its day in the
 * zone. The days are counted from the anchor each time, so months that begin on the 31st begin on the last day of a
 * shorter month and on the 31st again afterwards; years of 29 February likewise.
 */
export function periodOf({ anchor, each, timeZone }: PeriodTerms, at: Instant): Period {
  const first = dateOf(anchor, timeZone)
  const duration = durations.fromString(each)
  const start = (times: number) => startOf(dates.add(first, multiple(duration, times)), timeZone)
  const elapsed = dates.diffDays(first, dateOf(at, timeZone))
  // No more than have begun for sure: from there it is a few steps.
  let times = Math.max(0, Math.floor(elapsed / longestDays(duration)) - 1)
  let [from, until] = [start(times), start(times + 1)]
  while (until <= at) {
    times += 1
    ;[from, until] = [until, start(times + 1)]
  }
  return { from, until }
}

/** Does the period still take what was used in it? */
export const isOpen = ({ until }: Period, now: Instant): boolean => now < plusMilliseconds(until, GRACE)

/** The first instant of the day of an instant in the zone: midnight, or later where the clock leaves it out. */
export const dayStart = (at: Instant, timeZone: TimeZone): Instant => startOf(dateOf(at, timeZone), timeZone)

export type Step = 'hour' | 'day' | 'month'

/**
 * Where the hours, days or months of the zone that overlap the time from `from` to `until` begin, and where the last
 * one ends. Hours are counted from the beginning of the day: a day has 23 to 25 of them, half ones where the zone moves
 * its clock by half an hour.
 */
export function marks(from: Instant, until: Instant, step: Step, timeZone: TimeZone): Instant[] {
  if (step === 'hour') {
    const days = marks(from, until, 'day', timeZone)
    const hours = days.flatMap((day, index) => hoursOf(day, days[index + 1] ?? day))
    return hours.slice(
      hours.findLastIndex((hour) => hour <= from),
      hours.findIndex((hour) => hour >= until) + 1 || hours.length,
    )
  }
  const date = dateOf(from, timeZone)
  const first = step === 'day' ? date : dates.startOfMonth(date)
  const found: Instant[] = []
  for (let times = 0; ; times += 1) {
    const next = step === 'day' ? dates.addDays(first, times) : dates.addMonths(first, times)
    const mark = startOf(next, timeZone)
    found.push(mark)
    if (mark >= until) return found
  }
}

/** The hours of a day; of the end behind the last day, its one instant. */
function hoursOf(day: Instant, next: Instant): Instant[] {
  const found = [day]
  for (let hour = plusMilliseconds(day, HOUR); hour < next; hour = plusMilliseconds(hour, HOUR))
    found.push(hour)
  return found
}

const startOf = (date: dates.Record, timeZone: TimeZone): Instant =>
  fromEpochMilliseconds(dates.toZonedDateTime(date, timeZone).epochMilliseconds)

const multiple = ({ years, months, weeks, days }: durations.Record, times: number) =>
  durations.fromFields({
    years: years * times,
    months: months * times,
    weeks: weeks * times,
    days: days * times,
  })

const longestDays = ({ years, months, weeks, days }: durations.Record) =>
  years * 366 + months * 31 + weeks * 7 + days
