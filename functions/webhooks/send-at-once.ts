import { chunks } from '../../shared/domain/chunks.ts'
import { WebhookOwner } from '../../shared/domain/webhook.ts'
import type { WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { WebhookId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { type RawRecord, StreamEvent, StreamRecord } from '../../shared/store/stream-event.ts'
import { readWebhook } from '../../shared/store/webhook.ts'
import { deliveryEntity } from '../../shared/store/webhook-delivery.ts'
import type { WebhookServices } from './services.ts'
import { isOpen, sendSeveral } from './several.ts'

/**
 * Milliseconds for an answer, and for all of an endpoint. A batch waits for its slowest endpoint, and whoever is that slow
 * is left to the job for an hour.
 */
const LIMITS = { milliseconds: 5_000, budget: 8_000 } as const
/** Endpoints that are sent to at the same time. */
const TOGETHER = 25

type Fresh = { readonly owner: WebhookOwner; readonly id: WebhookId; readonly delivery: WaitingDelivery }

/**
 * Sends what has just come, to endpoints that are well and quick. It is a short cut and promises nothing: what it does not
 * do, or what dies with it, the job does a minute later. So it never asks for records to be delivered again, and leaves
 * one that cannot be read.
 *
 * @throws ZodError when this is no batch of records
 */
export async function sendAtOnce(
  event: unknown,
  requestId: string,
  services: WebhookServices,
): Promise<{ batchItemFailures: [] }> {
  const { Records: records } = StreamEvent.parse(event)
  const lanes = [
    ...Map.groupBy(
      records.flatMap((raw) => readable(raw) ?? []),
      ({ id }) => id,
    ).values(),
  ]
  for (const some of chunks(lanes, TOGETHER)) await Promise.all(some.map(serve))
  return { batchItemFailures: [] }

  function readable(raw: RawRecord): Fresh | undefined {
    try {
      return freshOf(raw)
    } catch (error) {
      services.log('error', 'webhook', { requestId, subject: raw.dynamodb.SequenceNumber }, error)
      return undefined
    }
  }

  async function serve(lane: readonly Fresh[]): Promise<void> {
    const [first] = lane
    if (first === undefined) return
    const { owner, id } = first
    try {
      const known = await readWebhook(services.table, owner, id)
      const slowUntil = known?.health?.slowUntil
      if (known === undefined || !isOpen(known) || (slowUntil && slowUntil > readClock())) return
      await sendSeveral(
        known,
        lane.map(({ delivery }) => delivery),
        LIMITS,
        requestId,
        services,
      )
    } catch (error) {
      services.log('error', 'webhook', { requestId, subject: id }, error)
    }
  }
}

/** The delivery that a record tells, and whose it is. */
function freshOf(raw: RawRecord): Fresh | undefined {
  const { Keys, NewImage } = StreamRecord.parse(raw).dynamodb
  const delivery = deliveryEntity.decode(NewImage)
  const [kind, ...rest] = Keys.pk.S.split('#')
  const [owner, , id] = kind === 'VENDOR' ? ['vendor', ...rest] : rest
  if (delivery.state !== 'waiting') return undefined
  return { owner: WebhookOwner.parse(owner), id: WebhookId.parse(id), delivery }
}
