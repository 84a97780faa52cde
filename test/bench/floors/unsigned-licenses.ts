import { contextFunction } from '../../../functions/function.ts'
import { issueHandlers } from '../../../functions/licenses/issue-handlers.ts'
import { licensesRoutes } from '../../../functions/licenses/routes.ts'
import type { LicenseServices } from '../../../functions/licenses/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import { LicenseKeyEnvironment, VerifierEnvironment } from '../../../shared/platform/config/environment.ts'
import { licenseKeyMaker } from '../../../shared/platform/signing/license-key-maker.ts'

const SIGNATURE = { kid: 'none', value: 'A'.repeat(86) }

const { serve } = contextFunction(
  VerifierEnvironment.extend(LicenseKeyEnvironment.shape),
  async (services, { kms }, env): Promise<LicenseServices> => {
    const verifying = await withVerifier(services, kms, env.SIGNING_KEY_IDS)
    return {
      ...verifying,
      verifier: { ...verifying.verifier, isGenuine: () => true },
      sign: async () => SIGNATURE,
      keyOf: licenseKeyMaker(kms, env.LICENSE_KEY_KEY_ID),
    }
  },
)

/** Issues licenses as the function of that context does, in all but their signature. */
export const handler = serve({ issueLicense: licensesRoutes.issueLicense }, issueHandlers)
