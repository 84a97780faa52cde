import type { IntegrityScan } from '../../shared/domain/integrity.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { DAY, HOUR, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { SCAN_TIMER } from '../../shared/store/license-timers.ts'
import { endTimer, moveTimer } from '../../shared/store/timer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import { sweep } from '../sweep.ts'
import type { TrustServices } from './handlers.ts'
import { scanTenant } from './scan-tenant.ts'

/** Scans the tenants whose day is over, each at its own time of the day. */
export function scanIntegrity(delivery: Delivery, services: TrustServices): Promise<void> {
  const { table } = services
  return runJob('scanIntegrity', delivery, services, (run) =>
    sweep(SCAN_TIMER, run, services, async (timer, now) => {
      const tenantId = TenantId.parse(timer.subject[0])
      const caller = { kind: 'system', subject: 'scanIntegrity' } as const
      const scan = await scanTenant(tenantId, { caller, now, requestId: run.requestId }, services, run)
      const next =
        scan === undefined ? endTimer(timer) : moveTimer(timer, plusMilliseconds(now, waitAfter(scan)))
      await writeRow(table, next)
      return (scan?.found ?? 0) + (scan?.mended ?? 0)
    }),
  )
}

/** What there was no time for is next; what had no answer may have one soon. */
function waitAfter({ log, skipped }: IntegrityScan): number {
  if (log?.isOver === false) return MINUTE
  return skipped.length > 0 ? HOUR : DAY
}
