import { WebhookEnvironment } from '../../shared/platform/config/environment.ts'
import { post } from '../../shared/platform/webhooks/post.ts'
import { nameResolver } from '../../shared/platform/webhooks/resolver.ts'
import { webhookKeys } from '../../shared/platform/webhooks/signature.ts'
import { allowedTargets, findTarget } from '../../shared/platform/webhooks/target.ts'
import { contextFunction } from '../function.ts'
import { withJobs } from '../with-jobs.ts'
import { deliverWebhooks } from './deliver-webhooks.ts'
import { webhooksHandlers } from './handlers.ts'
import { webhooksRoutes } from './routes.ts'
import { sendAtOnce } from './send-at-once.ts'
import type { WebhookServices } from './services.ts'

const { serve, services } = contextFunction(
  WebhookEnvironment,
  async (common, _, env): Promise<WebhookServices> => {
    const targets = allowedTargets(env.WEBHOOK_TARGETS, common.stage)
    const resolve = nameResolver()
    return {
      ...common,
      targetOf: (url) => findTarget(url, targets, resolve),
      post,
      keysOf: (id, generation) => webhookKeys(common.secrets.webhookKey, id, generation),
      random: Math.random,
    }
  },
)

const called = withJobs(serve(webhooksRoutes, webhooksHandlers), services, { deliverWebhooks })

/** Serves API Gateway, EventBridge Scheduler and the stream of the table alike. */
export async function handler(
  event: unknown,
  context: { awsRequestId?: string; getRemainingTimeInMillis(): number },
): Promise<unknown> {
  const isBatch = typeof event === 'object' && event !== null && 'Records' in event
  if (!isBatch) return called(event, context)
  return sendAtOnce(event, context.awsRequestId ?? 'stream', await services())
}
