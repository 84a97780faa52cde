import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { bulkHandlers } from './bulk-handlers.ts'
import { exportUsers } from './export.ts'
import { importUsers } from './import.ts'
import { organizationHandlers } from './organizations.ts'
import type { peopleRoutes } from './routes.ts'
import { userHandlers } from './users.ts'

export const peopleHandlers: Handlers<typeof peopleRoutes, VerifyingServices> = {
  ...bulkHandlers,
  importUsers,
  exportUsers,
  ...organizationHandlers,
  ...userHandlers,
}
