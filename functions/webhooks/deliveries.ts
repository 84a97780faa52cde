import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type Webhook, wants } from '../../shared/domain/webhook.ts'
import { type Delivery, deliveryView, type WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { messageIdOf, messageOf } from '../../shared/domain/webhook-message.ts'
import type { Call, Replayed } from '../../shared/platform/http/contract.ts'
import { type EventId, eventIdTime, type WebhookId } from '../../shared/platform/ids.ts'
import { epochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import { webhookKey } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { readPages } from '../../shared/store/read.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import type { Action, Table } from '../../shared/store/transact.ts'
import { laneTimer, readWebhook } from '../../shared/store/webhook.ts'
import {
  deliveriesRange,
  deliveryEntity,
  type Endpoint,
  readAttempts,
  readDelivery,
  readEvent,
  replaceDelivery,
} from '../../shared/store/webhook-delivery.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { eventOf } from './endpoints.ts'
import type { webhooksRoutes } from './routes.ts'
import type { WebhookServices } from './services.ts'

type Routes = typeof webhooksRoutes
type OfDelivery = { readonly params: { readonly eventId: EventId } }

/** Deliveries that one page of a filtered list looks at. */
const LOOKED_AT = 1_000
/** One transaction holds a hundred rows; a replay is one. */
const REPLAYED_AT_ONCE = 50

export async function listDeliveries(
  { query }: Pick<Call<Routes['listWebhookDeliveries']>, 'query'>,
  { owner, id }: Endpoint,
  { table, secrets }: WebhookServices,
) {
  const known = await readWebhook(table, owner, id)
  if (known === undefined) return notFound
  const { state, type } = query
  const isAsked = (one: Delivery) =>
    (state === undefined || one.state === state) && (type === undefined || wants([type], one.type))
  const range = deliveriesRange(known.webhook)
  return readPage(table, secrets.cursorKey, range, { ...query, most: LOOKED_AT }, async (items) =>
    items.map(deliveryEntity.decode).map((one) => (isAsked(one) ? viewOf(one, known.webhook.id) : undefined)),
  )
}

export async function getDelivery(
  { params: { eventId }, requestId }: OfDelivery & Pick<CommitRequest, 'requestId'>,
  { owner, id }: Endpoint,
  { table, log }: WebhookServices,
) {
  const [known, delivery, tries] = await Promise.all([
    readWebhook(table, owner, id),
    readDelivery(table, { owner, id }, eventId),
    readAttempts(table, { owner, id }, eventId),
  ])
  if (known === undefined || delivery === undefined) return notFound
  const event = await readEvent(table, delivery, (error) =>
    log('error', 'webhook', { requestId, subject: id }, error),
  )
  return { ...viewOf(delivery, id), tries, ...(event && { message: messageOf(event) }) }
}

export async function replayDelivery(
  call: CommitRequest & OfDelivery,
  endpoint: Endpoint,
  services: WebhookServices,
) {
  const { id } = endpoint
  const { eventId } = call.params
  return untilFresh(async () => {
    const webhook = await openWebhook(services.table, endpoint)
    if (isRefusal(webhook)) return webhook
    const delivery = await readDelivery(services.table, webhook, eventId)
    if (delivery === undefined) return notFound
    // It is being sent at this moment.
    if (delivery.state === 'waiting' && delivery.taken && delivery.dueAt > call.now)
      return services.commit(call, { writes: {}, events: [], reply: viewOf(delivery, id), refusals: {} })
    const next = anew(delivery, call.now)
    return replay(call, webhook, [delivery], viewOf(next, id), services)
  })
}

/** The deliveries of a time, the newest first, as many as one transaction can take. */
export async function replayDeliveries(
  call: CommitRequest & Pick<Call<Routes['replayWebhookDeliveries']>, 'body'>,
  endpoint: Endpoint,
  services: WebhookServices,
) {
  return untilFresh(async () => {
    const webhook = await openWebhook(services.table, endpoint)
    if (isRefusal(webhook)) return webhook
    const { found, nextBefore } = await findDeliveries(services.table, webhook, call.body)
    const reply = { ordered: found.length, ...(nextBefore && { nextBefore }) }
    return found.length === 0
      ? services.commit(call, { writes: {}, events: [], reply, refusals: {} })
      : replay(call, webhook, found, reply, services)
  })
}

async function findDeliveries(
  table: Table,
  webhook: Webhook,
  { since, until, state, eventTypes, before }: Call<Routes['replayWebhookDeliveries']>['body'],
): Promise<{ found: Delivery[]; nextBefore: EventId | undefined }> {
  const [from, to] = [epochMilliseconds(since), until ? epochMilliseconds(until) : Number.POSITIVE_INFINITY]
  const range = { ...deliveriesRange(webhook), ...(before && { below: before }) }
  const found: Delivery[] = []
  let looked = 0
  for await (const { items } of readPages(table, range, undefined, REPLAYED_AT_ONCE * 4))
    for (const delivery of items.map(deliveryEntity.decode)) {
      const at = eventIdTime(delivery.eventId)
      if (at < from) return { found, nextBefore: undefined }
      looked += 1
      if (at < to && delivery.state === state && wants(eventTypes, delivery.type)) found.push(delivery)
      if (found.length === REPLAYED_AT_ONCE || looked === LOOKED_AT)
        return { found, nextBefore: delivery.eventId }
    }
  return { found, nextBefore: undefined }
}

function replay<R>(
  call: CommitRequest,
  webhook: Webhook,
  deliveries: readonly Delivery[],
  reply: R,
  { commit }: WebhookServices,
): Promise<R | Refusal | Replayed> {
  const { now } = call
  const writes: Record<string, Action> = {
    webhook: {
      kind: 'check',
      key: webhookKey(webhook.owner, webhook.id),
      condition: 'attribute_exists(pk) AND attribute_not_exists(disabled)',
    },
    lane: fileTimer(laneTimer(webhook, now)),
  }
  for (const [index, one] of deliveries.entries())
    writes[`delivery ${index}`] = replaceDelivery(webhook, one, anew(one, now))
  const [only, ...others] = deliveries
  const after = only && others.length === 0 ? { eventId: only.eventId } : { deliveries: deliveries.length }
  return commit(call, {
    writes,
    events: [{ ...eventOf('webhook.replayed', webhook), after }],
    reply,
    refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
  })
}

/** As it was when it came. */
function anew({ eventId, type, log, createdAt, attempts, last }: Delivery, now: Instant): WaitingDelivery {
  const common = { eventId, type, log, createdAt, attempts, failures: 0, ...(last && { last }) }
  return { ...common, state: 'waiting', dueAt: now, fresh: true }
}

async function openWebhook(table: Table, { owner, id }: Endpoint): Promise<Webhook | Refusal> {
  const known = await readWebhook(table, owner, id)
  if (known === undefined) return notFound
  return known.webhook.disabled === undefined
    ? known.webhook
    : refuse('WEBHOOK_DISABLED', 'The endpoint is disabled.')
}

const viewOf = (delivery: Delivery, id: WebhookId) =>
  deliveryView(delivery, messageIdOf(delivery.eventId, id))
