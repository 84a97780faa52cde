import * as z from 'zod'
import { TenantId, WebhookId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { eventTypeNames } from './event-types.ts'

/** Whose endpoint it is: a tenant's, which is told of that tenant alone, or the vendor's, which is told of all. */
export const WebhookOwner = z.union([TenantId, z.literal('vendor')])
export type WebhookOwner = z.infer<typeof WebhookOwner>

/** How many endpoints one owner may have: each costs a write for every event it wants. */
export const MOST_WEBHOOKS = 20

/** Which events are wanted: all (`*`), all about something (`license.*`), or one type. */
export const EventFilter = z
  .string()
  .max(100)
  .refine(isEventFilter, 'a type of event (GET /v1/event-types), all of a subject such as license.*, or *')
  .meta({ id: 'EventFilter' })

function isEventFilter(text: string): boolean {
  return eventTypeNames.some((type) => wants([text], type))
}

/** Is an event of this type wanted? */
export function wants(filters: readonly string[], type: string): boolean {
  return filters.some(
    (filter) =>
      filter === '*' || filter === type || (filter.endsWith('.*') && type.startsWith(filter.slice(0, -1))),
  )
}

const Url = z.url({ protocol: /^https?$/ }).max(2_000)
const Description = z.string().trim().max(500)
const Filters = z.array(EventFilter).min(1).max(100)

/** What its owner says of an endpoint. */
export const WebhookDraft = z.strictObject({
  /** Where events are posted to: https, port 443 or 8443, at an address that is reachable from everywhere. */
  url: Url,
  description: Description.optional(),
  eventTypes: Filters.default(['*']),
  enabled: z.boolean().default(true),
})
export type WebhookDraft = z.infer<typeof WebhookDraft>

export const WebhookEdit = z.strictObject({
  url: Url.optional(),
  description: Description.optional(),
  eventTypes: Filters.optional(),
  /** `true` also enables an endpoint that was disabled because it failed. */
  enabled: z.boolean().optional(),
})

/** Why an endpoint is disabled: its owner said so, it failed for days, or it answered 410 (gone). */
const Disabled = z.strictObject({ because: z.enum(['owner', 'failing', 'gone']), at: Instant })

/** An endpoint as stored. Its secrets are not: they are derived from its id and a generation (platform/webhooks/signature.ts). */
export const Webhook = z.strictObject({
  id: WebhookId,
  owner: WebhookOwner,
  url: z.string(),
  description: z.string().optional(),
  eventTypes: z.array(z.string()),
  disabled: Disabled.optional(),
  /** Which secrets are its own. */
  generation: z.int().positive(),
  /** Until then it is also signed with the secrets before. */
  previousUntil: Instant.optional(),
  createdAt: Instant,
  revision: z.int().positive(),
})
export type Webhook = z.infer<typeof Webhook>

/** How deliveries to an endpoint went lately; a row of its own, which is written far more often. */
export const WebhookHealth = z.strictObject({
  lastDeliveredAt: Instant.optional(),
  /** The first failure since the last success. */
  failingSince: Instant.optional(),
  /** Failures in a row of which the endpoint as a whole was the reason. */
  failures: z.int().nonnegative().optional(),
  lastFailure: z.strictObject({ at: Instant, reason: z.string() }).optional(),
  /** Nothing is sent to it before. */
  pausedUntil: Instant.optional(),
  /** It took long: until then only the job sends to it, where it keeps nobody waiting. */
  slowUntil: Instant.optional(),
})
export type WebhookHealth = z.infer<typeof WebhookHealth>

export const WebhookView = z
  .strictObject({
    id: WebhookId,
    url: z.string(),
    description: z.string().optional(),
    eventTypes: z.array(z.string()),
    enabled: z.boolean(),
    disabled: Disabled.optional(),
    /** With which `v1a` signatures are verified: Ed25519, as Standard Webhooks writes it. */
    publicKey: z.string(),
    /** Until then messages are also signed with the secrets before the last rotation. */
    previousUntil: Instant.optional(),
    health: z.strictObject({
      lastDeliveredAt: Instant.optional(),
      failingSince: Instant.optional(),
      lastFailure: z.strictObject({ at: Instant, reason: z.string() }).optional(),
      /** Deliveries wait until then, since it failed just now. */
      pausedUntil: Instant.optional(),
    }),
    createdAt: Instant,
    revision: z.int(),
  })
  .meta({ id: 'Webhook' })
export type WebhookView = z.infer<typeof WebhookView>

/** The endpoint with its secret, which only its making, a rotation and a reveal answer with. */
export const WebhookSecrets = z.strictObject({
  ...WebhookView.shape,
  /** With which `v1` signatures are verified: HMAC-SHA256, as Standard Webhooks writes it. */
  secret: z.string(),
})

export function webhookView(
  { owner: _, generation: __, disabled, previousUntil, ...told }: Webhook,
  publicKey: string,
  health: WebhookHealth | undefined,
  now: Instant,
): WebhookView {
  const { lastDeliveredAt, failingSince, lastFailure, pausedUntil } = health ?? {}
  return {
    ...told,
    enabled: disabled === undefined,
    ...(disabled && { disabled }),
    publicKey,
    ...(previousUntil && previousUntil > now && { previousUntil }),
    health: {
      ...(lastDeliveredAt && { lastDeliveredAt }),
      ...(failingSince && { failingSince }),
      ...(lastFailure && { lastFailure }),
      ...(pausedUntil && pausedUntil > now && { pausedUntil }),
    },
  }
}
