import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { activationSigner } from './activation-signer.ts'
import { activationHandlers } from './handlers.ts'
import { activationsRoutes } from './routes.ts'
import type { ActivationServices } from './services.ts'

const { serve } = contextFunction(
  VerifierEnvironment,
  async (services, { kms }, env): Promise<ActivationServices> => {
    const verifying = await withVerifier(services, kms, env.SIGNING_KEY_IDS)
    return { ...verifying, sign: activationSigner(kms, verifying.publicKeys) }
  },
)

export const handler = serve(activationsRoutes, activationHandlers)
