import * as z from 'zod'
import { LicenseId, ProductId } from '../platform/ids.ts'
import { Day, Duration, shiftDay } from '../platform/time.ts'
import type { Countries } from './country.ts'
import { Sighting } from './sighting.ts'

/** For whom days outside are counted: the user where one is named, else the machine, else all who use the license. */
export const Visitor = z.strictObject({
  type: z.enum(['user', 'machine', 'license']),
  /** The user's id as the caller names it, a keyed hash of the machine's components, or the license's id. */
  id: z.string().min(1).max(100),
})
export type Visitor = z.infer<typeof Visitor>

/** That a license was used from outside on a day: from which country, and who says so. Never an address. */
export const Visit = z.strictObject({
  /** On the calendar of the tenant's zone. */
  day: Day,
  ...Sighting.shape,
  /** `travel`: the day is one of the allowance. */
  verdict: z.enum(['travel', 'outside']),
  refused: z.boolean(),
})
export type Visit = z.infer<typeof Visit>

/** The days on which one user or machine used a license from outside. */
export const VisitsView = z
  .strictObject({
    licenseId: LicenseId,
    productId: ProductId,
    visitor: Visitor,
    /** Oldest day first. */
    visits: z.array(Visit),
  })
  .meta({ id: 'Visits' })
export type VisitsView = z.infer<typeof VisitsView>

/** The same as a row. */
export const Visits = z.strictObject({
  ...VisitsView.shape,
  /** Counts the writes of this row; every change is conditional on it. */
  version: z.int().positive(),
})
export type Visits = z.infer<typeof Visits>

export function visitsView({ version: _, ...shown }: Visits): VisitsView {
  return shown
}

type Travel = NonNullable<Countries['travel']>

/**
 * The days of travel that count today, oldest first: those within the window that ends today. What another function
 * noted for a later day, its clock being ahead, counts as well: no window has more days than allowed, however requests
 * overtake each other at midnight.
 */
export function travelDays({ window }: Travel, visits: readonly Visit[], today: Day): Day[] {
  const before = shiftDay(today, window, -1)
  const counted = visits.filter(({ verdict, day }) => verdict === 'travel' && day > before)
  return [...new Set(counted.map(({ day }) => day))].toSorted()
}

/** Of an allowance that is used up: the first day on which fewer than allowed lie within its window. */
export function freeOn({ days, window }: Travel, used: readonly Day[]): Day {
  const last = used[used.length - days]
  if (last === undefined) throw new RangeError('an allowance that is not used up')
  let free = shiftDay(last, window, 1)
  // Months differ in length: there and back again is not always where one began.
  while (shiftDay(free, window, -1) < last) free = shiftDay(free, ONE_DAY, 1)
  return free
}

const ONE_DAY = Duration.parse('P1D')
/** Evidence is kept for so long, or for as long as the allowance counts it if that is longer. */
const KEPT_FOR = Duration.parse('P400D')
/** Of days that are not of the allowance, as many are kept; and of one day, as many countries. */
const MOST_OUTSIDE = 100
const MOST_A_DAY = 10

/** The visits with one more; nothing where it is noted already, or says nothing new of a day that is full. */
export function withVisit(
  { travel }: Pick<Countries, 'travel'>,
  visits: readonly Visit[],
  visit: Visit,
): Visit[] | undefined {
  const { day, country } = visit
  const sameDay = visits.filter((one) => one.day === day)
  if (sameDay.some((one) => one.country === country && weight(one) >= weight(visit))) return undefined
  // A day of travel is noted whatever else was that day: it is what is counted.
  const isCounted = visit.verdict === 'travel' && !sameDay.some(({ verdict }) => verdict === 'travel')
  if (sameDay.length >= MOST_A_DAY && !isCounted) return undefined
  const from = keptFrom(travel, day)
  const kept = [...visits.filter((one) => one.day !== day || one.country !== country), visit]
    .filter((one) => one.day > from)
    .toSorted((a, b) => Number(a.day > b.day) - Number(a.day < b.day))
  const outside = new Set(kept.filter(({ verdict }) => verdict === 'outside').slice(-MOST_OUTSIDE))
  return kept.filter((one) => one.verdict === 'travel' || outside.has(one))
}

/** What a second look at the same country on the same day may add: that it is refused, or that the day is used. */
const weight = ({ verdict, refused }: Visit) => (verdict === 'travel' ? 2 : refused ? 1 : 0)

function keptFrom(travel: Travel | undefined, today: Day): Day {
  const evidence = shiftDay(today, KEPT_FOR, -1)
  const counted = travel && shiftDay(today, travel.window, -1)
  return counted !== undefined && counted < evidence ? counted : evidence
}

/** The day from which on nothing asks for what was noted on this one. */
export function forgottenOn({ travel }: Pick<Countries, 'travel'>, day: Day): Day {
  const evidence = shiftDay(day, KEPT_FOR, 1)
  const counted = travel && shiftDay(day, travel.window, 1)
  return counted !== undefined && counted > evidence ? counted : evidence
}
