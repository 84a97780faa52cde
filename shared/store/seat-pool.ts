import * as z from 'zod'
import {
  isQueued,
  type Pending,
  type PoolName,
  poolName,
  Reservation,
  SeatPolicy,
  type SeatPool,
  type TenantPool,
} from '../domain/seat.ts'
import { EMPTY_POOL } from '../domain/seat-decision.ts'
import { ProductId, type TenantId, UserId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { CorruptItemError, entity, type Item } from './codec.ts'
import {
  KIND,
  type Line,
  pendingSeatKey,
  pendingSeatsKey,
  poolKey,
  reservationKey,
  reservationsKey,
  seatPolicyKey,
} from './keys.ts'
import { readItem, readItems, readPages, readRange } from './read.ts'
import { type Action, type Put, putOnce, type Table } from './transact.ts'
import { writeRow } from './write.ts'

// The item is made by the fence of a license (store/fence.ts), so it has no type of its own and any of these may lack.
const StoredPool = z.object({
  fence: z.int().default(0),
  assigned: z.int().min(0).default(0),
  committed: z.int().default(0),
  queued: z.int().min(0).default(0),
})

/** A row of the queue, or of those that wait for something else: whose it is. The person's own row says the rest. */
export const pendingSeatEntity = entity('pending-seat', 1, z.strictObject({ userId: UserId, since: Instant }))
export const reservationEntity = entity('reservation', 1, Reservation)
export const seatPolicyEntity = entity('seat-policy', 2, SeatPolicy, 1)

/** The counts of some pools, strongly consistent; all zero where there is none yet. */
export async function readSeatPools(
  table: Table,
  tenantId: TenantId,
  places: readonly TenantPool[],
): Promise<Map<PoolName, SeatPool>> {
  const names = new Map(
    places.map((place) => {
      const { pk, sk } = poolKey(tenantId, place.productId, place.metric)
      return [`${pk} ${sk}`, { name: poolName(place), key: { pk, sk } }]
    }),
  )
  const items = await readItems(
    table,
    [...names.values()].map(({ key }) => key),
  )
  const pools = new Map<PoolName, SeatPool>([...names.values()].map(({ name }) => [name, EMPTY_POOL]))
  for (const item of items) {
    const place = names.get(`${item['pk']} ${item['sk']}`)
    if (place !== undefined) pools.set(place.name, decodeSeatPool(item))
  }
  return pools
}

export function decodeSeatPool(item: Item): SeatPool {
  const parsed = StoredPool.safeParse(item)
  if (!parsed.success)
    throw new CorruptItemError(`item ${String(item['pk'])} / ${String(item['sk'])}: no pool of seats`)
  return { ...parsed.data, isManaged: item['assigned'] !== undefined }
}

/** A change of a pool's counts, and what must be so of it when it is written. */
type SeatPoolChange = {
  /** Also by 0 the pool is one whose seats are managed here; absent where that is no matter of seats. */
  readonly assigned?: number
  readonly committed: number
  readonly queued: number
  /** The licenses must be those the change was decided on. */
  readonly fence?: number
  readonly assignedAtMost?: number
  readonly committedAtMost?: number
  /** Nobody may wait. */
  readonly nobodyWaits?: boolean
  /** Nothing may be free (so many are committed), unless others wait already. */
  readonly fullAt?: number
}

export function changeSeatPool(tenantId: TenantId, place: TenantPool, change: SeatPoolChange): Action {
  const key = poolKey(tenantId, place.productId, place.metric)
  const values: Record<string, unknown> = {}
  const conditions: string[] = []
  const { fence, assignedAtMost, committedAtMost, nobodyWaits, fullAt } = change
  if (fence !== undefined) {
    conditions.push(fence === 0 ? '(attribute_not_exists(fence) OR fence = :fence)' : 'fence = :fence')
    values[':fence'] = fence
  }
  for (const [name, most] of [
    ['assigned', assignedAtMost],
    ['committed', committedAtMost],
  ] as const) {
    if (most === undefined) continue
    conditions.push(
      most < 0 ? `${name} <= :${name}_most` : `(attribute_not_exists(${name}) OR ${name} <= :${name}_most)`,
    )
    values[`:${name}_most`] = most
  }
  if (nobodyWaits) {
    conditions.push('(attribute_not_exists(queued) OR queued = :nobody)')
    values[':nobody'] = 0
  }
  if (fullAt !== undefined && fullAt > 0) {
    conditions.push('(committed >= :full OR queued >= :somebody)')
    values[':full'] = fullAt
    values[':somebody'] = 1
  }
  const adds: string[] = []
  for (const name of ['assigned', 'committed', 'queued'] as const) {
    const amount = change[name]
    if (amount === undefined || (amount === 0 && name !== 'assigned')) continue
    adds.push(`${name} :add_${name}`)
    values[`:add_${name}`] = amount
  }
  // Whoever looks for people to serve finds the pool by this; it goes once nobody waits.
  const mark = change.queued > 0
  if (mark) {
    values[':list'] = KIND.seatQueues
    values[':self'] = listedAs(tenantId, place)
  }
  return {
    kind: 'update',
    key,
    update: `${mark ? 'SET kindPk = :list, kindSk = :self ' : ''}ADD ${adds.join(', ')}`,
    ...(conditions.length > 0 && { condition: conditions.join(' AND ') }),
    values,
  }
}

const listedAs = (tenantId: TenantId, { productId, metric }: TenantPool) =>
  `${tenantId}#${productId}#${metric}`

const lineOf = (pending: Pick<Pending, 'reason'>): Line => (isQueued(pending) ? 'QUEUE' : 'BLOCKED')

const rowOf = (tenantId: TenantId, userId: UserId, pending: Pending) =>
  pendingSeatKey(tenantId, pending.productId, pending.metric, lineOf(pending), pending.since, userId)

export function addPending(tenantId: TenantId, userId: UserId, pending: Pending): Action {
  const { since } = pending
  // Who waits for something else is found by the same list as the pools that somebody waits for.
  const listed = !isQueued(pending) && { kindPk: KIND.seatQueues, kindSk: listedAs(tenantId, pending) }
  const item = pendingSeatEntity.encode(rowOf(tenantId, userId, pending), { userId, since }, { ...listed })
  return putOnce(item)
}

export const dropPending = (tenantId: TenantId, userId: UserId, pending: Pending): Action => ({
  kind: 'remove',
  key: rowOf(tenantId, userId, pending),
  condition: 'attribute_exists(pk)',
})

/** Who waits for a seat of a pool, in the order in which they are served; strongly consistent, page by page. */
export async function* readQueue(
  table: Table,
  tenantId: TenantId,
  { productId, metric }: TenantPool,
  line: Line = 'QUEUE',
  most?: number,
): AsyncGenerator<z.infer<typeof pendingSeatEntity.schema>> {
  const range = { pk: pendingSeatsKey(tenantId, productId, metric), prefix: `${line}#` }
  for await (const { items } of readPages(table, range, undefined, most))
    yield* items.map(pendingSeatEntity.decode)
}

/** All reservations of a tenant: one strongly consistent query. */
export async function readReservations(table: Table, tenantId: TenantId): Promise<Reservation[]> {
  const items = await readRange(table, { pk: reservationsKey(tenantId) })
  return items.map(reservationEntity.decode)
}

const reservationKeyOf = (
  tenantId: TenantId,
  { productId, metric, organizationId }: Pick<Reservation, 'productId' | 'metric' | 'organizationId'>,
) => reservationKey(tenantId, productId, metric, organizationId)

/** Sets a reservation, if it is as it was read. */
export function writeReservation(
  tenantId: TenantId,
  before: Reservation | undefined,
  after: Reservation,
): Action {
  const item = reservationEntity.encode(reservationKeyOf(tenantId, after), after)
  if (before === undefined) return putOnce(item)
  return {
    kind: 'put',
    item,
    condition: 'seats = :seats AND used = :used',
    values: { ':seats': before.seats, ':used': before.used },
  }
}

/**
 * Takes a place of a reservation, or gives one back; on condition that this means for the places it keeps free what it
 * meant when it was read.
 *
 * @param by 1 for one taken, -1 for one given back, 0 to see that none is free
 */
export function useReservation(tenantId: TenantId, reservation: Reservation, by: 1 | 0 | -1): Action {
  const key = reservationKeyOf(tenantId, reservation)
  const names = { '#used': 'used' }
  if (by === 0) return { kind: 'check', key, condition: '#used >= seats', names }
  const isOver = reservation.used > reservation.seats
  return {
    kind: 'update',
    key,
    update: 'ADD #used :by',
    condition: by > 0 ? '#used < seats' : isOver ? '#used > seats' : '#used <= seats',
    names,
    values: { ':by': by },
  }
}

/** How the tenant wants its seats handled. */
export async function readSeatPolicy(table: Table, tenantId: TenantId): Promise<SeatPolicy> {
  const item = await readItem(table, seatPolicyKey(tenantId))
  return item === undefined ? SeatPolicy.parse({}) : seatPolicyEntity.decode(item)
}

/** Replaces a policy that says what was read: of two edits at once neither undoes the other. */
export function writeSeatPolicy(tenantId: TenantId, read: SeatPolicy, next: SeatPolicy): Put {
  const said = new Map(Object.entries(read))
  const defaults = new Map<string, unknown>(Object.entries(SeatPolicy.parse({})))
  const fields = Object.keys(SeatPolicy.shape)
  return {
    kind: 'put',
    item: seatPolicyEntity.encode(seatPolicyKey(tenantId), next),
    // What a row does not say is read as its default.
    condition: fields
      .map((name) => {
        const isMissing = `attribute_not_exists(#${name})`
        if (!said.has(name)) return isMissing
        const isSame = `#${name} = :${name}`
        return said.get(name) === defaults.get(name) ? `(${isMissing} OR ${isSame})` : isSame
      })
      .join(' AND '),
    names: Object.fromEntries(fields.map((name) => [`#${name}`, name])),
    values: Object.fromEntries([...said].map(([name, value]) => [`:${name}`, value])),
  }
}

/** A pool that somebody waits for, as the list of such pools names it. */
export const QueuedPool = z
  .string()
  .transform((text) => text.split('#'))
  .pipe(z.tuple([z.string(), ProductId, z.string()]))

/** Takes a pool that nobody waits for off the list of those that somebody does. */
export async function unmarkPool(table: Table, tenantId: TenantId, place: TenantPool): Promise<void> {
  // The condition fails where somebody waits again.
  await writeRow(table, {
    kind: 'update',
    key: poolKey(tenantId, place.productId, place.metric),
    update: 'REMOVE kindPk, kindSk',
    condition: 'queued = :nobody',
    values: { ':nobody': 0 },
  })
}
