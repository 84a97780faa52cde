import { chunks } from '../../shared/domain/chunks.ts'
import type { Event } from '../../shared/domain/event.ts'
import { type Webhook, type WebhookOwner, wants } from '../../shared/domain/webhook.ts'
import { HELD_FOR, type WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { fileLane, readWebhooks } from '../../shared/store/webhook.ts'
import { putDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { EventStep } from './event-steps.ts'

/**
 * When the job looks at what came, in milliseconds: by then whoever sends at once is done, or dead. Longer than one of its
 * invocations lasts, shorter than the job takes an endpoint for itself.
 */
const LOOK_AFTER = 30_000
/** Rows that are written at the same time. */
const TOGETHER = 20

/**
 * Puts each event before the endpoints that want it: those of its tenant, and those of the vendor. A row is put once, and
 * the timer after the rows: if this dies in between, the same events come again.
 */
export const deliverToWebhooks: EventStep = async (events, { table, log: note }) => {
  const [first] = events
  if (first === undefined) return
  const log: WebhookOwner = first.tenantId ?? 'vendor'
  const owners = new Set<WebhookOwner>([log, 'vendor'])
  const known = await Promise.all(
    [...owners].map((owner) =>
      readWebhooks(table, owner, (error) =>
        note('error', 'webhook', { requestId: first.requestId, subject: owner }, error),
      ),
    ),
  )
  const now = readClock()
  for (const { webhook } of known.flat()) {
    if (!accepts(webhook, now)) continue
    // What an endpoint is told begins with the endpoint, also where events come late or again.
    const wanted = events.filter(({ type, at }) => at >= webhook.createdAt && wants(webhook.eventTypes, type))
    for (const some of chunks(wanted, TOGETHER))
      await Promise.all(
        some.map((event) => writeRow(table, putDelivery(webhook, deliveryOf(event, webhook, log, now)))),
      )
    if (wanted.length > 0 && webhook.disabled === undefined)
      await fileLane(table, webhook, plusMilliseconds(now, LOOK_AFTER))
  }
}

/** One that was disabled because it failed is kept what happens, for a while: enabled again, it has missed nothing. */
function accepts({ disabled }: Webhook, now: Instant): boolean {
  if (disabled === undefined) return true
  return disabled.because === 'failing' && plusMilliseconds(disabled.at, HELD_FOR) > now
}

function deliveryOf(
  { id, type }: Event,
  { disabled }: Webhook,
  log: WebhookOwner,
  now: Instant,
): WaitingDelivery {
  return {
    eventId: id,
    type,
    log,
    createdAt: now,
    attempts: 0,
    failures: 0,
    state: 'waiting',
    dueAt: now,
    ...(disabled === undefined && { fresh: true }),
  }
}
