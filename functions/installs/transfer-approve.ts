import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Side, Transfer, Who } from '../../shared/domain/transfer.ts'
import { approved } from '../../shared/domain/transfer-steps.ts'
import { type TransferView, transferView } from '../../shared/domain/transfer-view.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { Action } from '../../shared/store/transact.ts'
import { fileTransferTimer, keepForTransfer, replaceTransfer } from '../../shared/store/transfer.ts'
import { exposureOf } from '../moving/exposure.ts'
import { planMove } from '../moving/plan-move.ts'
import { stepEvents } from '../moving/step-events.ts'
import type { CommitRequest } from '../services.ts'
import { outdated } from '../until-fresh.ts'
import type { InstallServices } from './services.ts'

type Answer = Promise<TransferView | Refusal | Replayed>

/**
 * An approval. The one after which nothing is waited for is taken only if the licenses could move now; it files the timer
 * of the job that moves them (functions/licenses/execute-transfers.ts), in a function that may sign what comes of it.
 */
export async function approve(
  call: CommitRequest,
  { transfer, who }: { transfer: Transfer; who: Who },
  { side, reason }: { side?: Side | undefined; reason?: string | undefined },
  services: InstallServices,
): Answer {
  const { now } = call
  if (who === 'vendor' && reason === undefined) {
    return refuse('INVALID_REQUEST', 'Say why you approve in the stead of others.', {
      errors: [{ field: '/body/reason', message: 'is required of vendor staff' }],
    })
  }
  const next = approved(transfer, who, side, now)
  if (isRefusal(next)) return next
  const isNew = next !== transfer
  const move = isNew && next.state === 'approved' && (await planMove(next, now, services))
  if (isRefusal(move)) return move
  const exposure = who === 'receiving' ? undefined : await exposureOf(next, now, services)
  return services.commit(call, {
    writes: isNew ? writesOf(next, call) : {},
    events: isNew ? stepEvents('transfer.approved', next, who, reason, now) : [],
    reply: transferView(next, who, now, exposure),
    refusals: { transfer: outdated, taken: outdated },
  })
}

const writesOf = (next: Transfer, { now }: CommitRequest): Record<string, Action> => ({
  transfer: replaceTransfer(next),
  ...(next.state === 'approved' && { taken: keepForTransfer(next), timer: fileTransferTimer(next, now) }),
})
