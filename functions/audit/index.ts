import { AuditKeyEnvironment } from '../../shared/platform/config/environment.ts'
import { auditSigner, loadAuditKey } from '../../shared/platform/signing/audit-signer.ts'
import { contextFunction } from '../function.ts'
import { withJobs } from '../with-jobs.ts'
import { checkLogs } from './check-logs.ts'
import { auditHandlers } from './handlers.ts'
import { publishCheckpoints } from './publish-checkpoints.ts'
import { auditRoutes } from './routes.ts'
import type { AuditServices } from './services.ts'

const { serve, services } = contextFunction(
  AuditKeyEnvironment,
  async (common, { kms }, env): Promise<AuditServices> => ({
    ...common,
    auditKey: await loadAuditKey(kms, env.AUDIT_KEY_ID),
    signNote: auditSigner(kms, env.AUDIT_KEY_ID),
  }),
)

/** Serves API Gateway and EventBridge Scheduler alike. */
export const handler = withJobs(serve(auditRoutes, auditHandlers), services, {
  publishCheckpoints,
  checkLogs,
})
