import * as dates from 'temporal-polyfill/fns/PlainDate'
import type { Instant, TimeZone } from '../platform/time.ts'
import { dateOf } from './calendar.ts'
import { type Pending, poolName, type TenantPool } from './seat.ts'
import type { User } from './user.ts'

/** Days of which it is counted who was last seen then. */
export const COUNTED_DAYS = 92

/** The part of a count's name that says it is of people, not of a pool. */
export const PEOPLE = 'PEOPLE'
/** Stands for the tenant itself where an organization would be named. */
const NO_ORGANIZATION = '-'

/** Numbers by the name of their row, then by their own name. */
export type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Under what a person is counted who was last seen on a day. */
export const dayCount = (day: string) => `d${day}`

/** The row of a pool's, or of people's, counts in an organization. */
export const countRow = (name: string, organizationId: string | undefined) =>
  `${name}#${organizationId ?? NO_ORGANIZATION}`

/**
 * What one person adds to the counts of its organization: to those of people, and to those of each pool of which it has
 * or waits for a seat. Every figure of the dashboard is a sum of these, so a change of a person changes the counts by
 * the difference of what it adds after and before. Days are counted as far back as anybody asks: of who was last seen
 * before that it is enough to know that they are there.
 */
export function countsOf(
  user: Pick<User, 'status' | 'organizationId' | 'activeDay' | 'directory'>,
  seats: readonly TenantPool[],
  pending: readonly Pending[],
  firstDay: string,
): Counts {
  const counts = new Map<string, Map<string, number>>()
  const { activeDay, organizationId } = user
  const seen = activeDay !== undefined && activeDay >= firstDay ? [dayCount(activeDay)] : []
  if (user.status !== 'archived')
    add(PEOPLE, 'people', ...(user.status === 'suspended' ? ['suspended'] : []), ...seen)
  // A directory still lists who is not active, until it takes it away.
  else if (user.directory?.deletedAt === undefined) add(PEOPLE, 'archived')
  for (const seat of seats) add(poolName(seat), 'assigned', ...seen)
  for (const one of pending) if (!one.instead) add(poolName(one), 'pending')
  return counts

  function add(name: string, ...what: readonly string[]): void {
    const row = countRow(name, organizationId)
    const own = counts.get(row) ?? new Map<string, number>()
    counts.set(row, own)
    for (const one of what) own.set(one, (own.get(one) ?? 0) + 1)
  }
}

/** What has to be added to get from some counts to others; nothing where nothing differs. */
export function difference(before: Counts, after: Counts): Counts {
  return sumOf([
    after,
    new Map([...before].map(([row, own]) => [row, new Map([...own].map(([name, n]) => [name, -n]))])),
  ])
}

/** The sum of some counts, without what adds up to nothing. */
export function sumOf(all: readonly Counts[]): Counts {
  const total = new Map<string, Map<string, number>>()
  for (const counts of all)
    for (const [row, own] of counts) {
      const sum = total.get(row) ?? new Map<string, number>()
      total.set(row, sum)
      for (const [name, n] of own) sum.set(name, (sum.get(name) ?? 0) + n)
    }
  for (const [row, own] of total) {
    for (const [name, n] of own) if (n === 0) own.delete(name)
    if (own.size === 0) total.delete(row)
  }
  return total
}

/** The first of the last so many days, today included: `2026-11-21`. */
export const firstDayOf = (now: Instant, days: number, timeZone: TimeZone): string =>
  dates.toString(dates.addDays(dateOf(now, timeZone), 1 - days))
