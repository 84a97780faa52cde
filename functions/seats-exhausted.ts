import { limitOf } from '../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../shared/domain/refusal.ts'
import { type Pending, poolName } from '../shared/domain/seat.ts'
import { firstDayOf } from '../shared/domain/seat-counts.ts'
import { EMPTY_POOL } from '../shared/domain/seat-decision.ts'
import type { User } from '../shared/domain/user.ts'
import type { Instant } from '../shared/platform/time.ts'
import { activityOf } from '../shared/store/keys.ts'
import { readPages } from '../shared/store/read.ts'
import type { Table } from '../shared/store/transact.ts'
import { userEntity } from '../shared/store/user.ts'
import type { TenantSeating } from './seating.ts'

/** People a refusal names; the list of people has all. */
const SHOWN = 5

/** Why somebody cannot have a seat, and what would help: whose could be reclaimed, and what more would give. */
export async function refuseShortage(
  table: Table,
  seating: TenantSeating,
  { name }: Pick<User, 'name'>,
  pending: Pending,
  now: Instant,
): Promise<Refusal> {
  const modules = pending.modules.join(', ')
  switch (pending.reason) {
    case 'MUTUALLY_EXCLUSIVE':
      return refuse('SEAT_BLOCKED', `${name} has a seat of ${pending.because}, which excludes ${modules}.`)
    case 'MISSING_DEPENDENCY':
      return refuse('SEAT_BLOCKED', `${modules} needs a seat of ${pending.because}, which ${name} lacks.`)
    case 'NOT_ALLOWED_HERE':
      return refuse('SEAT_BLOCKED', `No license for ${modules} allows the place where ${name} works.`)
    case 'NO_CAPACITY':
    case 'NOT_LICENSED':
      return exhausted(table, seating, pending, now)
  }
}

async function exhausted(
  table: Table,
  seating: TenantSeating,
  pending: Pending,
  now: Instant,
): Promise<Refusal> {
  const name = poolName(pending)
  const { capacity, limit } = seating.terms.get(name) ?? { capacity: 0, limit: 0 }
  const { assigned, committed, queued } = seating.pools.get(name) ?? EMPTY_POOL
  const idle = await findIdle(table, seating, name, now)
  const parts = [
    `${assigned} of ${limit} seats of ${pending.modules.join(', ')} are assigned`,
    ...(committed > assigned ? [`${committed - assigned} are reserved`] : []),
    ...(queued > 0 ? [`${queued} people wait`] : []),
  ]
  const who = idle.map((user) => `${user.id} ${user.name} (${user.lastActiveAt ?? 'never seen'})`)
  const beyond = Math.max(0, committed - limit)
  return refuse(
    'SEATS_EXHAUSTED',
    [
      `${parts.join(', ')}.`,
      who.length > 0 ? `Could be reclaimed: ${who.join(', ')}.` : 'Nobody with a seat is inactive.',
      `A top-up of ${beyond + queued + 1} more would seat everybody.`,
    ].join(' '),
    {
      pool: {
        metric: pending.metric,
        units: 1,
        capacity: limitOf(capacity),
        limit: limitOf(limit),
        used: assigned,
        waiting: queued,
      },
    },
  )
}

/** Some who have a seat of a pool, are not pinned to it by being seen lately, longest not seen first. */
export async function findIdle(
  table: Table,
  { tenant, policy }: TenantSeating,
  name: string,
  now: Instant,
): Promise<User[]> {
  const firstDay = firstDayOf(now, policy.activeDays, tenant.timeZone)
  // The index has who was longest not seen first; one page is enough to name some.
  for await (const { items } of readPages(table, {
    index: 'kind',
    pk: activityOf(tenant.id),
    below: firstDay,
  })) {
    return items
      .map(userEntity.decode)
      .filter(({ holds }) => holds.includes(name))
      .slice(0, SHOWN)
  }
  return []
}
