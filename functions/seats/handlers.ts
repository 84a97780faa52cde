import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { VerifyingServices } from '../verified.ts'
import { byHandHandlers } from './by-hand.ts'
import { reclaimHandlers } from './reclaim-handlers.ts'
import { requestHandlers } from './request-handlers.ts'
import { reservationHandlers } from './reservations.ts'
import type { seatsRoutes } from './routes.ts'
import { viewHandlers } from './views.ts'

export const seatsHandlers: Handlers<typeof seatsRoutes, VerifyingServices> = {
  ...viewHandlers,
  ...reclaimHandlers,
  ...requestHandlers,
  ...byHandHandlers,
  ...reservationHandlers,
}
