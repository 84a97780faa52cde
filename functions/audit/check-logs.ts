import { readClock } from '../../shared/platform/time.ts'
import { type Delivery, RESERVE, runJob } from '../job.ts'
import { checkLog } from '../logs/check-log.ts'
import { type AuditServices, noteKeyOf } from './services.ts'

/** Logs that belong to no tenant: those of tenants are held against their checkpoints by the tenant's scan. */
const LOGS = ['vendor', 'checkpoints'] as const

/**
 * Holds the vendor's own log, and the one of all checkpoints, against what was signed of them, as far as there is time:
 * the next run goes on. What is found is logged row by row, and fails the run, which rings the job's alarm until somebody
 * has looked at it.
 */
export function checkLogs(
  delivery: Delivery,
  services: Pick<AuditServices, 'table' | 'log' | 'issuer' | 'auditKey' | 'secrets'>,
): Promise<void> {
  return runJob('checkLogs', delivery, services, async ({ requestId, job, count, remaining }) => {
    const broken: string[] = []
    for (const [place, log] of LOGS.entries()) {
      // Each has its share of what time there is.
      const reserve = RESERVE + ((remaining() - RESERVE) * (LOGS.length - 1 - place)) / LOGS.length
      const { leaves, of, findings } = await checkLog(services.table, log, {
        key: noteKeyOf(log, services),
        checkKey: services.secrets.checkKey,
        now: readClock(),
        hasTime: () => remaining() > reserve,
      })
      count(leaves, 0)
      services.log('info', 'audit log', { requestId, job, subject: log, counts: { leaves, of } })
      for (const { code, where } of findings)
        services.log('error', 'audit log', { requestId, job, code, subject: where })
      if (findings[0])
        broken.push(`${log}: ${findings.length}, first ${findings[0].code} at ${findings[0].where}`)
    }
    if (broken.length > 0) throw new Error(`audit logs are not what was signed: ${broken.join('; ')}`)
  })
}
