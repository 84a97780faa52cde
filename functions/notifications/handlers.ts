import type { Handlers } from '../../shared/platform/http/contract.ts'
import { calendarHandlers } from './calendar-handlers.ts'
import type { notificationsRoutes } from './routes.ts'
import type { NotificationServices } from './services.ts'
import { settingsHandlers } from './settings-handlers.ts'
import { unsubscribeHandlers } from './unsubscribe-handlers.ts'

export const notificationsHandlers: Handlers<typeof notificationsRoutes, NotificationServices> = {
  ...settingsHandlers,
  ...unsubscribeHandlers,
  ...calendarHandlers,
}
