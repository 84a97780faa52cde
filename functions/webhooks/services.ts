import type { Sent } from '../../shared/domain/webhook-delivery.ts'
import type { WebhookId } from '../../shared/platform/ids.ts'
import type { WebhookKeys } from '../../shared/platform/webhooks/signature.ts'
import type { Forbidden, Target } from '../../shared/platform/webhooks/target.ts'
import type { Services } from '../services.ts'

export type WebhookServices = Services & {
  /** Where a URL leads, if messages may go there; throws where nobody answers what its name stands for. */
  readonly targetOf: (url: string) => Promise<Target | Forbidden>
  /** Sends a message; never throws. */
  readonly post: (
    target: Target,
    headers: Readonly<Record<string, string>>,
    body: string,
    milliseconds: number,
  ) => Promise<Sent>
  readonly keysOf: (id: WebhookId, generation: number) => WebhookKeys
  /** From 0 to 1, for waits. */
  readonly random: () => number
}
