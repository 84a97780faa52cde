import {
  ActivationKeyEnvironment,
  AuditKeyEnvironment,
  SessionKeyEnvironment,
  VerifierEnvironment,
} from '../../shared/platform/config/environment.ts'
import { loadAuditKey } from '../../shared/platform/signing/audit-signer.ts'
import { keyProbe } from '../../shared/platform/signing/probe-keys.ts'
import { loadPublicKeys } from '../../shared/platform/signing/public-keys.ts'
import { sessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { type TrustServices, trustHandlers } from './handlers.ts'
import { logChecker } from './log-checker.ts'
import { noteTransitions } from './note-transitions.ts'
import { trustRoutes } from './routes.ts'
import { scanIntegrity } from './scan-integrity.ts'
import { validateLicenses } from './validate-licenses.ts'
import { watchTenants } from './watch-tenants.ts'

const { serve, services } = contextFunction(
  VerifierEnvironment.extend({
    ...SessionKeyEnvironment.shape,
    ...ActivationKeyEnvironment.shape,
    ...AuditKeyEnvironment.shape,
  }),
  async (common, { kms }, env): Promise<TrustServices> => {
    const verifying = await withVerifier(common, kms, env.SIGNING_KEY_IDS)
    const activationKeys = await loadPublicKeys(kms, env.ACTIVATION_KEY_IDS)
    const keys = sessionKeys(kms, env.SESSION_KEY_ID)
    return {
      ...verifying,
      activationKeys,
      sessionKeys: keys,
      probeKeys: keyProbe(kms, {
        licenses: verifying.publicKeys,
        activations: activationKeys,
        session: { keyId: env.SESSION_KEY_ID, keys },
      }),
      checkLog: logChecker(common, await loadAuditKey(kms, env.AUDIT_KEY_ID)),
    }
  },
)

const http = serve(trustRoutes, trustHandlers)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, {
  validateLicenses,
  noteTransitions,
  scanIntegrity,
  watchTenants,
})
