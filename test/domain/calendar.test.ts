import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { addDays, addDuration, nextPeriodEnd } from '../../shared/domain/calendar.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import {
  Countable,
  Duration,
  epochMilliseconds,
  HOUR,
  type Instant,
  LATEST,
  plusMilliseconds,
  TimeZone,
} from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'
import { anyInstant, timeZone } from './arbitraries.ts'

const UTC = TimeZone.parse('UTC')

test.each(['P99999W', 'P99Y999M99999DT99999H99999M99999S'])(
  'the longest duration, %s, and ten years of grace end at an instant that there is',
  (text) => {
    const longest = Duration.parse(text)
    const last = Countable.parse(plusMilliseconds(at(`${LATEST}-01-01T00:00:00Z`), -1))
    const reached = addDuration(last, longest, UTC)
    expect(addDays(reached, 3650, UTC) > reached).toBe(true)
    expect(Countable.safeParse(reached).success).toBe(false)
  },
)

test.each([
  ['2026-03-29T22:30:00Z', 2, '2026-03-29'], // half past midnight, after a day of 23 hours
  ['2026-10-25T22:30:00Z', 2, '2026-10-24'], // half an hour before midnight, of a day of 25 hours
  ['2026-11-21T10:00:00Z', 1, '2026-11-21'],
])('the last days until %s, %i of them, begin with %s in Berlin', (now, days, first) => {
  expect(firstDayOf(at(now), days, TimeZone.parse('Europe/Berlin'))).toBe(first)
})

describe('addDuration keeps the day of the anchor where the month has it', () => {
  test.each([
    ['P1M', 1, '2026-01-31', '2026-02-28'],
    ['P1M', 2, '2026-01-31', '2026-03-31'],
    ['P1M', 3, '2026-01-31', '2026-04-30'],
    ['P1M', 12, '2026-01-31', '2027-01-31'],
    ['P1M', 25, '2026-01-31', '2028-02-29'],
    ['P1M', 1, '2026-01-30', '2026-02-28'],
    ['P1M', 2, '2026-01-30', '2026-03-30'],
    ['P1M', 1, '2026-01-29', '2026-02-28'],
    ['P1M', 2, '2026-01-29', '2026-03-29'],
    ['P1M', 1, '2028-01-29', '2028-02-29'],
    ['P1M', 1, '2028-01-31', '2028-02-29'],
    ['P1M', 1, '2026-02-28', '2026-03-28'],
    ['P1M', 1, '2026-12-31', '2027-01-31'],
    ['P3M', 1, '2026-11-30', '2027-02-28'],
    ['P3M', 2, '2026-11-30', '2027-05-30'],
    ['P6M', 1, '2026-08-31', '2027-02-28'],
    ['P1Y', 1, '2028-02-29', '2029-02-28'],
    ['P1Y', 4, '2028-02-29', '2032-02-29'],
    ['P4Y', 1, '2096-02-29', '2100-02-28'],
    ['P1Y', 1, '2027-03-01', '2028-03-01'],
    ['P1W', 2, '2028-02-20', '2028-03-05'],
    ['P365D', 1, '2028-01-01', '2028-12-31'],
    ['P1Y2M10D', 1, '2026-12-31', '2028-03-10'],
  ])('%s × %i after %s is %s', (duration, times, anchor, end) => {
    const reached = addDuration(at(`${anchor}T09:30:00Z`), Duration.parse(duration), UTC, times)
    expect(reached).toBe(`${end}T09:30:00.000Z`)
  })

  test.each([29, 30, 31])('months counted from day %i never drift', (day) => {
    const anchor = at(`2027-01-${day}T00:00:00Z`)
    const days = Array.from({ length: 36 }, (_, month) =>
      Number(addDuration(anchor, Duration.parse('P1M'), UTC, month + 1).slice(8, 10)),
    )
    const lengths = Array.from({ length: 36 }, (_, month) => lengthOfMonth(2027, month + 2))
    expect(days).toEqual(lengths.map((length) => Math.min(day, length)))
  })

  test('milliseconds are kept', () => {
    expect(addDuration(at('2026-05-05T05:05:05.005Z'), Duration.parse('P1D'), UTC)).toBe(
      '2026-05-06T05:05:05.005Z',
    )
  })
})

