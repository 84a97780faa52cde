import { isQueued, keptFree, poolName } from '../../shared/domain/seat.ts'
import { type Counts, countsOf, difference, sumOf } from '../../shared/domain/seat-counts.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readCounts } from '../../shared/store/seat-counts.ts'
import { decodeSeatPool, pendingSeatEntity, reservationEntity } from '../../shared/store/seat-pool.ts'
import type { Table } from '../../shared/store/transact.ts'
import { seatEntity, userEntity, userRoleEntity } from '../../shared/store/user.ts'
import { allRows } from './rows.ts'

/** Everything of a tenant's people, as it lies in the table. */
export async function seatRows(table: Table, tenantId: TenantId) {
  const rows = [...(await allRows(table)).values()].filter(({ pk }) =>
    String(pk).startsWith(`T#${tenantId}#`),
  )
  const of = <T>({ name, decode }: { name: string; decode: (row: Record<string, unknown>) => T }) =>
    rows.filter(({ entity }) => entity === name).map(decode)
  const queues = rows
    .filter(({ entity }) => entity === pendingSeatEntity.name)
    .map((row) => ({ pk: String(row['pk']), sk: String(row['sk']), ...pendingSeatEntity.decode(row) }))
  const pools = rows.filter(({ pk }) => String(pk).includes('#POOLS#'))
  return {
    users: of(userEntity),
    seats: of(seatEntity),
    roles: of(userRoleEntity),
    reservations: of(reservationEntity),
    queues,
    pools: new Map(
      pools.map((row) => [`${String(row['pk']).split('#').at(-1)}#${row['sk']}`, decodeSeatPool(row)]),
    ),
    counts: await readCounts(table, tenantId),
  }
}
export type SeatRows = Awaited<ReturnType<typeof seatRows>>

/** What does not agree among the rows; nothing if all of it does. */
export function disagreements({
  users,
  seats,
  roles,
  reservations,
  queues,
  pools,
  counts,
}: SeatRows): string[] {
  const wrong: string[] = []
  for (const [name, pool] of pools) {
    const own = seats.filter((seat) => poolName(seat) === name)
    const kept = reservations.filter((one) => poolName(one) === name)
    const free = kept.reduce((sum, one) => sum + keptFree(one), 0)
    const line = queues.filter(({ pk, sk }) => pk.endsWith(`#PENDING#${name}`) && sk.startsWith('QUEUE#'))
    same(`${name} assigned`, pool.assigned, own.length)
    same(`${name} committed`, pool.committed, own.length + free)
    same(`${name} queued`, pool.queued, line.length)
    for (const one of kept)
      same(
        `${name} used by ${one.organizationId}`,
        one.used,
        own.filter(({ reservedBy }) => reservedBy === one.organizationId).length,
      )
  }
  for (const user of users) {
    const own = seats.filter(({ userId }) => userId === user.id)
    same(`holds of ${user.id}`, user.holds.join(), own.map(poolName).toSorted().join())
    const rows = queues.filter(({ userId }) => userId === user.id).map(({ pk, sk }) => `${pk} ${sk}`)
    const wanted = user.pending.map(
      (one) =>
        `T#${user.tenantId}#PENDING#${poolName(one)} ${isQueued(one) ? 'QUEUE' : 'BLOCKED'}#${one.since}#${user.id}`,
    )
    same(`pending of ${user.id}`, rows.toSorted().join(), wanted.toSorted().join())
    const named = roles.filter(({ userId }) => userId === user.id).map(({ role }) => role)
    same(`roles of ${user.id}`, named.toSorted().join(), user.roles.toSorted().join())
    if (user.status !== 'active') same(`what ${user.status} ${user.id} has`, own.length + rows.length, 0)
  }
  const recounted = sumOf(
    users.map((user) =>
      countsOf(
        user,
        seats.filter(({ userId }) => userId === user.id),
        user.pending,
        '',
      ),
    ),
  )
  const off: Counts = difference(recounted, counts)
  for (const [row, own] of off) wrong.push(`counts of ${row} are off by ${JSON.stringify([...own])}`)
  return wrong

  function same(what: string, stored: string | number, expected: string | number): void {
    if (stored !== expected) wrong.push(`${what}: ${stored}, not ${expected}`)
  }
}
