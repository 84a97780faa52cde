import type { ProductId, TenantId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { fileTimer } from './timer.ts'

/** Timers of what ends: one for all that a tenant holds of a product, since extensions move the end of others. */
export const REMINDER_TIMER = 'reminder'

/** Has the reminders of what a tenant holds of a product looked at. */
export const remindOf = (tenantId: TenantId, productId: ProductId, dueAt: Instant) =>
  fileTimer({ kind: REMINDER_TIMER, subject: [tenantId, productId], dueAt })
