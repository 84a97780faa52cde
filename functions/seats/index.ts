import * as z from 'zod'
import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { Instant } from '../../shared/platform/time.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { seatsHandlers } from './handlers.ts'
import { reclaimSeats } from './reclaim-seats.ts'
import { seatsRoutes } from './routes.ts'
import { serveQueues } from './serve-queues.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(seatsRoutes, seatsHandlers)

/** What EventBridge Scheduler sends for a job of this context. */
const JobEvent = z.strictObject({ job: z.enum(['serveSeatQueues', 'reclaimSeats']), scheduledAt: Instant })

const JOBS = { serveSeatQueues: serveQueues, reclaimSeats }

/** Serves API Gateway and EventBridge Scheduler alike. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<unknown> {
  const job = JobEvent.safeParse(event)
  if (!job.success) return http(event, context)
  return JOBS[job.data.job](job.data.scheduledAt, () => context.getRemainingTimeInMillis(), await services())
}
