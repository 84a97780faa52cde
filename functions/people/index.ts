import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { peopleHandlers } from './handlers.ts'
import { peopleRoutes } from './routes.ts'
import { runBulks } from './run-bulks.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(peopleRoutes, peopleHandlers)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, { runBulkChanges: runBulks })
