import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  DAY,
  Duration,
  earliest,
  epochMilliseconds,
  epochSeconds,
  fromEpochMilliseconds,
  HOUR,
  Instant,
  MINUTE,
  plusMilliseconds,
  readClock,
  TimeZone,
  toDate,
} from '../../shared/platform/time.ts'

// The years 0000 to 9999: what four digits can say.
const FIRST = -62_167_219_200_000
const LAST = 253_402_300_799_999
const milliseconds = fc.integer({ min: FIRST, max: LAST })

describe('an instant', () => {
  test.each([
    ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00.000Z'],
    ['2026-11-21T10:00:00.5Z', '2026-11-21T10:00:00.500Z'],
    ['2026-11-21T10:00:00.123456789Z', '2026-11-21T10:00:00.123Z'],
    ['2026-11-21T10:00:00.999999Z', '2026-11-21T10:00:00.999Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
    ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(Instant.parse(text)).toBe(expected)
  })

  test.each([
    '',
    '2026-11-21',
    '2026-11-21T10:00:00',
    '2026-11-21T10:00Z',
    '2026-11-21T10:00:00+01:00',
    '2026-11-21T10:00:00+00:00',
    '2026-11-21 10:00:00Z',
    '2026-11-21T10:00:00z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T23:59:60Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '+012026-01-01T00:00:00Z',
    '-000001-01-01T00:00:00Z',
    'Sat, 21 Nov 2026 10:00:00 GMT',
    '1795255200000',
    ' 2026-11-21T10:00:00Z',
    '2026-11-21T10:00:00Z\n',
  ])('%j is none', (text) => {
    expect(Instant.safeParse(text).success).toBe(false)
  })

  test('is the same number of milliseconds there and back', () => {
    fc.assert(
      fc.property(milliseconds, (at) => {
        const instant = fromEpochMilliseconds(at)
        expect(instant).toHaveLength(24)
        expect(epochMilliseconds(instant)).toBe(at)
        expect(toDate(instant).getTime()).toBe(at)
        expect(Instant.parse(instant)).toBe(instant)
      }),
    )
  })

  test('sorts as text as it does in time', () => {
    fc.assert(
      fc.property(milliseconds, milliseconds, (a, b) => {
        const [one, other] = [fromEpochMilliseconds(a), fromEpochMilliseconds(b)]
        expect(one < other).toBe(a < b)
        expect(earliest(one, undefined, other)).toBe(a < b ? one : other)
      }),
    )
  })

  test('beyond the year 9999 does not exist', () => {
    expect(() => fromEpochMilliseconds(LAST + 1)).toThrow()
    expect(() => plusMilliseconds(fromEpochMilliseconds(LAST), 1)).toThrow()
    expect(() => fromEpochMilliseconds(FIRST - 1)).toThrow()
  })

  test('in seconds is rounded down, as TTL and JWT dates want it', () => {
    expect(epochSeconds(Instant.parse('1970-01-01T00:00:01.999Z'))).toBe(1)
    expect(epochSeconds(Instant.parse('2026-01-01T00:00:00Z'))).toBe(1_767_225_600)
    expect(() => epochSeconds(Instant.parse('1969-12-31T23:59:59.999Z'))).toThrow()
  })

  test('that the clock tells is one', () => {
    expect(Instant.parse(readClock())).toHaveLength(24)
  })
})

describe('a duration', () => {
  test.each([
    'P1Y',
    'P18M',
    'P99Y',
    'P999M',
    'P2W',
    'P14D',
    'P99999D',
    'PT30M',
    'PT1H',
    'PT99999S',
    'P1Y6M',
    'P1DT12H',
  ])('%s is one', (text) => {
    expect(Duration.parse(text)).toBe(text)
  })

  test.each([
    ['no text', ''],
    ['no unit', 'P1'],
    ['no number', 'PY'],
    ['only the letter', 'P'],
    ['an empty time', 'P1DT'],
    ['nothing', 'P0D'],
    ['nothing in several units', 'P0Y0M0DT0H'],
    ['a part of a unit', 'P1.5D'],
    ['a part of a unit, with a comma', 'P1,5D'],
    ['back in time', '-P1D'],
    ['back in time inside', 'P-1D'],
    ['lower case', 'p1d'],
    ['units out of order', 'P1D1Y'],
    ['a century', 'P100Y'],
    ['a thousand months', 'P1000M'],
    ['a thousand months after a year', 'P1Y1000M'],
    ['six digits', 'P100000D'],
    ['six digits of seconds', 'PT100000S'],
    ['words', 'one year'],
    ['a space before', ' P1D'],
    ['a line behind', 'P1D\n'],
  ])('%s is none: %j', (_, text) => {
    expect(Duration.safeParse(text).success).toBe(false)
  })
})

describe('a time zone', () => {
  test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Asia/Kolkata'])(
    '%s is one',
    (name) => {
      expect(TimeZone.parse(name)).toBe(name)
    },
  )

  test.each(['', 'Mars/Olympus', 'Europe/Berlin ', 'CEST+2', '../etc/passwd', 'x'.repeat(65)])(
    '%j is none',
    (name) => {
      expect(TimeZone.safeParse(name).success).toBe(false)
    },
  )
})

test('the units are milliseconds', () => {
  const start = Instant.parse('2026-03-01T00:00:00Z')
  expect(plusMilliseconds(start, MINUTE)).toBe('2026-03-01T00:01:00.000Z')
  expect(plusMilliseconds(start, HOUR)).toBe('2026-03-01T01:00:00.000Z')
  expect(plusMilliseconds(start, DAY)).toBe('2026-03-02T00:00:00.000Z')
})
