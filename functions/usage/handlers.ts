import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { correctUsage, listCorrections } from './correct.ts'
import { recordUsage } from './record.ts'
import type { usageRoutes } from './routes.ts'
import { getUsage } from './series.ts'

export const usageHandlers: Handlers<typeof usageRoutes, VerifyingServices> = {
  recordUsage,
  correctUsage,
  listUsageCorrections: listCorrections,
  getUsage,
}
