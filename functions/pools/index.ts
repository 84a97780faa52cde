import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { poolsHandlers } from './handlers.ts'
import { poolsRoutes } from './routes.ts'

const { serve } = contextFunction(VerifierEnvironment, (services, { kms }, env) =>
  withVerifier(services, kms, env.SIGNING_KEY_IDS),
)

export const handler = serve(poolsRoutes, poolsHandlers)
