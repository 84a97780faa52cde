import { isSame } from '../../shared/domain/canonical-json.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import type { EventType } from '../../shared/domain/event-types.ts'
import { notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { changes, checkEdit } from '../../shared/domain/revision.ts'
import {
  MOST_WEBHOOKS,
  type Webhook,
  type WebhookDraft,
  type WebhookHealth,
  type WebhookOwner,
  type WebhookView,
  webhookView,
} from '../../shared/domain/webhook.ts'
import { isTaken } from '../../shared/domain/webhook-delivery.ts'
import type { Call, Reply } from '../../shared/platform/http/contract.ts'
import { newEventId, newWebhookId } from '../../shared/platform/ids.ts'
import { HOUR, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { publicKeyText, secretText } from '../../shared/platform/webhooks/signature.ts'
import { tenantKey, webhookHealthKey } from '../../shared/store/keys.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import { type Action, checkLive } from '../../shared/store/transact.ts'
import {
  addWebhook,
  type KnownWebhook,
  laneTimer,
  readWebhook,
  readWebhooks,
  removeWebhook,
  replaceWebhook,
} from '../../shared/store/webhook.ts'
import type { Endpoint } from '../../shared/store/webhook-delivery.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, stale, untilFresh } from '../until-fresh.ts'
import { send } from './attempt.ts'
import type { webhooksRoutes } from './routes.ts'
import type { WebhookServices } from './services.ts'

/** Milliseconds that an endpoint may take to answer a test. */
const PING_PATIENCE = 10_000

type Routes = typeof webhooksRoutes

export async function createWebhook(
  call: CommitRequest & { readonly body: WebhookDraft },
  owner: WebhookOwner,
  services: WebhookServices,
) {
  const { body, now } = call
  if (owner !== 'vendor' && (await readTenant(services.table, owner)) === undefined) return notFound
  const refused = await checkUrl(body.url, services)
  if (refused) return refused
  const { enabled, ...told } = body
  const webhook: Webhook = {
    id: newWebhookId(now),
    owner,
    ...told,
    ...(!enabled && { disabled: { because: 'owner', at: now } }),
    generation: 1,
    createdAt: now,
    revision: 1,
  }
  return services.commit(call, {
    writes: { ...liveTenant(owner), ...addWebhook(webhook) },
    events: [{ ...eventOf('webhook.created', webhook), after: { ...told, revision: 1 } }],
    reply: withSecret(webhook, undefined, now, services),
    refusals: {
      tenant: refuse('ARCHIVED', 'The tenant is archived.'),
      count: refuse('WEBHOOKS_EXHAUSTED', `There are ${MOST_WEBHOOKS} endpoints.`),
    },
  })
}

export async function listWebhooks(
  { now }: { now: Instant },
  owner: WebhookOwner,
  services: WebhookServices,
) {
  if (owner !== 'vendor' && (await readTenant(services.table, owner)) === undefined) return notFound
  const all = await readWebhooks(services.table, owner)
  return { items: all.map((one) => viewOf(one, now, services)) }
}

export async function getWebhook(
  call: { readonly now: Instant },
  { owner, id }: Endpoint,
  services: WebhookServices,
) {
  const known = await readWebhook(services.table, owner, id)
  return known ? viewOf(known, call.now, services) : notFound
}

export async function editWebhook(
  call: CommitRequest & Pick<Call<Routes['editWebhook']>, 'body' | 'revision'>,
  { owner, id }: Endpoint,
  services: WebhookServices,
): Promise<Reply<Routes['editWebhook']> | Refusal | { replayed: unknown }> {
  const { body, now, revision } = call
  const { table, commit } = services
  const known = await readWebhook(table, owner, id)
  if (known === undefined) return notFound
  const { webhook, health } = known
  const { enabled, ...told } = body
  const refused = checkEdit(webhook, revision) ?? (told.url && (await checkUrl(told.url, services)))
  if (refused) return refused
  const { disabled, ...rest } = webhook
  const stays = enabled === undefined ? disabled : enabled ? undefined : (disabled ?? byOwner(now))
  const same = { ...rest, ...defined(told), ...(stays && { disabled: stays }) }
  if (isSame(webhook, same))
    return commit(call, { writes: {}, events: [], reply: viewOf(known, now, services), refusals: {} })
  const next: Webhook = { ...same, revision: revision + 1 }
  // Of an endpoint that is to be tried anew, or is another one, nothing is known.
  const isAnew = next.url !== webhook.url || (disabled !== undefined && stays === undefined)
  const writes: Record<string, Action> = { webhook: replaceWebhook(next, webhook) }
  if (isAnew) {
    writes['health'] = { kind: 'remove', key: webhookHealthKey(owner, webhook.id) }
    if (stays === undefined) writes['lane'] = fileTimer(laneTimer(webhook, now))
  }
  return commit(call, {
    writes,
    events: [
      {
        ...eventOf('webhook.edited', webhook),
        ...changes(webhook, next),
      },
    ],
    reply: viewOf({ webhook: next, health: isAnew ? undefined : health }, now, services),
    refusals: { webhook: stale },
  })
}

export function deleteWebhook(call: CommitRequest, endpoint: Endpoint, services: WebhookServices) {
  return change(endpoint, services, ({ webhook }) =>
    services.commit(call, {
      writes: removeWebhook(webhook),
      events: [{ ...eventOf('webhook.deleted', webhook), before: { url: webhook.url } }],
      reply: undefined,
      refusals: { webhook: outdated },
    }),
  )
}

export function rotateSecret(
  call: CommitRequest & { readonly body: { readonly overlapHours: number } },
  endpoint: Endpoint,
  services: WebhookServices,
) {
  const { now, body } = call
  return change(endpoint, services, ({ webhook, health }) => {
    const { previousUntil: _, ...rest } = webhook
    const until = plusMilliseconds(now, body.overlapHours * HOUR)
    const next: Webhook = {
      ...rest,
      generation: webhook.generation + 1,
      ...(body.overlapHours > 0 && { previousUntil: until }),
      revision: webhook.revision + 1,
    }
    return services.commit(call, {
      writes: { webhook: replaceWebhook(next, webhook) },
      events: [
        {
          ...eventOf('webhook.secret-rotated', webhook),
          after: { previousUntil: until, revision: next.revision },
        },
      ],
      reply: withSecret(next, health, now, services),
      refusals: { webhook: outdated },
    })
  })
}

export function revealSecret(
  call: CommitRequest & { readonly body: { readonly reason: string } },
  endpoint: Endpoint,
  services: WebhookServices,
) {
  return change(endpoint, services, ({ webhook, health }) =>
    services.commit(call, {
      writes: {},
      events: [{ ...eventOf('webhook.secret-revealed', webhook), reason: call.body.reason }],
      reply: withSecret(webhook, health, call.now, services),
      refusals: {},
    }),
  )
}

/** Sends a message that is no event and is not kept. */
export async function pingWebhook(
  { now }: { readonly now: Instant },
  { owner, id }: Endpoint,
  services: WebhookServices,
): Promise<Reply<Routes['testWebhook']> | Refusal> {
  const known = await readWebhook(services.table, owner, id)
  if (known === undefined) return notFound
  const messageId = newEventId(now).replace('evt_', 'ping_')
  const payload = JSON.stringify({
    type: 'webhook.ping',
    timestamp: now,
    data: { webhookId: id },
  })
  const sent = await send(known.webhook, messageId, payload, PING_PATIENCE, now, services)
  const { retryAfter: _, ...answered } = sent
  return { messageId, delivered: isTaken(sent), ...answered }
}

async function change<T>(
  { owner, id }: Endpoint,
  { table }: WebhookServices,
  make: (known: KnownWebhook) => Promise<T>,
): Promise<T | Refusal> {
  return untilFresh<T>(async () => {
    const known = await readWebhook(table, owner, id)
    return known ? make(known) : notFound
  })
}

async function checkUrl(url: string, { targetOf }: WebhookServices): Promise<Refusal | undefined> {
  // Where nobody answers at the moment what its name stands for, each attempt asks anew.
  const target = await targetOf(url).catch(() => undefined)
  return target && 'forbidden' in target
    ? refuse('WEBHOOK_URL_REFUSED', `Nothing can be sent to this URL. ${target.forbidden}`)
    : undefined
}

const byOwner = (at: Instant): Webhook['disabled'] => ({ because: 'owner', at })

const defined = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const liveTenant = (owner: WebhookOwner): { tenant?: Action } =>
  owner === 'vendor' ? {} : { tenant: checkLive(tenantKey(owner)) }

function viewOf({ webhook, health }: KnownWebhook, now: Instant, { keysOf }: WebhookServices): WebhookView {
  return webhookView(webhook, publicKeyText(keysOf(webhook.id, webhook.generation)), health, now)
}

function withSecret(
  webhook: Webhook,
  health: WebhookHealth | undefined,
  now: Instant,
  services: WebhookServices,
) {
  const secret = secretText(services.keysOf(webhook.id, webhook.generation))
  return { ...viewOf({ webhook, health }, now, services), secret }
}

/** What happened to an endpoint, in the log of its owner. */
export function eventOf(type: EventType, { owner, id }: Webhook): EventDraft {
  return { type, ...(owner !== 'vendor' && { tenantId: owner }), subject: { type: 'webhook', id } }
}
