import * as z from 'zod'
import { MOST_WEBHOOKS, Webhook, WebhookHealth, type WebhookOwner } from '../domain/webhook.ts'
import type { WebhookId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { type CorruptItemError, type Entity, entity, type Item, readableOf } from './codec.ts'
import { webhookCountKey, webhookHealthKey, webhookKey, webhooksOf } from './keys.ts'
import { readItems, readRange } from './read.ts'
import { fileTimer, type Timer } from './timer.ts'
import { type Action, putOnce, putRevision, type Table } from './transact.ts'
import { writeRow } from './write.ts'

export const webhookEntity = entity('webhook', 1, Webhook)

/** With its owner and endpoint, as a sweep of failed ones may find it. */
const StoredHealth = z.strictObject({ id: z.string(), ...WebhookHealth.shape })
export const webhookHealthEntity = entity('webhook-health', 1, StoredHealth)

/** An endpoint and how it is. */
export type KnownWebhook = { readonly webhook: Webhook; readonly health: WebhookHealth | undefined }

/**
 * All endpoints of an owner, the oldest first: one query.
 *
 * @param onUnreadable told of a row that is none, which keeps none of the others from being read; else it is thrown
 */
export async function readWebhooks(
  table: Table,
  owner: WebhookOwner,
  onUnreadable?: (error: CorruptItemError) => void,
): Promise<KnownWebhook[]> {
  return joined(await readRange(table, { pk: webhooksOf(owner) }), onUnreadable)
}

export async function readWebhook(
  table: Table,
  owner: WebhookOwner,
  id: WebhookId,
): Promise<KnownWebhook | undefined> {
  return joined(await readItems(table, [webhookKey(owner, id), webhookHealthKey(owner, id)]))[0]
}

function joined(items: readonly Item[], onUnreadable?: (error: CorruptItemError) => void): KnownWebhook[] {
  const health = new Map(rowsOf(webhookHealthEntity).map(({ id, ...rest }) => [id, rest]))
  return rowsOf(webhookEntity).map((webhook) => ({ webhook, health: health.get(webhook.id) }))

  function rowsOf<T>(entity: Entity<T>): T[] {
    const own = items.filter((item) => item['entity'] === entity.name)
    return onUnreadable === undefined ? own.map(entity.decode) : readableOf(own, entity, onUnreadable)
  }
}

/** Adds an endpoint; `count` fails where its owner has as many as one may have. */
export function addWebhook(webhook: Webhook): { count: Action; webhook: Action } {
  const { owner, id } = webhook
  return {
    count: {
      kind: 'update',
      key: webhookCountKey(owner),
      update: 'ADD endpoints :one',
      condition: 'attribute_not_exists(pk) OR endpoints < :most',
      values: { ':one': 1, ':most': MOST_WEBHOOKS },
    },
    webhook: putOnce(webhookEntity.encode(webhookKey(owner, id), webhook)),
  }
}

/** Replaces an endpoint that has the revision it was read with. */
export const replaceWebhook = (webhook: Webhook, read: Webhook): Action =>
  putRevision(webhookEntity.encode(webhookKey(webhook.owner, webhook.id), webhook), read.revision)

export function removeWebhook({
  owner,
  id,
  revision,
}: Webhook): Record<'count' | 'webhook' | 'health', Action> {
  return {
    count: {
      kind: 'update',
      key: webhookCountKey(owner),
      update: 'ADD endpoints :less',
      values: { ':less': -1 },
    },
    webhook: {
      kind: 'remove',
      key: webhookKey(owner, id),
      condition: 'revision = :revision',
      values: { ':revision': revision },
    },
    health: { kind: 'remove', key: webhookHealthKey(owner, id) },
  }
}

/**
 * Notes how an endpoint is; the last who sent to it says so. Where what was known of it is gone, it was enabled anew, is at
 * another address or was removed meanwhile, and what is said of it is over.
 */
export async function noteHealth(
  table: Table,
  { webhook: { owner, id }, health: before }: KnownWebhook,
  health: WebhookHealth,
): Promise<void> {
  const item = webhookHealthEntity.encode(webhookHealthKey(owner, id), { id, ...health })
  await writeRow(table, { kind: 'put', item, ...(before && { condition: 'attribute_exists(pk)' }) })
}

/** The timer of an endpoint: one for all that waits for it, so that one that is dead costs one look. */
export const LANE = 'webhook-lane'

export const laneTimer = ({ owner, id }: Pick<Webhook, 'owner' | 'id'>, dueAt: Instant): Timer => ({
  kind: LANE,
  subject: [owner, id],
  dueAt,
})

/**
 * Sees to it that somebody looks at an endpoint by then. One that is due before stays: were it moved by each event, it
 * would never be due. Whoever works on it has moved it to a minute from now, and so finds that there is something new.
 */
export async function fileLane(
  table: Table,
  webhook: Pick<Webhook, 'owner' | 'id'>,
  dueAt: Instant,
): Promise<void> {
  await writeRow(table, {
    ...fileTimer(laneTimer(webhook, dueAt)),
    condition: 'attribute_not_exists(pk) OR dueAt > :dueAt OR attribute_exists(failed.isSetAside)',
    values: { ':dueAt': dueAt },
  })
}
