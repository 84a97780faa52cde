import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { getOverview } from './overview.ts'
import type { tenantsRoutes } from './routes.ts'
import { tenantHandlers } from './tenant-handlers.ts'

export const tenantsHandlers: Handlers<typeof tenantsRoutes, VerifyingServices> = {
  ...tenantHandlers,
  getOverview,
}
