import {
  ActivationKeyEnvironment,
  PlaceEnvironment,
  VerifierEnvironment,
} from '../../shared/platform/config/environment.ts'
import { countryModule } from '../../shared/platform/places/country-module.ts'
import { activationSigner } from '../../shared/platform/signing/activation-signer.ts'
import { loadPublicKeys } from '../../shared/platform/signing/public-keys.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { activationHandlers } from './handlers.ts'
import { activationsRoutes } from './routes.ts'
import type { ActivationServices } from './services.ts'

const { serve } = contextFunction(
  VerifierEnvironment.extend(ActivationKeyEnvironment.shape).extend(PlaceEnvironment.shape),
  async (services, { kms }, env): Promise<ActivationServices> => {
    const [verifying, keys] = await Promise.all([
      withVerifier(services, kms, env.SIGNING_KEY_IDS),
      loadPublicKeys(kms, env.ACTIVATION_KEY_IDS),
    ])
    return {
      ...verifying,
      sign: activationSigner(kms, keys),
      countryOf: countryModule(env.COUNTRY_MODULE, services.log),
    }
  },
)

export const handler = serve(activationsRoutes, activationHandlers)
