// The functions of temporal-polyfill rather than its classes: half as large where they are bundled.
import * as durations from 'temporal-polyfill/fns/Duration'
import * as instants from 'temporal-polyfill/fns/Instant'
import type * as dates from 'temporal-polyfill/fns/PlainDate'
import * as zoned from 'temporal-polyfill/fns/ZonedDateTime'
import {
  Duration,
  epochMilliseconds,
  fromEpochMilliseconds,
  HOUR,
  type Instant,
  MINUTE,
  type TimeZone,
} from '../platform/time.ts'

/**
 * The instant `times` whole durations after an anchor, counted on the calendar of a time zone. Months and years keep
 * the anchor's day of month where the month has it and use its last day otherwise; counting from the anchor each time
 * keeps 31 January + 2 months on 31 March (licensing-semantics.md, section 12).
 */
export function addDuration(anchor: Instant, duration: Duration, timeZone: TimeZone, times = 1): Instant {
  const each = durations.fromString(duration)
  const total = durations.fromFields({
    years: each.years * times,
    months: each.months * times,
    weeks: each.weeks * times,
    days: each.days * times,
    hours: each.hours * times,
    minutes: each.minutes * times,
    seconds: each.seconds * times,
  })
  return fromEpochMilliseconds(zoned.add(inZone(anchor, timeZone), total).epochMilliseconds)
}

/** The same wall-clock time `days` calendar days later: 23 or 25 hours per day where the zone changes its clock. */
export function addDays(instant: Instant, days: number, timeZone: TimeZone): Instant {
  return days === 0 ? instant : addDuration(instant, Duration.parse(`P${days}D`), timeZone)
}

/** The day of an instant on the calendar of a time zone, as a date to count with. */
export const dateOf = (instant: Instant, timeZone: TimeZone): dates.Record =>
  zoned.toPlainDate(inZone(instant, timeZone))

/** The first end of a period, counted from the anchor, that lies after `after`. */
export function nextPeriodEnd(
  anchor: Instant,
  duration: Duration,
  timeZone: TimeZone,
  after: Instant,
): Instant {
  const elapsed = epochMilliseconds(after) - epochMilliseconds(anchor)
  let times = Math.max(1, Math.floor(elapsed / longest(duration)))
  let end = addDuration(anchor, duration, timeZone, times)
  while (end <= after) {
    times += 1
    end = addDuration(anchor, duration, timeZone, times)
  }
  return end
}

/** No such duration can last longer than this many milliseconds. */
function longest(duration: Duration): number {
  const { years, months, weeks, days, hours, minutes, seconds } = durations.fromString(duration)
  return (
    (years * 366 + months * 31 + weeks * 7 + days) * 25 * HOUR +
    hours * HOUR +
    minutes * MINUTE +
    seconds * 1000
  )
}

const inZone = (instant: Instant, timeZone: TimeZone): zoned.Record =>
  instants.toZonedDateTimeISO(instants.fromEpochMilliseconds(epochMilliseconds(instant)), timeZone)
