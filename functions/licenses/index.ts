import { LicenseKeyEnvironment, VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { licenseKeyMaker } from '../../shared/platform/signing/license-key-maker.ts'
import { licenseSigner } from '../../shared/platform/signing/license-signer.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { actionHandlers } from './action-handlers.ts'
import { importHandlers } from './import-handlers.ts'
import { issueHandlers } from './issue-handlers.ts'
import { readHandlers } from './read-handlers.ts'
import { licensesRoutes } from './routes.ts'
import type { LicenseServices } from './services.ts'
import { transferHandlers } from './transfer-handlers.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(LicenseKeyEnvironment.shape),
  async (services, { kms }, env): Promise<LicenseServices> => {
    const verifying = await withVerifier(services, kms, env.SIGNING_KEY_IDS)
    return {
      ...verifying,
      sign: licenseSigner(kms, verifying.publicKeys, services.issuer),
      keyOf: licenseKeyMaker(kms, env.LICENSE_KEY_KEY_ID),
    }
  },
)

export const handler = serve(licensesRoutes, {
  ...issueHandlers,
  ...actionHandlers,
  ...readHandlers,
  ...importHandlers,
  ...transferHandlers,
})
