import { epochMilliseconds, HOUR, type Instant, plusMilliseconds } from '../platform/time.ts'
import { stretches } from './stretches.ts'

/** What is kept of an hour: of a counter how much was added, late and corrected; of a gauge its last value. */
export type Kept = 'added' | 'late' | 'corrected' | 'value'

/** An hour of a metric, by its first instant. */
export type Hour = { readonly at: Instant; readonly kept: Kept; readonly amount: number }

/** The hour of a day that an instant lies in, counted in hours that passed since the day began. */
export const hourOfDay = (day: Instant, at: Instant): number =>
  Math.floor((epochMilliseconds(at) - epochMilliseconds(day)) / HOUR)

export const hourStart = (day: Instant, hour: number): Instant => plusMilliseconds(day, hour * HOUR)

/** A stretch of a series. */
type Bucket = {
  readonly from: Instant
  readonly until: Instant
  /** Was anything reported? */
  readonly reported: boolean
  /** Of a counter the net. Of a gauge its last value: null where nothing was reported, for that is not 0. */
  readonly value: number | null
  /** Of a counter: what was added, corrections aside. */
  readonly gross?: number
  /** Of a counter: how much of it was used in periods that were closed when it was reported. */
  readonly late?: number
  /** Of a counter: the sum of the corrections. */
  readonly corrected?: number
  /** Of a gauge: the least and the most of the hours' last values. */
  readonly least?: number | null
  readonly most?: number | null
}

/** Gathers hours between marks: each goes to the stretch that it begins in, what lies outside is left out. */
export function bucketsOf(
  kind: 'gauge' | 'counter',
  marks: readonly Instant[],
  hours: readonly Hour[],
): Bucket[] {
  return stretches(marks, hours, ({ at }) => at).map(({ from, until, own }) => ({
    from,
    until,
    reported: own.length > 0,
    ...(kind === 'gauge' ? gauge(own) : counter(own)),
  }))
}

function counter(hours: readonly Hour[]) {
  const sum = (kept: Kept) => hours.reduce((total, hour) => total + (hour.kept === kept ? hour.amount : 0), 0)
  const [late, corrected] = [sum('late'), sum('corrected')]
  const gross = sum('added') + late
  return { value: gross + corrected, gross, late, corrected }
}

function gauge(hours: readonly Hour[]) {
  const values = hours.map(({ amount }) => amount)
  const last = values.at(-1)
  if (last === undefined) return { value: null, least: null, most: null }
  return { value: last, least: Math.min(...values), most: Math.max(...values) }
}
