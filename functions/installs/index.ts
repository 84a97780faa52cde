import { LicenseKeyEnvironment, VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { licenseKeyMaker } from '../../shared/platform/signing/license-key-maker.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { installsHandlers } from './handlers.ts'
import { installsRoutes } from './routes.ts'
import type { InstallServices } from './services.ts'
import { transferHandlers } from './transfer-handlers.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(LicenseKeyEnvironment.shape),
  async (services, { kms }, env): Promise<InstallServices> => ({
    ...(await withVerifier(services, kms, env.SIGNING_KEY_IDS)),
    keyOf: licenseKeyMaker(kms, env.LICENSE_KEY_KEY_ID),
  }),
)

export const handler = serve(installsRoutes, { ...installsHandlers, ...transferHandlers })
