import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { scimHandlers } from './handlers.ts'
import { scimRoutes } from './routes.ts'
import { spreadGroups } from './spread-groups.ts'

const { serve, services } = contextFunction(VerifierEnvironment, (common, { kms }, env) =>
  withVerifier(common, kms, env.SIGNING_KEY_IDS),
)

const http = serve(scimRoutes, scimHandlers)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, { spreadGroups })
