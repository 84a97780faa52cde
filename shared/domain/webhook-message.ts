import * as z from 'zod'
import { EventId, TenantId, type WebhookId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Event } from './event.ts'

/** Bytes: Standard Webhooks recommends payloads below 20 KB. */
export const LARGEST_PAYLOAD = 20_000

/**
 * `webhook-id`: the same whenever this event is sent to this endpoint, so that a receiver sees a repetition. Without full
 * stops, which separate what is signed.
 */
export const messageIdOf = (eventId: Event['id'], id: WebhookId) => `${eventId}_${id}`

/** What an endpoint is told, as Standard Webhooks has it. */
export const WebhookMessage = z.strictObject({
  type: z.string(),
  timestamp: Instant,
  data: z.strictObject({
    eventId: EventId,
    tenantId: TenantId.optional(),
    actor: Event.shape.actor,
    subject: Event.shape.subject,
    reason: z.string().optional(),
    before: Event.shape.before,
    after: Event.shape.after,
    /** It was too large: the whole of it is at `link`. */
    truncated: z.literal(true).optional(),
    link: z.string().optional(),
  }),
})
export type WebhookMessage = z.infer<typeof WebhookMessage>

/** What is told of an event. */
export function messageOf(event: Event): WebhookMessage {
  const { id, type, at, tenantId, actor, subject, before, after, reason } = event
  return {
    type,
    timestamp: at,
    data: {
      eventId: id,
      ...(tenantId && { tenantId }),
      actor,
      subject,
      ...(reason !== undefined && { reason }),
      ...(before && { before }),
      ...(after && { after }),
    },
  }
}

/**
 * What is sent of an event, the same bytes each time.
 *
 * @param link where the whole of it can be read, for what is too large to be sent
 */
export function payloadOf(event: Event, link: string): string {
  const message = messageOf(event)
  const whole = JSON.stringify(message)
  if (Buffer.byteLength(whole) <= LARGEST_PAYLOAD) return whole
  const { before: _, after: __, ...data } = message.data
  return JSON.stringify({ ...message, data: { ...data, truncated: true, link } } satisfies WebhookMessage)
}
