import { seesOrganization } from '../../shared/domain/organization.ts'
import { limitOf } from '../../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type Pending, poolName } from '../../shared/domain/seat.ts'
import { firstDayOf } from '../../shared/domain/seat-counts.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import type { User } from '../../shared/domain/user.ts'
import { activityOf } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import { readPerson, userEntity } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import type { TenantSeating } from './seating.ts'

/** People a refusal names; the list of people has all. */
const SHOWN = 5
/** People among whom these are looked for: some may be pinned. */
const LOOKED_AT = 20

type Asker = Pick<CommitRequest, 'caller' | 'now'>

/** Why somebody cannot have a seat, and what would help: whose could be reclaimed, and what more would give. */
export async function refuseShortage(
  table: Table,
  seating: TenantSeating,
  { name }: Pick<User, 'name'>,
  pending: Pending,
  asker: Asker,
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
      return exhausted(table, seating, pending, asker)
  }
}

async function exhausted(
  table: Table,
  seating: TenantSeating,
  pending: Pending,
  asker: Asker,
): Promise<Refusal> {
  const name = poolName(pending)
  const { capacity, limit } = seating.terms.get(name) ?? { capacity: 0, limit: 0 }
  const { assigned, committed, queued } = seating.pools.get(name) ?? EMPTY_POOL
  const idle = await findIdle(table, seating, name, asker)
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

/**
 * Some whose seat of a pool could be taken now, longest not seen first: they were not seen lately, are neither exempt nor
 * on leave, their seat is not pinned, and whoever asks may know of them: an application with a license may of nobody.
 */
export async function findIdle(
  table: Table,
  { tenant, policy, organizations }: TenantSeating,
  name: string,
  { caller, now }: Asker,
): Promise<User[]> {
  if (caller.kind === 'license' || caller.kind === 'anonymous') return []
  const isIdle = ({ holds, reclaimExempt, onLeaveUntil, organizationId }: User) =>
    holds.includes(name) &&
    !reclaimExempt &&
    (onLeaveUntil === undefined || onLeaveUntil <= now) &&
    seesOrganization(caller, organizationId, organizations)
  const firstDay = firstDayOf(now, policy.activeDays, tenant.timeZone)
  // The index has who was longest not seen first; one page is enough to name some.
  for await (const { items } of readPages(table, {
    index: 'kind',
    pk: activityOf(tenant.id),
    below: firstDay,
  })) {
    const found = items.map(userEntity.decode).filter(isIdle).slice(0, LOOKED_AT)
    const people = await Promise.all(found.map(({ id }) => readPerson(table, tenant.id, id)))
    return people
      .filter((person) => person !== undefined)
      .filter(({ seats }) => seats.some((seat) => poolName(seat) === name && !seat.pinned))
      .map(({ user }) => user)
      .slice(0, SHOWN)
  }
  return []
}
