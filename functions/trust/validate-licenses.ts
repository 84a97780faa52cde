import { TenantId } from '../../shared/platform/ids.ts'
import { MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { VALIDATION_TIMER } from '../../shared/store/license-timers.ts'
import { endTimer, moveTimer } from '../../shared/store/timer.ts'
import { noteRun, readValidation } from '../../shared/store/validation.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, RESERVE, runJob } from '../job.ts'
import { sweep } from '../sweep.ts'
import type { TrustServices } from './handlers.ts'
import { validateTenant } from './validate-tenant.ts'

/** Validates the licenses of the tenants whose turn it is, each by its own interval. */
export function validateLicenses(delivery: Delivery, services: TrustServices): Promise<void> {
  const { table } = services
  return runJob('validateLicenses', delivery, services, (run) =>
    sweep(VALIDATION_TIMER, run, services, async (timer, now) => {
      const tenantId = TenantId.parse(timer.subject[0])
      const caller = { kind: 'system', subject: 'validateLicenses' } as const
      const request = { caller, now, requestId: run.requestId }
      // One that takes longer than a run would come first again each time, and keep all behind it waiting.
      const done = await validateTenant(tenantId, request, services, () => run.remaining() < RESERVE)
      if (done === undefined) {
        await writeRow(table, endTimer(timer))
        return 0
      }
      const { intervalMinutes } = await readValidation(table, tenantId)
      await writeRow(table, noteRun(tenantId, done))
      // Whoever set another interval meanwhile moved it already.
      await writeRow(table, moveTimer(timer, plusMilliseconds(now, intervalMinutes * MINUTE)))
      return done.changed
    }),
  )
}
