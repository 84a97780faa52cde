import { readClock } from '../../shared/platform/time.ts'
import { checkLog } from '../check-log.ts'
import { type Delivery, runJob } from '../job.ts'
import { noteKeyOf, type PublishServices } from './services.ts'

/** Logs that belong to no tenant: those of tenants are held against their checkpoints by the tenant's scan. */
const LOGS = ['vendor', 'checkpoints'] as const

/**
 * Holds the vendor's own log, and the one of all checkpoints, against what was signed of them. What is found is logged row
 * by row, and fails the run, which rings the job's alarm until somebody has looked at it.
 */
export function checkLogs(
  delivery: Delivery,
  services: Pick<PublishServices, 'table' | 'log' | 'issuer' | 'auditKey'>,
): Promise<void> {
  return runJob('checkLogs', delivery, services, async ({ requestId, job, count }) => {
    const broken: string[] = []
    for (const log of LOGS) {
      const key = noteKeyOf(log, services)
      const { leaves, findings } = await checkLog(services.table, log, { key, now: readClock() })
      count(leaves, 0)
      for (const { code, where } of findings)
        services.log('error', 'audit log', { requestId, job, code, subject: where })
      if (findings[0])
        broken.push(`${log}: ${findings.length}, first ${findings[0].code} at ${findings[0].where}`)
    }
    if (broken.length > 0) throw new Error(`audit logs are not what was signed: ${broken.join('; ')}`)
  })
}
