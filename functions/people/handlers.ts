import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { organizationHandlers } from './organizations.ts'
import type { peopleRoutes } from './routes.ts'
import { userHandlers } from './users.ts'

export const peopleHandlers: Handlers<typeof peopleRoutes, VerifyingServices> = {
  ...organizationHandlers,
  ...userHandlers,
}
