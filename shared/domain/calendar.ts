import { Temporal } from 'temporal-polyfill'
import { Duration, epochMilliseconds, HOUR, Instant, MINUTE, type TimeZone } from '../platform/time.ts'

/**
 * The instant `times` whole durations after an anchor, counted on the calendar of a time zone. Months and years keep
 * the anchor's day of month where the month has it and use its last day otherwise; counting from the anchor each time
 * keeps 31 January + 2 months on 31 March (licensing-semantics.md, section 12).
 */
export function addDuration(anchor: Instant, duration: Duration, timeZone: TimeZone, times = 1): Instant {
  const each = Temporal.Duration.from(duration)
  const total = Temporal.Duration.from({
    years: each.years * times,
    months: each.months * times,
    weeks: each.weeks * times,
    days: each.days * times,
    hours: each.hours * times,
    minutes: each.minutes * times,
    seconds: each.seconds * times,
  })
  const end = Temporal.Instant.from(anchor).toZonedDateTimeISO(timeZone).add(total)
  return Instant.parse(end.toInstant().toString())
}

/** The same wall-clock time `days` calendar days later: 23 or 25 hours per day where the zone changes its clock. */
export function addDays(instant: Instant, days: number, timeZone: TimeZone): Instant {
  return days === 0 ? instant : addDuration(instant, Duration.parse(`P${days}D`), timeZone)
}

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
  const { years, months, weeks, days, hours, minutes, seconds } = Temporal.Duration.from(duration)
  return (
    (years * 366 + months * 31 + weeks * 7 + days) * 25 * HOUR +
    hours * HOUR +
    minutes * MINUTE +
    seconds * 1000
  )
}
