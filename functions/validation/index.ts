import {
  PlaceEnvironment,
  SessionKeyEnvironment,
  VerifierEnvironment,
} from '../../shared/platform/config/environment.ts'
import { countryModule } from '../../shared/platform/places/country-module.ts'
import { sessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { type ValidationServices, validationHandlers } from './handlers.ts'
import { validationRoutes } from './routes.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(SessionKeyEnvironment.shape).extend(PlaceEnvironment.shape),
  async (services, { kms }, env): Promise<ValidationServices> => ({
    ...(await withVerifier(services, kms, env.SIGNING_KEY_IDS)),
    sessionKeys: sessionKeys(kms, env.SESSION_KEY_ID),
    countryOf: countryModule(env.COUNTRY_MODULE, services.log),
  }),
)

export const handler = serve(validationRoutes, validationHandlers)
