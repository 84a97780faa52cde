import { LicenseKeyEnvironment, VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { licenseKeyMaker } from '../../shared/platform/signing/license-key-maker.ts'
import { licenseSigner } from '../../shared/platform/signing/license-signer.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { actionHandlers } from './action-handlers.ts'
import { executeTransfers } from './execute-transfers.ts'
import { importHandlers } from './import-handlers.ts'
import { issueHandlers } from './issue-handlers.ts'
import { readHandlers } from './read-handlers.ts'
import { licensesRoutes } from './routes.ts'
import type { LicenseServices } from './services.ts'

const { serve, services } = contextFunction(
  VerifierEnvironment.extend(LicenseKeyEnvironment.shape),
  async (common, { kms }, env): Promise<LicenseServices> => {
    const verifying = await withVerifier(common, kms, env.SIGNING_KEY_IDS)
    return {
      ...verifying,
      sign: licenseSigner(kms, verifying.publicKeys, common.issuer),
      keyOf: licenseKeyMaker(kms, env.LICENSE_KEY_KEY_ID),
    }
  },
)

const http = serve(licensesRoutes, {
  ...issueHandlers,
  ...actionHandlers,
  ...readHandlers,
  ...importHandlers,
})

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(http, services, { executeTransfers })
