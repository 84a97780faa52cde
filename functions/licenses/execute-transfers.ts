import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { ApprovedTransfer } from '../../shared/domain/transfer.ts'
import { failed } from '../../shared/domain/transfer-steps.ts'
import { TransferId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { bySystem } from '../../shared/store/commit.ts'
import { endTimer, readTimer, type Timer } from '../../shared/store/timer.ts'
import {
  readTransfer,
  releaseFromTransfer,
  replaceTransfer,
  TRANSFER_TIMER,
} from '../../shared/store/transfer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import { planMove } from '../moving/plan-move.ts'
import { stepEvents } from '../moving/step-events.ts'
import type { CommitRequest } from '../services.ts'
import { sweep } from '../sweep.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { moveLicenses } from './move-licenses.ts'
import type { LicenseServices } from './services.ts'

const JOB = 'executeTransfers'

/**
 * Carries out the transfers that were approved last. The approval itself is the tenants' and signs nothing: this
 * function, which signs, answers no tenant.
 */
export function executeTransfers(delivery: Delivery, services: LicenseServices): Promise<void> {
  return runJob(JOB, delivery, services, (run) =>
    sweep(TRANSFER_TIMER, run, services, (timer) => execute(timer, run.requestId, services)),
  )
}

/** The timer ends in the transaction that carries the transfer out, or ends it: neither happens twice, or by half. */
async function execute(found: Timer, requestId: string, services: LicenseServices): Promise<number> {
  const { table } = services
  const id = TransferId.parse(found.subject[0])
  const changes = await untilFresh(async () => {
    const call = bySystem(JOB, { now: readClock(), requestId })
    const timer = await readTimer(table, found)
    if (timer === undefined) return 0
    const transfer = await readTransfer(table, id)
    // Vendor staff have refused it after all.
    if (transfer?.state !== 'approved') return (await writeRow(table, endTimer(timer))) ? 0 : outdated
    const move = await planMove(transfer, call.now, services)
    if (move === outdated) return outdated
    return isRefusal(move)
      ? fail(call, transfer, timer, move, services)
      : moveLicenses(call, transfer, timer, move, services)
  })
  if (isRefusal(changes)) throw new Error(`${id}: ${changes.refused}`)
  return Number(changes)
}

/** What was changed since the last approval is in its way: it ends, and says why. */
function fail(
  call: CommitRequest,
  transfer: ApprovedTransfer,
  timer: Timer,
  refusal: Refusal,
  { commit }: LicenseServices,
) {
  const ended = failed(transfer, refusal, call.now)
  return commit(call, {
    writes: {
      transfer: replaceTransfer(ended),
      taken: releaseFromTransfer(transfer),
      timer: endTimer(timer),
    },
    events: stepEvents('transfer.failed', ended, undefined, refusal.detail, call.now),
    reply: 1,
    refusals: { transfer: outdated, taken: outdated, timer: outdated },
  })
}
