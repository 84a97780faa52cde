import * as z from 'zod'
import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { Instant } from '../../shared/platform/time.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { scimHandlers } from './handlers.ts'
import { scimRoutes } from './routes.ts'
import { spreadGroups } from './spread-groups.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(scimRoutes, scimHandlers)

/** What EventBridge Scheduler sends for a job of this context. */
const JobEvent = z.strictObject({ job: z.literal('spreadGroups'), scheduledAt: Instant })

/** Serves API Gateway and EventBridge Scheduler alike. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<unknown> {
  const job = JobEvent.safeParse(event)
  if (!job.success) return http(event, context)
  return spreadGroups(job.data.scheduledAt, () => context.getRemainingTimeInMillis(), await services())
}
