import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Side, Transfer, Who } from '../../shared/domain/transfer.ts'
import { approved, isApproved } from '../../shared/domain/transfer-steps.ts'
import { type TransferView, transferView } from '../../shared/domain/transfer-view.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { replaceTransfer } from '../../shared/store/transfer.ts'
import type { CommitRequest } from '../services.ts'
import { outdated } from '../until-fresh.ts'
import type { LicenseServices } from './services.ts'
import { stepEvents } from './transfer-events.ts'
import { execute } from './transfer-execute.ts'
import { exposureOf } from './transfer-exposure.ts'

type Answer = Promise<TransferView | Refusal | Replayed>

/** An approval; the one after which nothing is waited for executes the transfer in the same transaction. */
export async function approve(
  call: CommitRequest,
  { transfer, who }: { transfer: Transfer; who: Who },
  { side, reason }: { side?: Side | undefined; reason?: string | undefined },
  services: LicenseServices,
): Answer {
  const { now } = call
  if (who === 'vendor' && reason === undefined) {
    return refuse('INVALID_REQUEST', 'Say why you approve in the stead of others.', {
      errors: [{ field: '/body/reason', message: 'is required of vendor staff' }],
    })
  }
  const next = approved(transfer, who, side, now)
  if (isRefusal(next)) return next
  if (isApproved(next)) return execute(call, next, who, reason, services)
  const isNew = next !== transfer
  const exposure = who === 'receiving' ? undefined : await exposureOf(next, now, services)
  return services.commit(call, {
    writes: isNew ? { transfer: replaceTransfer(next) } : {},
    events: isNew ? stepEvents('transfer.approved', next, who, reason, now) : [],
    reply: transferView(next, who, now, exposure),
    refusals: { transfer: outdated },
  })
}
