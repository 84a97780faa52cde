import * as z from 'zod'
import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { Instant } from '../../shared/platform/time.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { peopleHandlers } from './handlers.ts'
import { peopleRoutes } from './routes.ts'
import { runBulks } from './run-bulks.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(peopleRoutes, peopleHandlers)

/** What EventBridge Scheduler sends for a job of this context. */
const JobEvent = z.strictObject({ job: z.literal('runBulkChanges'), scheduledAt: Instant })

/** Serves API Gateway and EventBridge Scheduler alike. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<unknown> {
  const job = JobEvent.safeParse(event)
  if (!job.success) return http(event, context)
  return runBulks(job.data.scheduledAt, () => context.getRemainingTimeInMillis(), await services())
}
