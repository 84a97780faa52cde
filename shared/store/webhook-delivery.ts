import type { Event } from '../domain/event.ts'
import type { WebhookOwner } from '../domain/webhook.ts'
import { Attempt, Delivery, type WaitingDelivery } from '../domain/webhook-delivery.ts'
import type { EventId, WebhookId } from '../platform/ids.ts'
import { DAY, epochSeconds, type Instant, plusMilliseconds } from '../platform/time.ts'
import { type CorruptItemError, entity, type Item, readableOf } from './codec.ts'
import { eventEntity } from './event.ts'
import { attemptKey, attemptsOf, deliveriesOf, deliveryKey, dueDeliveriesOf, eventKey } from './keys.ts'
import { type Range, readFirst, readItem, readRange } from './read.ts'
import { type Action, type Put, putOnce, type Table } from './transact.ts'
import { writeRow } from './write.ts'

/** How long deliveries are kept, whatever became of them. */
const KEPT_FOR = 30 * DAY

/** An endpoint as its deliveries name it. */
export type Endpoint = { readonly owner: WebhookOwner; readonly id: WebhookId }

export const deliveryEntity = entity('webhook-delivery', 1, Delivery)
export const attemptEntity = entity('webhook-attempt', 1, Attempt)

const ttlOf = (createdAt: Instant) => ({ ttl: epochSeconds(plusMilliseconds(createdAt, KEPT_FOR)) })

function deliveryItem({ owner, id }: Endpoint, delivery: Delivery): Item {
  const { eventId, createdAt } = delivery
  return deliveryEntity.encode(deliveryKey(owner, id, eventId), delivery, {
    ...ttlOf(createdAt),
    ...(delivery.state === 'waiting' && {
      ownedPk: dueDeliveriesOf(owner, id),
      ownedSk: `${delivery.dueAt}#${eventId}`,
    }),
  })
}

/** Puts an event before an endpoint, once. */
export const putDelivery = (endpoint: Endpoint, delivery: WaitingDelivery): Put =>
  putOnce(deliveryItem(endpoint, delivery))

/** As somebody read it: nobody has sent it, nor taken it to send it, since. */
function asRead(delivery: Delivery) {
  const waits = delivery.state === 'waiting'
  return {
    condition: `attempts = :attempts AND #state = :state${waits ? ' AND dueAt = :dueAt' : ''}`,
    names: { '#state': 'state' },
    values: {
      ':attempts': delivery.attempts,
      ':state': delivery.state,
      ...(waits && { ':dueAt': delivery.dueAt }),
    },
  }
}

/** Replaces a delivery that is as it was read. */
export const replaceDelivery = (endpoint: Endpoint, read: Delivery, next: Delivery): Put => ({
  kind: 'put',
  item: deliveryItem(endpoint, next),
  ...asRead(read),
})

/** Takes a delivery to send it, until then; undefined where somebody else did. */
export async function takeDelivery(
  table: Table,
  endpoint: Endpoint,
  delivery: WaitingDelivery,
  until: Instant,
): Promise<WaitingDelivery | undefined> {
  const { fresh: _, ...rest } = delivery
  const taken = { ...rest, dueAt: until, taken: true as const }
  return (await writeRow(table, replaceDelivery(endpoint, delivery, taken))) ? taken : undefined
}

export const putAttempt = (
  { owner, id }: Endpoint,
  { eventId, createdAt }: Delivery,
  attempt: Attempt,
): Action =>
  putOnce(attemptEntity.encode(attemptKey(owner, id, eventId, attempt.number), attempt, ttlOf(createdAt)))

export async function readDelivery(
  table: Table,
  { owner, id }: Endpoint,
  eventId: EventId,
): Promise<Delivery | undefined> {
  const item = await readItem(table, deliveryKey(owner, id, eventId))
  return item && deliveryEntity.decode(item)
}

/** What came of each time it was sent, in order. */
export async function readAttempts(
  table: Table,
  { owner, id }: Endpoint,
  eventId: EventId,
): Promise<Attempt[]> {
  const items = await readRange(table, { pk: attemptsOf(owner, id), prefix: `${eventId}#` })
  return items.map(attemptEntity.decode)
}

/** Deliveries to an endpoint, those of the newest events first. */
export const deliveriesRange = ({ owner, id }: Endpoint): Range => ({
  pk: deliveriesOf(owner, id),
  newestFirst: true,
})

/**
 * The deliveries that are due first, whether yet or not; by the index, which may lag a little.
 *
 * @param tell is told of a row that is none: it keeps none of the others from being sent
 */
export async function readWaiting(
  table: Table,
  { owner, id }: Endpoint,
  most: number,
  tell: (error: CorruptItemError) => void,
): Promise<{ readonly waiting: readonly WaitingDelivery[]; readonly isAll: boolean }> {
  const range = { index: 'owned', pk: dueDeliveriesOf(owner, id) } as const
  const items = await readFirst(table, range, most)
  const waiting = readableOf(items, deliveryEntity, tell).filter((one) => one.state === 'waiting')
  return { waiting, isAll: items.length < most }
}

/**
 * The event of a delivery; undefined where it is gone, or cannot be read.
 *
 * @param tell is told of a row that is none
 */
export async function readEvent(
  table: Table,
  { log, eventId }: Pick<Delivery, 'log' | 'eventId'>,
  tell: (error: CorruptItemError) => void,
): Promise<Event | undefined> {
  const item = await readItem(table, eventKey(log === 'vendor' ? undefined : log, eventId))
  return item && readableOf([item], eventEntity, tell)[0]
}