describe('addDuration keeps the wall clock of the zone', () => {
  test.each([
    // zone, duration, anchor, end: each beside the wall-clock times it stands for
    ['Europe/Berlin', 'P1D', '2026-03-28T08:00', '2026-03-29T07:00'], // 09:00 CET  → 09:00 CEST, 23 hours
    ['Europe/Berlin', 'P1D', '2026-10-24T07:00', '2026-10-25T08:00'], // 09:00 CEST → 09:00 CET, 25 hours
    ['Europe/Berlin', 'P1M', '2026-03-01T23:00', '2026-04-01T22:00'], // midnight to midnight
    ['Europe/Berlin', 'P1Y', '2026-03-28T08:00', '2027-03-28T07:00'], // 09:00 CET → 09:00 CEST
    ['America/New_York', 'P1D', '2026-03-07T14:00', '2026-03-08T13:00'], // 09:00 EST → 09:00 EDT
    ['America/New_York', 'P1D', '2026-10-31T13:00', '2026-11-01T14:00'], // 09:00 EDT → 09:00 EST
    ['America/New_York', 'P1M', '2026-01-31T04:59', '2026-03-01T04:59'], // 30 January → 28 February, 23:59
    ['Australia/Lord_Howe', 'P1D', '2026-10-02T22:30', '2026-10-03T22:00'], // half an hour less
    ['Australia/Lord_Howe', 'P1D', '2026-04-03T22:00', '2026-04-04T22:30'], // half an hour more
    ['Asia/Kolkata', 'P1D', '2026-03-28T08:00', '2026-03-29T08:00'],
    // Hours are hours, whatever the clock on the wall does.
    ['Europe/Berlin', 'PT24H', '2026-03-28T08:00', '2026-03-29T08:00'],
    ['America/New_York', 'PT24H', '2026-10-31T13:00', '2026-11-01T13:00'],
    // 02:30 does not exist on 29 March and comes twice on 25 October: an hour later, and the first of the two.
    ['Europe/Berlin', 'P1D', '2026-03-28T01:30', '2026-03-29T01:30'],
    ['Europe/Berlin', 'P1D', '2026-10-24T00:30', '2026-10-25T00:30'],
  ])('%s, %s after %s is %s', (zone, duration, anchor, end) => {
    expect(addDuration(at(`${anchor}:00Z`), Duration.parse(duration), TimeZone.parse(zone))).toBe(
      `${end}:00.000Z`,
    )
  })

  test('a time that one month does not have is back in the next', () => {
    const [berlin, anchor] = [TimeZone.parse('Europe/Berlin'), at('2026-01-29T01:30:00Z')]
    const ends = [2, 3].map((times) => addDuration(anchor, Duration.parse('P1M'), berlin, times))
    expect(ends).toEqual(['2026-03-29T01:30:00.000Z', '2026-04-29T00:30:00.000Z'])
  })

  test('the same date and time of day, as many months later, on any calendar', () => {
    fc.assert(
      fc.property(anyInstant, timeZone, fc.integer({ min: 1, max: 120 }), (anchor, zone, months) => {
        const end = addDuration(anchor, Duration.parse('P1M'), zone, months)
        const [from, to] = [anchor, end].map((instant) => wallClock(instant, zone))
        if (from === undefined || to === undefined) throw new Error('two instants have two wall clocks')
        const month = from.year * 12 + from.month - 1 + months
        const [year, monthOfYear] = [Math.floor(month / 12), (month % 12) + 1]
        const day = Math.min(from.day, lengthOfMonth(year, monthOfYear))
        const expected = Temporal.PlainDateTime.from({ year, month: monthOfYear, day }).withPlainTime(
          from.toPlainTime(),
        )
        // Two hours: the longest gap of the zones tried, in which the expected time of day may fall.
        const late = expected.until(to).total('milliseconds')
        expect(late === 0 || exists(expected, zone) === false).toBe(true)
        expect(late).toBeGreaterThanOrEqual(0)
        expect(late).toBeLessThanOrEqual(2 * HOUR)
      }),
    )
  })
})

