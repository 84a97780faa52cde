import {
  PlaceEnvironment,
  SessionKeyEnvironment,
  VerifierEnvironment,
} from '../../shared/platform/config/environment.ts'
import { countryModule } from '../../shared/platform/places/country-module.ts'
import { sessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { rememberGrounds } from './grounds.ts'
import { leasesHandlers } from './handlers.ts'
import { leasesRoutes } from './routes.ts'
import type { LeaseServices } from './services.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(SessionKeyEnvironment.shape).extend(PlaceEnvironment.shape),
  async (services, { kms }, env): Promise<LeaseServices> => ({
    ...(await withVerifier(services, kms, env.SIGNING_KEY_IDS)),
    sessionKeys: sessionKeys(kms, env.SESSION_KEY_ID),
    remembered: rememberGrounds(services.table),
    countryOf: countryModule(env.COUNTRY_MODULE, services.log),
  }),
)

export const handler = serve(leasesRoutes, leasesHandlers)
