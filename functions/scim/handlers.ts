import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { bulk } from './bulk.ts'
import { discoveryHandlers } from './discovery.ts'
import { groupRoleHandlers } from './group-roles.ts'
import { groupHandlers } from './groups.ts'
import type { scimRoutes } from './routes.ts'
import { searchHandlers } from './search.ts'
import { userHandlers } from './users.ts'

export const scimHandlers: Handlers<typeof scimRoutes, VerifyingServices> = {
  ...userHandlers,
  ...groupHandlers,
  ...searchHandlers,
  bulkScim: bulk,
  ...discoveryHandlers,
  ...groupRoleHandlers,
}
