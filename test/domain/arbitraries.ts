import fc from 'fast-check'
import { fromEpochMilliseconds, type Instant, TimeZone } from '../../shared/platform/time.ts'

const START = 1_767_225_600_000 // 2026-01-01T00:00:00Z
const STEP = 86_400_000

/** The `position`th tick of a coarse scale, so that dates drawn at random often fall together. */
export function tick(position: number, milliseconds = 0): Instant {
  return fromEpochMilliseconds(START + position * STEP + milliseconds)
}

/** A tick between the two given, or one millisecond beside it: where half-open bounds go wrong. */
export const nearTick = (from: number, to: number) =>
  fc
    .tuple(fc.integer({ min: from, max: to }), fc.constantFrom(-1, 0, 1))
    .map(([position, by]) => tick(position, by))

/** Zones without change of clock, with one of an hour either way round, of half an hour, of two hours. */
export const timeZone = fc
  .constantFrom(
    'UTC',
    'Asia/Kolkata',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Antarctica/Troll',
  )
  .map((name) => TimeZone.parse(name))

/** A millisecond between 2015 and 2040. */
export const anyInstant = fc
  .integer({ min: 1_420_070_400_000, max: 2_208_988_800_000 })
  .map(fromEpochMilliseconds)
