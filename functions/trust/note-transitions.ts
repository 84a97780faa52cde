import { standings } from '../../shared/domain/holdings.ts'
import { ProductId, TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readReadableHoldings } from '../../shared/store/license-rows.ts'
import {
  fileEarlier,
  nextTransition,
  TRANSITION_TIMER,
  transitionTimer,
} from '../../shared/store/license-timers.ts'
import { endTimer, moveTimer } from '../../shared/store/timer.ts'
import { writeRow } from '../../shared/store/write.ts'
import { type Delivery, runJob } from '../job.ts'
import { observe } from '../observe.ts'
import { sweep } from '../sweep.ts'
import type { TrustServices } from './handlers.ts'

/**
 * Tells of licenses that start, expire, or whose grace ends, soon after they do, and from when it was true. The event
 * is nothing that a license waits for: what counts is computed whenever it is used.
 */
export function noteTransitions(delivery: Delivery, services: TrustServices): Promise<void> {
  const { table, verifier } = services
  return runJob('noteTransitions', delivery, services, (run) =>
    sweep(TRANSITION_TIMER, run, services, async (timer, now) => {
      const [tenantId, productId] = [TenantId.parse(timer.subject[0]), ProductId.parse(timer.subject[1])]
      const holdings = await held(tenantId, productId)
      const all = holdings ? [...standings(holdings, now, verifier.isGenuine).values()] : []
      const caller = { kind: 'system', subject: 'noteTransitions' } as const
      const changes = await observe(all, { caller, now, requestId: run.requestId }, services)
      const next = holdings && nextTransition(holdings, now)
      await writeRow(table, next === undefined ? endTimer(timer) : moveTimer(timer, next))
      await coverWhatCameMeanwhile(tenantId, productId, now)
      return changes.length
    }),
  )

  async function held(tenantId: TenantId, productId: ProductId) {
    const [found] = await readReadableHoldings(table, tenantId, productId)
    return found?.holdings
  }

  /** A license that was issued after they were read: its own instant found this timer still there, and due. */
  async function coverWhatCameMeanwhile(
    tenantId: TenantId,
    productId: ProductId,
    now: Instant,
  ): Promise<void> {
    const holdings = await held(tenantId, productId)
    const next = holdings && nextTransition(holdings, now)
    if (next !== undefined) await fileEarlier(table, transitionTimer(tenantId, productId, next))
  }
}
