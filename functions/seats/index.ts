import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { seatsHandlers } from './handlers.ts'
import { reclaimSeats } from './reclaim-seats.ts'
import { seatsRoutes } from './routes.ts'
import { serveQueues } from './serve-queues.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(seatsRoutes, seatsHandlers)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, {
  serveSeatQueues: serveQueues,
  reclaimSeats,
})
