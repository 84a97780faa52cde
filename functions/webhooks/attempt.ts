import type { Webhook } from '../../shared/domain/webhook.ts'
import {
  type Attempt,
  afterAttempt,
  type Delivery,
  disableReason,
  healthAfter,
  isTaken,
  reasonOf,
  type Sent,
  type WaitingDelivery,
} from '../../shared/domain/webhook-delivery.ts'
import { messageIdOf, payloadOf } from '../../shared/domain/webhook-message.ts'
import { type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { signedHeaders } from '../../shared/platform/webhooks/signature.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { putOnce, transact } from '../../shared/store/transact.ts'
import { type KnownWebhook, noteHealth, replaceWebhook } from '../../shared/store/webhook.ts'
import { putAttempt, readEvent, replaceDelivery, takeDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { WebhookServices } from './services.ts'

/** Who disables endpoints, as events name it. */
const DELIVERER = 'deliverWebhooks'
/** A delivery is somebody's for this long, in milliseconds: longer than any function lives (28 s). */
const TAKEN_FOR = 60_000

/** What came of it, and how the endpoint and the delivery are now. */
export type Attempted = { readonly sent: Sent; readonly known: KnownWebhook; readonly delivery: Delivery }

/**
 * Sends one delivery, if nobody else does, and writes down what came of it. Should this die after sending and before
 * writing, the delivery is due again a minute later and is repeated, with the same `webhook-id`.
 *
 * @param milliseconds that the endpoint may take to answer
 */
export async function attemptDelivery(
  known: KnownWebhook,
  delivery: WaitingDelivery,
  milliseconds: number,
  requestId: string,
  services: WebhookServices,
): Promise<Attempted | undefined> {
  const { webhook, health } = known
  const { table, random } = services
  const taken = await takeDelivery(table, webhook, delivery, plusMilliseconds(readClock(), TAKEN_FOR))
  if (taken === undefined) return undefined
  const event = await readEvent(table, taken, (error) =>
    services.log('error', 'webhook', { requestId, subject: webhook.id }, error),
  )
  if (event === undefined) return giveUp(known, taken, services)
  const at = readClock()
  const payload = payloadOf(event, linkOf(webhook, event.id, services.issuer))
  const sent = await send(webhook, messageIdOf(event.id, webhook.id), payload, milliseconds, at, services)
  const now = readClock()
  const next = afterAttempt(taken, sent, now, random())
  const healthNow = healthAfter(health, sent, now, random())
  const because = disableReason(healthNow ?? health, sent, now)
  const attempt = {
    delivery: replaceDelivery(webhook, taken, next),
    attempt: putAttempt(webhook, next, attemptOf(next.attempts, sent, at)),
  }
  const disabled = because && disable(webhook, because, sent, now, requestId)
  // One that its owner changed meanwhile is not disabled: the next failure decides anew.
  const isDisabled = disabled && (await transact(table, { ...attempt, ...disabled.writes })).ok
  if (!isDisabled) await transact(table, attempt)
  if (healthNow !== undefined) await noteHealth(table, known, healthNow)
  const after = { webhook: isDisabled ? disabled.webhook : webhook, health: healthNow ?? health }
  return { sent, known: after, delivery: next }
}

/** What cannot be sent must not keep what comes after it from being sent. */
async function giveUp(
  known: KnownWebhook,
  taken: WaitingDelivery,
  { table }: WebhookServices,
): Promise<Attempted | undefined> {
  const { dueAt: _, taken: __, ...rest } = taken
  const now = readClock()
  const last = { at: now, milliseconds: 0, error: 'Its event cannot be read.' }
  const next: Delivery = { ...rest, last, state: 'failed', at: now }
  await writeRow(table, replaceDelivery(known.webhook, taken, next))
  return undefined
}

/** Sends a signed message. That it must not be sent there, or that nobody knows where that is, is an answer like others. */
export async function send(
  webhook: Webhook,
  messageId: string,
  payload: string,
  milliseconds: number,
  now: Instant,
  { targetOf, post, keysOf }: WebhookServices,
): Promise<Sent> {
  const target = await targetOf(webhook.url).catch(() => ({ forbidden: 'Its name could not be resolved.' }))
  if ('forbidden' in target) return { milliseconds: 0, error: target.forbidden }
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Latchkey-Webhooks/1',
    ...signedHeaders(
      messageId,
      payload,
      generationsAt(webhook, now).map((one) => keysOf(webhook.id, one)),
      now,
    ),
  }
  return post(target, headers, payload, milliseconds)
}

/** Its own secrets, and while a rotation lasts those before. */
function generationsAt({ generation, previousUntil }: Webhook, now: Instant): number[] {
  return previousUntil !== undefined && previousUntil > now ? [generation, generation - 1] : [generation]
}

/** Where the whole event can be read. */
function linkOf({ owner, id }: Webhook, eventId: string, issuer: string): string {
  const place = owner === 'vendor' ? '' : `/tenants/${owner}`
  return `${issuer}/v1${place}/webhooks/${id}/deliveries/${eventId}`
}

function attemptOf(number: number, sent: Sent, at: Instant): Attempt {
  const { milliseconds, status, error, answer } = sent
  return {
    number,
    at,
    milliseconds,
    outcome: isTaken(sent) ? 'delivered' : 'failed',
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    ...(answer !== undefined && { answer }),
  }
}

/** What disables an endpoint that is as it was read, and tells it. */
function disable(webhook: Webhook, because: 'gone' | 'failing', sent: Sent, now: Instant, requestId: string) {
  const disabled: Webhook = { ...webhook, disabled: { because, at: now }, revision: webhook.revision + 1 }
  const { owner, id, url, revision } = disabled
  const event = record(
    {
      type: 'webhook.disabled',
      ...(owner !== 'vendor' && { tenantId: owner }),
      subject: { type: 'webhook', id },
      after: { url, because, lastFailure: reasonOf(sent), revision },
    },
    { caller: { kind: 'system', subject: DELIVERER }, now, requestId },
  )
  const writes = { webhook: replaceWebhook(disabled, webhook), event: putOnce(eventItem(event)) }
  return { webhook: disabled, writes }
}
