import { isDown, type WaitingDelivery } from '../../shared/domain/webhook-delivery.ts'
import { type Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import type { KnownWebhook } from '../../shared/store/webhook.ts'
import { type Attempted, attemptDelivery } from './attempt.ts'
import type { WebhookServices } from './services.ts'

/** Messages that one endpoint gets at the same time, once it is known to be well. */
const WIDTH = 10

/** What came of several deliveries to one endpoint. */
export type Several = {
  readonly known: KnownWebhook
  readonly attempted: readonly Attempted[]
  /** Those that were not tried: the endpoint is down, or the time is over. */
  readonly left: number
}

/**
 * Sends deliveries to one endpoint, a few at a time, until one says that the endpoint is down or its share of the time
 * is over. One that failed lately is asked with a single message first.
 */
export async function sendSeveral(
  known: KnownWebhook,
  deliveries: readonly WaitingDelivery[],
  limits: { readonly milliseconds: number; readonly budget: number },
  requestId: string,
  services: WebhookServices,
): Promise<Several> {
  const until: Instant = plusMilliseconds(readClock(), limits.budget)
  const attempted: Attempted[] = []
  let now = known
  let done = 0
  while (done < deliveries.length && isOpen(now) && readClock() < until) {
    const width = now.health?.failures ? 1 : WIDTH
    const chunk = deliveries.slice(done, done + width)
    done += chunk.length
    const found = await Promise.all(
      chunk.map((delivery) => attemptDelivery(now, delivery, limits.milliseconds, requestId, services)),
    )
    const told = found.filter((one) => one !== undefined)
    attempted.push(...told)
    // A failure has the last word over what succeeded beside it.
    const last = told.find(({ sent }) => isDown(sent)) ?? told.at(-1)
    if (last) now = last.known
    const disabled = told.find(({ known: { webhook } }) => webhook.disabled)
    if (disabled) now = disabled.known
  }
  return { known: now, attempted, left: deliveries.length - done }
}

/** May it be sent to at this moment? */
export function isOpen({ webhook, health }: KnownWebhook): boolean {
  return webhook.disabled === undefined && !(health?.pausedUntil && health.pausedUntil > readClock())
}