describe('addDays', () => {
  test.each([
    ['UTC', 14, '2028-02-20T00:00', '2028-03-05T00:00'],
    ['UTC', 366, '2028-01-01T00:00', '2029-01-01T00:00'],
    ['Europe/Berlin', 1, '2026-03-28T23:00', '2026-03-29T22:00'],
    ['Europe/Berlin', 14, '2026-10-17T22:00', '2026-10-31T23:00'],
    ['America/New_York', 30, '2026-02-15T05:00', '2026-03-17T04:00'],
    ['Australia/Lord_Howe', 7, '2026-03-30T13:00', '2026-04-06T13:30'],
    ['Europe/Berlin', 0, '2026-03-28T23:00', '2026-03-28T23:00'],
  ])('%s: %i days after %s is %s', (zone, days, from, to) => {
    expect(addDays(at(`${from}:00Z`), days, TimeZone.parse(zone))).toBe(`${to}:00.000Z`)
  })

  test('days added in two steps are the days added in one, where the clock has the time between', () => {
    fc.assert(
      fc.property(anyInstant, timeZone, fc.nat(400), fc.nat(400), (start, zone, first, second) => {
        const between = addDays(start, first, zone)
        fc.pre(wallClock(start, zone).toPlainTime().equals(wallClock(between, zone).toPlainTime()))
        fc.pre(onlyOnce(start, zone) && onlyOnce(between, zone))
        expect(addDays(between, second, zone)).toBe(addDays(start, first + second, zone))
      }),
    )
  })
})

describe('nextPeriodEnd', () => {
  test.each([
    ['P1M', '2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
    ['P1M', '2026-01-31T00:00:00.000Z', '2026-02-27T23:59:59.999Z', '2026-02-28T00:00:00.000Z'],
    ['P1M', '2026-01-31T00:00:00.000Z', '2026-02-28T00:00:00.000Z', '2026-03-31T00:00:00.000Z'],
    ['P1M', '2026-01-31T00:00:00.000Z', '2020-01-01T00:00:00.000Z', '2026-02-28T00:00:00.000Z'],
    ['P1Y', '2028-02-29T00:00:00.000Z', '2031-06-01T00:00:00.000Z', '2032-02-29T00:00:00.000Z'],
    ['P1Y', '2026-01-01T00:00:00.000Z', '2126-01-01T00:00:00.000Z', '2127-01-01T00:00:00.000Z'],
    ['PT1H', '2026-01-01T00:00:00.000Z', '2027-01-01T00:30:00.000Z', '2027-01-01T01:00:00.000Z'],
  ])('%s from %s, after %s: %s', (duration, anchor, after, end) => {
    expect(nextPeriodEnd(at(anchor), Duration.parse(duration), UTC, at(after))).toBe(end)
  })

  const duration = fc
    .constantFrom('P1D', 'P7D', 'P2W', 'P1M', 'P3M', 'P1Y', 'P1M15D', 'P1DT12H', 'PT36H', 'PT90M')
    .map((text) => Duration.parse(text))

  test('is the first of all ends after the instant', () => {
    fc.assert(
      fc.property(anyInstant, duration, timeZone, fc.integer({ min: -3, max: 90 }), fc.nat(), (...drawn) => {
        const [anchor, each, zone, periods, rest] = drawn
        const near = periods < 1 ? anchor : addDuration(anchor, each, zone, periods)
        const after = at(shifted(near, (rest % 3) - 1))
        let times = 1
        while (addDuration(anchor, each, zone, times) <= after) times += 1
        expect(nextPeriodEnd(anchor, each, zone, after)).toBe(addDuration(anchor, each, zone, times))
      }),
    )
  })

  test('walked from end to end it neither skips one nor repeats one', () => {
    fc.assert(
      fc.property(anyInstant, duration, timeZone, (anchor, each, zone) => {
        const walked: Instant[] = []
        for (let now = anchor; walked.length < 40; ) {
          now = nextPeriodEnd(anchor, each, zone, now)
          walked.push(now)
        }
        expect(walked).toEqual(walked.map((_, index) => addDuration(anchor, each, zone, index + 1)))
      }),
      { numRuns: 60 },
    )
  })
})

function lengthOfMonth(year: number, month: number): number {
  return Temporal.PlainYearMonth.from({
    year: year + Math.floor((month - 1) / 12),
    month: ((month - 1) % 12) + 1,
  }).daysInMonth
}

function wallClock(instant: Instant, zone: TimeZone): Temporal.PlainDateTime {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDateTime()
}

function exists(time: Temporal.PlainDateTime, zone: TimeZone): boolean {
  return time.toZonedDateTime(zone).toPlainDateTime().equals(time)
}

/** Is the zone's clock at this time of day once only on that date? */
function onlyOnce(instant: Instant, zone: TimeZone): boolean {
  const time = wallClock(instant, zone)
  const [earlier, later] = (['earlier', 'later'] as const).map((disambiguation) =>
    time.toZonedDateTime(zone, { disambiguation }).toInstant().toString(),
  )
  return earlier === later
}

function shifted(instant: Instant, milliseconds: number): string {
  return Temporal.Instant.fromEpochMilliseconds(epochMilliseconds(instant) + milliseconds).toString()
}
