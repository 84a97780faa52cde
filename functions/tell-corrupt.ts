import type { TenantId } from '../shared/platform/ids.ts'
import type { Log } from '../shared/platform/log.ts'
import type { CorruptItemError } from '../shared/store/codec.ts'

/** Logs rows of a tenant that are not what this program wrote, and are passed over by what goes on without them. */
export const tellCorrupt =
  (log: Log, requestId: string, tenantId: TenantId) =>
  (error: CorruptItemError): void =>
    log('error', 'integrity', { requestId, tenantId }, error)
