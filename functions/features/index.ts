import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { featuresHandlers } from './handlers.ts'
import { featuresRoutes } from './routes.ts'

const { serve } = contextFunction(VerifierEnvironment, (services, { kms }, env) =>
  withVerifier(services, kms, env.SIGNING_KEY_IDS),
)

export const handler = serve(featuresRoutes, featuresHandlers)
