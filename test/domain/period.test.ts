import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GRACE, isOpen, marks, type PeriodTerms, periodOf } from '../../shared/domain/period.ts'
import { DAY, Duration, HOUR, plusMilliseconds, TimeZone } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'
import { tick, timeZone } from './arbitraries.ts'

const terms = (anchor: string, each: string, zone = 'UTC'): PeriodTerms => ({
  anchor: at(anchor),
  each: Duration.parse(each),
  timeZone: TimeZone.parse(zone),
})

describe('a period', () => {
  test.each<[string, PeriodTerms, string, string, string]>([
    [
      'begins with the day of the anchor, whatever its hour',
      terms('2026-01-15T17:30:00Z', 'P1M'),
      '2026-01-15T03:00:00Z',
      '2026-01-15T00:00:00Z',
      '2026-02-15T00:00:00Z',
    ],
    [
      'ends before its last instant',
      terms('2026-01-15T17:30:00Z', 'P1M'),
      '2026-02-15T00:00:00Z',
      '2026-02-15T00:00:00Z',
      '2026-03-15T00:00:00Z',
    ],
    [
      'of the 31st begins on the last of February',
      terms('2026-01-31T10:00:00Z', 'P1M'),
      '2026-03-01T00:00:00Z',
      '2026-02-28T00:00:00Z',
      '2026-03-31T00:00:00Z',
    ],
    [
      'of the 31st comes back to the 31st',
      terms('2026-01-31T10:00:00Z', 'P1M'),
      '2026-06-15T00:00:00Z',
      '2026-05-31T00:00:00Z',
      '2026-06-30T00:00:00Z',
    ],
    [
      'of the 30th skips to the 29th in a leap year',
      terms('2027-12-30T10:00:00Z', 'P1M'),
      '2028-03-01T00:00:00Z',
      '2028-02-29T00:00:00Z',
      '2028-03-30T00:00:00Z',
    ],
    [
      'of years from 29 February begins on the 28th',
      terms('2024-02-29T10:00:00Z', 'P1Y'),
      '2026-06-01T00:00:00Z',
      '2026-02-28T00:00:00Z',
      '2027-02-28T00:00:00Z',
    ],
    [
      'of years from 29 February has its own day in leap years',
      terms('2024-02-29T10:00:00Z', 'P1Y'),
      '2028-06-01T00:00:00Z',
      '2028-02-29T00:00:00Z',
      '2029-02-28T00:00:00Z',
    ],
    [
      'begins at midnight of the zone, on both sides of its change of clock',
      terms('2026-03-15T12:00:00Z', 'P1M', 'Europe/Berlin'),
      '2026-04-01T00:00:00Z',
      '2026-03-14T23:00:00Z',
      '2026-04-14T22:00:00Z',
    ],
    [
      'is counted from the day that it is in the zone',
      terms('2026-01-31T23:30:00Z', 'P1M', 'Asia/Kolkata'),
      '2026-02-15T00:00:00Z',
      '2026-01-31T18:30:00Z',
      '2026-02-28T18:30:00Z',
    ],
    [
      'begins at one where the clock leaves midnight out',
      terms('2017-10-15T12:00:00Z', 'P1M', 'America/Sao_Paulo'),
      '2017-10-20T00:00:00Z',
      '2017-10-15T03:00:00Z',
      '2017-11-15T02:00:00Z',
    ],
    [
      'of a day may last 23 hours',
      terms('2026-01-01T12:00:00Z', 'P1D', 'Europe/Berlin'),
      '2026-03-29T12:00:00Z',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
    ],
    [
      'before the anchor is the first',
      terms('2026-01-15T17:30:00Z', 'P2W'),
      '2020-01-01T00:00:00Z',
      '2026-01-15T00:00:00Z',
      '2026-01-29T00:00:00Z',
    ],
    [
      'is found in the far future',
      terms('2000-01-31T00:00:00Z', 'P1M'),
      '2099-02-10T00:00:00Z',
      '2099-01-31T00:00:00Z',
      '2099-02-28T00:00:00Z',
    ],
  ])('%s', (_, from, instant, start, end) => {
    expect(periodOf(from, at(instant))).toEqual({ from: at(start), until: at(end) })
  })

  const drawn = fc.record({
    anchor: fc.integer({ min: 0, max: 1500 }).map((day) => tick(day, 3_600_000 * (day % 24))),
    each: fc
      .constantFrom('P1D', 'P1W', 'P1M', 'P3M', 'P1Y', 'P2Y', 'P1M15D')
      .map((text) => Duration.parse(text)),
    timeZone,
  })

  test('holds every instant since the anchor once: periods follow each other without gap or overlap', () => {
    fc.assert(
      fc.property(
        drawn,
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 0, max: DAY }),
        (from, day, ms) => {
          const instant = plusMilliseconds(from.anchor, day * DAY + ms)
          const period = periodOf(from, instant)
          expect(period.from <= instant && instant < period.until).toBe(true)
          expect(periodOf(from, period.from)).toEqual(period)
          expect(periodOf(from, plusMilliseconds(period.until, -1))).toEqual(period)
          expect(periodOf(from, period.until).from).toBe(period.until)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('takes what comes late for seven days, to the millisecond', () => {
    const period = { from: at('2026-01-01T00:00:00Z'), until: at('2026-02-01T00:00:00Z') }
    expect(isOpen(period, plusMilliseconds(period.until, GRACE - 1))).toBe(true)
    expect(isOpen(period, plusMilliseconds(period.until, GRACE))).toBe(false)
  })
})

describe('the marks of a series', () => {
  const zone = (name: string) => TimeZone.parse(name)
  const count = (from: string, until: string, step: 'hour' | 'day' | 'month', name: string) =>
    marks(at(from), at(until), step, zone(name)).length - 1

  test.each<[string, string, string, 'hour' | 'day' | 'month', string, number]>([
    ['a day', '2026-06-01T00:00:00Z', '2026-06-02T00:00:00Z', 'hour', 'UTC', 24],
    [
      'the day the clock goes forward',
      '2026-03-28T23:00:00Z',
      '2026-03-29T22:00:00Z',
      'hour',
      'Europe/Berlin',
      23,
    ],
    ['the day it goes back', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 'hour', 'Europe/Berlin', 25],
    ['a zone of half hours', '2026-06-01T18:30:00Z', '2026-06-02T18:30:00Z', 'hour', 'Asia/Kolkata', 24],
    ['an hour that is cut', '2026-06-01T00:30:00Z', '2026-06-01T01:30:00Z', 'hour', 'UTC', 2],
    ['a week over a change', '2026-03-25T23:00:00Z', '2026-04-01T22:00:00Z', 'day', 'Europe/Berlin', 7],
    ['a year', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z', 'month', 'UTC', 12],
    ['months from the middle', '2026-01-31T00:00:00Z', '2026-03-01T00:00:00Z', 'month', 'UTC', 2],
  ])('%s', (_, from, until, step, name, expected) => {
    expect(count(from, until, step, name)).toBe(expected)
  })

  test('cover the time asked for with whole stretches that rise', () => {
    const step = fc.constantFrom<('hour' | 'day' | 'month')[]>('hour', 'day', 'month')
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 1, max: 20 * 24 }),
        fc.nat(HOUR),
        step,
        timeZone,
        (day, hours, ms, by, name) => {
          const from = tick(day, ms)
          const until = plusMilliseconds(from, hours * HOUR)
          const found = marks(from, until, by, name)
          expect(found[0] !== undefined && found[0] <= from).toBe(true)
          expect((found.at(-1) ?? '') >= until && (found.at(-2) ?? '') < until).toBe(true)
          expect((found[1] ?? '') > from).toBe(true)
          expect(found.toSorted()).toEqual(found)
          expect(new Set(found).size).toBe(found.length)
        },
      ),
    )
  })
})
