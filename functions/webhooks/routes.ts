import * as z from 'zod'
import { type Access, TENANT_ROLES, VENDOR_ROLES } from '../../shared/domain/access.ts'
import {
  EventFilter,
  WebhookDraft,
  WebhookEdit,
  WebhookSecrets,
  WebhookView,
} from '../../shared/domain/webhook.ts'
import { Attempt, DeliveryState, DeliveryView } from '../../shared/domain/webhook-delivery.ts'
import { WebhookMessage } from '../../shared/domain/webhook-message.ts'
import type { Route, RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, Reason } from '../../shared/platform/http/shapes.ts'
import { EventId, TenantId, WebhookId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

/** Hours for which messages are signed with the secrets before a rotation, too. */
const OverlapHours = z.int().min(0).max(168).default(24)

const Ping = z.strictObject({
  messageId: z.string(),
  delivered: z.boolean(),
  milliseconds: z.int(),
  status: z.int().optional(),
  error: z.string().optional(),
  /** The beginning of what it answered. */
  answer: z.string().optional(),
})

const DeliveryQuery = z.strictObject({
  ...PageQuery.shape,
  state: DeliveryState.optional(),
  type: EventFilter.optional(),
})

const ReplayOrder = z.strictObject({
  /** Events from then on. */
  since: Instant,
  /** Events before then; all until now, if absent. */
  until: Instant.optional(),
  state: z.enum(['failed', 'delivered']).default('failed'),
  eventTypes: z.array(EventFilter).min(1).max(100).default(['*']),
  /** `nextBefore` of the answer before, to go on. */
  before: EventId.optional(),
})

const ReplayResult = z.strictObject({
  /** How many are sent again. */
  ordered: z.int(),
  /** There may be more: ask again with this as `before`. */
  nextBefore: EventId.optional(),
})

type Owned<All extends z.ZodObject, One extends z.ZodObject, Delivered extends z.ZodObject> = {
  readonly path: `/${string}`
  /** Of one of them. */
  readonly one: `/${string}`
  readonly managers: Access
  readonly readers: Access
  readonly params: { readonly all: All; readonly one: One; readonly delivery: Delivered }
}

/** The same operations for the endpoints of either kind of owner. */
function routesOf<All extends z.ZodObject, One extends z.ZodObject, Delivered extends z.ZodObject>({
  path,
  one,
  managers,
  readers,
  params,
}: Owned<All, One, Delivered>) {
  return {
    create: {
      method: 'POST',
      path,
      access: managers,
      params: params.all,
      body: WebhookDraft,
      success: { status: 201, body: WebhookSecrets },
      errors: ['WEBHOOK_URL_REFUSED', 'WEBHOOKS_EXHAUSTED'],
      summary: 'Add a webhook endpoint; its secret is shown',
      description:
        'Events are posted as Standard Webhooks (standardwebhooks.com) has it: `webhook-id` is the same for each repetition, `webhook-signature` has a `v1` (HMAC-SHA256, `secret`) and a `v1a` (Ed25519, `publicKey`) signature. An event comes at least once, and events may come in another order. Any status of 2xx takes it; anything else, redirects included, is repeated over three days, but 410 disables the endpoint.',
      versioned: true,
    },
    list: {
      method: 'GET',
      path,
      access: readers,
      params: params.all,
      success: { status: 200, body: z.strictObject({ items: z.array(WebhookView) }) },
      errors: [],
      summary: 'List webhook endpoints and how they are',
    },
    get: {
      method: 'GET',
      path: one,
      access: readers,
      params: params.one,
      success: { status: 200, body: WebhookView },
      errors: [],
      summary: 'Read a webhook endpoint and how it is',
      versioned: true,
    },
    edit: {
      method: 'PATCH',
      path: one,
      access: managers,
      params: params.one,
      body: WebhookEdit,
      success: { status: 200, body: WebhookView },
      errors: ['WEBHOOK_URL_REFUSED'],
      summary: 'Edit a webhook endpoint, disable it, or enable it again',
      description:
        'What waits for it is sent once it is enabled. One that was disabled because it failed is also sent what happened in the first seven days since.',
      versioned: true,
    },
    remove: {
      method: 'DELETE',
      path: one,
      access: managers,
      params: params.one,
      success: { status: 204 },
      errors: [],
      summary: 'Remove a webhook endpoint and what waits for it',
    },
    rotate: {
      method: 'POST',
      path: `${one}/rotate-secret`,
      access: managers,
      params: params.one,
      body: z.strictObject({ overlapHours: OverlapHours }),
      success: { status: 200, body: WebhookSecrets },
      errors: [],
      summary: 'Give a webhook endpoint other secrets; for a while messages are signed with both',
      description:
        'The overlap is a day unless said otherwise, 0 for a secret that leaked. Of the secrets before the last ones nothing remains.',
      versioned: true,
    },
    reveal: {
      method: 'POST',
      path: `${one}/reveal-secret`,
      access: managers,
      params: params.one,
      body: z.strictObject({ reason: Reason }),
      success: { status: 200, body: WebhookSecrets },
      errors: [],
      summary: 'Show the secret of a webhook endpoint again; this is an event',
      versioned: true,
    },
    ping: {
      method: 'POST',
      path: `${one}/test`,
      access: managers,
      params: params.one,
      success: { status: 200, body: Ping },
      errors: [],
      summary: 'Send a message of type webhook.ping to an endpoint, enabled or not, and tell what it answers',
      safe: true,
    },
    deliveries: {
      method: 'GET',
      path: `${one}/deliveries`,
      access: readers,
      params: params.one,
      query: DeliveryQuery,
      success: { status: 200, body: pageOf(DeliveryView) },
      errors: [],
      summary: 'What was sent to an endpoint in the last 30 days, or waits: the newest events first',
      description: 'A page may hold fewer than `limit` though there are more; go on with `nextCursor`.',
    },
    delivery: {
      method: 'GET',
      path: `${one}/deliveries/{eventId}`,
      access: readers,
      params: params.delivery,
      success: {
        status: 200,
        body: z.strictObject({
          ...DeliveryView.shape,
          tries: z.array(Attempt),
          /** The whole of it, also where it was too large to be sent so; absent where its event cannot be read any more. */
          message: WebhookMessage.optional(),
        }),
      },
      errors: [],
      summary: 'One delivery: the message, and what came of each time it was sent',
    },
    replayOne: {
      method: 'POST',
      path: `${one}/deliveries/{eventId}/replay`,
      access: managers,
      params: params.delivery,
      success: { status: 202, body: DeliveryView },
      errors: ['WEBHOOK_DISABLED'],
      summary: 'Send an event to an endpoint again, with the same webhook-id',
    },
    replay: {
      method: 'POST',
      path: `${one}/replay`,
      access: managers,
      params: params.one,
      body: ReplayOrder,
      success: { status: 202, body: ReplayResult },
      errors: ['WEBHOOK_DISABLED'],
      summary: 'Send the events of a time again that failed, or those that were taken; fifty at a time',
    },
  } as const satisfies Record<string, Route>
}

const tenant = { tenantId: TenantId }
const webhook = { webhookId: WebhookId }
const event = { eventId: EventId }

const tenants = routesOf({
  path: '/v1/tenants/{tenantId}/webhooks',
  one: '/v1/tenants/{tenantId}/webhooks/{webhookId}',
  managers: ['vendor:admin', 'tenant:admin'],
  readers: [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'],
  params: {
    all: z.strictObject(tenant),
    one: z.strictObject({ ...tenant, ...webhook }),
    delivery: z.strictObject({ ...tenant, ...webhook, ...event }),
  },
})

const vendors = routesOf({
  path: '/v1/webhooks',
  one: '/v1/webhooks/{vendorWebhookId}',
  managers: ['vendor:admin'],
  readers: ['vendor:admin'],
  params: {
    all: z.strictObject({}),
    one: z.strictObject({ vendorWebhookId: WebhookId }),
    delivery: z.strictObject({ vendorWebhookId: WebhookId, ...event }),
  },
})

/** Of a path that names nothing. */
function withoutParams<R extends Route>({ params: _, ...route }: R): Omit<R, 'params'> {
  return route
}

export const webhooksRoutes = {
  createWebhook: { ...tenants.create, errors: [...tenants.create.errors, 'ARCHIVED'] },
  listWebhooks: tenants.list,
  getWebhook: tenants.get,
  editWebhook: tenants.edit,
  deleteWebhook: tenants.remove,
  rotateWebhookSecret: tenants.rotate,
  revealWebhookSecret: tenants.reveal,
  testWebhook: tenants.ping,
  listWebhookDeliveries: tenants.deliveries,
  getWebhookDelivery: tenants.delivery,
  replayWebhookDelivery: tenants.replayOne,
  replayWebhookDeliveries: tenants.replay,

  createVendorWebhook: withoutParams(vendors.create),
  listVendorWebhooks: withoutParams(vendors.list),
  getVendorWebhook: vendors.get,
  editVendorWebhook: vendors.edit,
  deleteVendorWebhook: vendors.remove,
  rotateVendorWebhookSecret: vendors.rotate,
  revealVendorWebhookSecret: vendors.reveal,
  testVendorWebhook: vendors.ping,
  listVendorWebhookDeliveries: vendors.deliveries,
  getVendorWebhookDelivery: vendors.delivery,
  replayVendorWebhookDelivery: vendors.replayOne,
  replayVendorWebhookDeliveries: vendors.replay,

  listEventTypes: {
    method: 'GET',
    path: '/v1/event-types',
    access: [...VENDOR_ROLES, ...TENANT_ROLES],
    success: {
      status: 200,
      body: z.strictObject({ items: z.array(z.strictObject({ type: z.string(), meaning: z.string() })) }),
    },
    errors: [],
    summary: 'Every type of event and what it means, for the filters of webhooks',
  },
} as const satisfies RouteTable
