import * as z from 'zod'
import { Remembered } from './remembered.ts'

/** Of the one form: no other form that is an instant, and no year outside 0000 to 9999, has this length. */
const LENGTH = '2026-11-21T10:00:00.000Z'.length

/** What a text of another form should have been; of what is no text at all zod says it. */
function formed(as: string) {
  return ({ code }: z.core.$ZodRawIssue) => (code === 'invalid_format' ? `not ${as}` : undefined)
}

/**
 * A moment in UTC as an RFC 3339 string with milliseconds (`2026-11-21T10:00:00.000Z`), so that instants compare
 * as strings. Input with fewer or more digits is brought to this form; offsets other than `Z` are refused.
 */
export const Instant = z.iso
  .datetime({ abort: true, error: formed('an instant in UTC, such as 2026-11-21T10:00:00Z') })
  .overwrite((text) => (text.length === LENGTH ? text : new Date(text).toISOString()))
  .brand<'Instant'>()
  .meta({ id: 'Instant' })
export type Instant = z.infer<typeof Instant>

/** Durations are counted from what lies before it: then no sum leaves the years that an instant can have. */
export const LATEST = '7000'

/** An instant that is named for something to be counted from it: neither before JWT dates begin nor too late for a sum. */
export const Countable = Instant.refine(
  (instant) => instant >= '1970' && instant < LATEST,
  `from 1970 on, and before the year ${LATEST}`,
)

/** Seconds since 1970, the unit of DynamoDB's TTL and of JWT dates (RFC 7519, section 2). Nothing else uses it. */
export const EpochSeconds = z.int().nonnegative().brand<'EpochSeconds'>()
export type EpochSeconds = z.infer<typeof EpochSeconds>

/**
 * An ISO 8601 duration of whole calendar units or hours, minutes and seconds, such as `P1Y`, `P14D`, `PT30M`. The digits
 * are bounded so that it lasts less than 2,000 years.
 */
export const Duration = z.iso
  .duration({ abort: true, error: formed('an ISO 8601 duration, such as P1Y or PT30M') })
  .regex(/^P(?!.*[.,-])(?=.*[1-9])/, 'only whole units, more than nothing')
  .regex(
    /^P(?!\d{3,}Y)(?!(\d+Y)?\d{4,}M)(?!.*\d{6})/,
    'at most 99 years, 999 months or five digits of others',
  )
  .brand<'Duration'>()
export type Duration = z.infer<typeof Duration>

/** An IANA time zone name, such as `Europe/Berlin`. */
export const TimeZone = z.string().max(64).refine(isTimeZone, 'not an IANA time zone').brand<'TimeZone'>()
export type TimeZone = z.infer<typeof TimeZone>

// Asking Intl takes longer than all other rules for a license together, and at a cold start a tenth of it: UTC is what
// every function has as its default.
const knownZones = new Remembered<string, true>(1_000)
knownZones.set('UTC', true)

function isTimeZone(name: string): boolean {
  if (knownZones.get(name)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    knownZones.set(name, true)
    return true
  } catch {
    return false
  }
}

/** The clock. Called once per request or job; everything behind it receives the value. */
export function readClock(): Instant {
  return fromEpochMilliseconds(Date.now())
}

/** Milliseconds since 1970. */
export function epochMilliseconds(instant: Instant): number {
  return Date.parse(instant)
}

/** For libraries that want a Date. */
export function toDate(instant: Instant): Date {
  return new Date(instant)
}

/** @throws RangeError for what lies outside the years 0000 to 9999 */
export function fromEpochMilliseconds(milliseconds: number): Instant {
  const text = new Date(milliseconds).toISOString()
  if (!isWritten(text)) throw new RangeError(`${text} is no instant`)
  return text
}

/** Is it an instant that a Date wrote? Telling by its length spares what is made here the parsing of what comes in. */
function isWritten(text: string): text is Instant {
  return text.length === LENGTH
}

/** Whole seconds since 1970, rounded down. */
export function epochSeconds(instant: Instant): EpochSeconds {
  return EpochSeconds.parse(Math.floor(epochMilliseconds(instant) / 1000))
}

export function plusMilliseconds(instant: Instant, milliseconds: number): Instant {
  return fromEpochMilliseconds(epochMilliseconds(instant) + milliseconds)
}

export function earliest(first: Instant, ...others: readonly (Instant | undefined)[]): Instant {
  return others.reduce<Instant>(
    (least, other) => (other !== undefined && other < least ? other : least),
    first,
  )
}

export const latest = (instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants
    .filter((instant) => instant !== undefined)
    .toSorted()
    .at(-1)

/** A day of some calendar, `2026-11-21`: it compares as a string, and lies in a time zone that is known from elsewhere. */
export const Day = z.iso.date().brand<'Day'>().meta({ id: 'Day' })
export type Day = z.infer<typeof Day>

const calendars = new Remembered<TimeZone, Intl.DateTimeFormat>(100)

/** The day of an instant on the calendar of a time zone. */
export function dayOf(instant: Instant, timeZone: TimeZone): Day {
  const calendar =
    calendars.get(timeZone) ??
    new Intl.DateTimeFormat('en', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  calendars.set(timeZone, calendar)
  const parts = new Map(calendar.formatToParts(toDate(instant)).map(({ type, value }) => [type, value]))
  return Day.parse(`${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`)
}

/**
 * A duration of whole days, weeks, months or years after a day (`1`) or before it (`-1`): first the months, with the
 * last day of a shorter one, then the days. As Temporal.PlainDate does it, which is too large for the hot path.
 */
export function shiftDay(day: Day, duration: Duration, direction: 1 | -1): Day {
  const count = (unit: string) =>
    direction * Number(new RegExp(`^P[^T]*?(\\d+)${unit}`).exec(duration)?.[1] ?? 0)
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number)
  const months = year * 12 + month - 1 + count('Y') * 12 + count('M')
  const [inYear, inMonth] = [Math.floor(months / 12), ((months % 12) + 12) % 12]
  const longest = new Date(Date.UTC(inYear, inMonth + 1, 0)).getUTCDate()
  const shifted = Date.UTC(inYear, inMonth, Math.min(date, longest) + count('W') * 7 + count('D'))
  return Day.parse(new Date(shifted).toISOString().slice(0, 10))
}

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** An instant as people of a language write it, on the calendar of a time zone: the day, or with the time of day. */
export function inWords(
  instant: Instant,
  style: { readonly language: string; readonly timeZone: TimeZone; readonly time?: boolean },
): string {
  const { language, timeZone, time } = style
  return new Intl.DateTimeFormat(language, {
    timeZone,
    dateStyle: 'long',
    ...(time && { timeStyle: 'short' }),
  }).format(toDate(instant))
}
