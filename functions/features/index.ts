import { PlaceEnvironment, VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { countryModule } from '../../shared/platform/places/country-module.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import type { ExplainServices } from './explain-sight.ts'
import { featuresHandlers } from './handlers.ts'
import { featuresRoutes } from './routes.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(PlaceEnvironment.shape),
  async (services, { kms }, env): Promise<ExplainServices> => ({
    ...(await withVerifier(services, kms, env.SIGNING_KEY_IDS)),
    countryOf: countryModule(env.COUNTRY_MODULE, services.log),
  }),
)

export const handler = serve(featuresRoutes, featuresHandlers)
