import { Ticket } from '../domain/ticket.ts'
import { DAY, EpochSeconds } from '../platform/time.ts'
import { entity } from './codec.ts'
import { heldTicketKey, type Key, queueKey, ticketKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readFirst, readItem } from './read.ts'
import { type Action, putOnce, type Table } from './transact.ts'

export const ticketEntity = entity('ticket', 1, Ticket)

const keyOf = (
  { tenantId, productId, metric }: PoolAddress,
  { order, ref }: Pick<Ticket, 'order' | 'ref'>,
): Key => ticketKey(tenantId, productId, metric, order, ref)
const heldKey = ({ tenantId, productId, metric }: PoolAddress, ref: string): Key =>
  heldTicketKey(tenantId, productId, metric, ref)

export const joinQueue = (address: PoolAddress, ticket: Ticket): Action =>
  putOnce(ticketEntity.encode(keyOf(address, ticket), ticket))

/** Fails if somebody took it away before. */
export const leaveQueue = (address: PoolAddress, ticket: Pick<Ticket, 'order' | 'ref'>): Action => ({
  kind: 'remove',
  key: keyOf(address, ticket),
  condition: 'attribute_exists(pk)',
})

/** Of one whose ping is late; fails if a ping came after all. */
export const giveUp = (address: PoolAddress, ticket: Ticket): Action => ({
  kind: 'remove',
  key: keyOf(address, ticket),
  condition: 'pingBy = :pingBy',
  values: { ':pingBy': ticket.pingBy },
})

export const setOvertaken = (address: PoolAddress, ticket: Ticket): Action => ({
  kind: 'update',
  key: keyOf(address, ticket),
  update: 'SET overtaken = :overtaken',
  condition: 'attribute_exists(pk)',
  values: { ':overtaken': ticket.overtaken },
})

export const setPing = (address: PoolAddress, ticket: Ticket, pingBy: number): Action => ({
  kind: 'update',
  key: keyOf(address, ticket),
  update: 'SET pingBy = :pingBy',
  condition: 'attribute_exists(pk)',
  values: { ':pingBy': pingBy },
})

/** Keeps what a ticket said while its hold lasts, for the lease that it becomes. */
export const keepHeld = (address: PoolAddress, ticket: Ticket, until: number): Action => ({
  kind: 'put',
  item: ticketEntity.encode(heldKey(address, ticket.ref), ticket, {
    ttl: EpochSeconds.parse(until + DAY / 1000),
  }),
})

/** The ticket while it waits. */
export async function readTicket(
  table: Table,
  address: PoolAddress,
  ticket: Pick<Ticket, 'order' | 'ref'>,
): Promise<Ticket | undefined> {
  const item = await readItem(table, keyOf(address, ticket))
  return item && ticketEntity.decode(item)
}

/** The ticket behind a hold. */
export async function readHeldTicket(
  table: Table,
  address: PoolAddress,
  ref: string,
): Promise<Ticket | undefined> {
  const item = await readItem(table, heldKey(address, ref))
  return item && ticketEntity.decode(item)
}

/** The first tickets of a queue, however many wait, or those before a ticket; strongly consistent. */
export async function readQueue(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
  limit: number,
  before?: Pick<Ticket, 'order' | 'ref'>,
): Promise<Ticket[]> {
  const pk = queueKey(tenantId, productId, metric)
  const below = before && ticketKey(tenantId, productId, metric, before.order, before.ref).sk
  const range = below === undefined ? { pk } : { pk, below }
  return (await readFirst(table, range, limit)).map((item) => ticketEntity.decode(item))
}
