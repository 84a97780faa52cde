import {
  ActivationKeyEnvironment,
  SessionKeyEnvironment,
  VerifierEnvironment,
} from '../../shared/platform/config/environment.ts'
import { loadPublicKeys } from '../../shared/platform/signing/public-keys.ts'
import { sessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { type TrustServices, trustHandlers } from './handlers.ts'
import { trustRoutes } from './routes.ts'
import { validateLicenses } from './validate-licenses.ts'

const { serve, services } = contextFunction(
  VerifierEnvironment.extend({ ...SessionKeyEnvironment.shape, ...ActivationKeyEnvironment.shape }),
  async (common, { kms }, env): Promise<TrustServices> => ({
    ...(await withVerifier(common, kms, env.SIGNING_KEY_IDS)),
    activationKeys: await loadPublicKeys(kms, env.ACTIVATION_KEY_IDS),
    sessionKeys: sessionKeys(kms, env.SESSION_KEY_ID),
  }),
)

const http = serve(trustRoutes, trustHandlers)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, { validateLicenses })
