import { type ActivationView, activationView } from '../../shared/domain/activation.ts'
import { type MovesLeft, movesLeft } from '../../shared/domain/activation-allowance.ts'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import { isRefusal, notFound, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { ActivationId, TenantId } from '../../shared/platform/ids.ts'
import { readActivation, removeActivation } from '../../shared/store/activation.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines, readMachinePool } from '../../shared/store/activation-pool.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { findPromoted } from '../machine-situation.ts'
import type { CommitRequest } from '../services.ts'
import { untilFresh } from '../until-fresh.ts'
import { knows } from './asking.ts'
import { eventOf, promotions, refusalsOf, seenUntil } from './changes.ts'
import type { ActivationServices } from './services.ts'

type Deactivated = { activation: ActivationView; moves?: MovesLeft }

/**
 * Deactivates a machine: its row, its fingerprints and its part of the pool's count go in one transaction, on condition
 * that the row is there. Possible whatever the licenses say. Where deactivations are limited, the place is remembered
 * as freed, unless vendor staff did it.
 */
export function deactivate(
  call: CommitRequest,
  { tenantId, activationId }: { tenantId: TenantId; activationId: ActivationId },
  reason: string | undefined,
  services: ActivationServices,
): Promise<Deactivated | Refusal | Replayed> {
  const { table, verifier, commit } = services
  const { now, caller } = call
  return untilFresh(async () => {
    const activation = await readActivation(table, tenantId, activationId)
    if (activation === undefined || !knows(caller, activation)) return notFound
    const { productId } = activation
    const pool = await readMachinePool(table, tenantId, productId)
    const holdings = await readHoldings(table, tenantId, productId)
    const found = machineTerms(holdings, undefined, now, verifier.isGenuine)
    const terms = isRefusal(found) ? undefined : found
    const isCounted = terms?.deactivations !== undefined && caller.kind !== 'vendor'
    const change = { used: -1, overdrawn: activation.overdraft ? -1 : 0 }
    const promoted = terms
      ? await findPromoted(table, { tenantId, productId }, pool, terms, change, [activation])
      : []
    const writes = {
      activation: removeActivation(activation),
      pool: changeMachines(tenantId, productId, {
        ...change,
        overdrawn: change.overdrawn - promoted.length,
        freed: isCounted ? 1 : 0,
        seen: {
          // Whether the place counts as freed, and who has one within the capacity, the licenses say.
          fence: pool.fence,
          // Where nothing is overdrawn nothing can be promoted, whatever is granted or freed meanwhile.
          ...(pool.overdrawn === 0 ? { overdrawn: 0 } : { used: pool.used, overdrawn: pool.overdrawn }),
        },
      }),
      ...promotions(promoted),
      ...passFingerprints([activation], undefined, isCounted ? seenUntil(terms, now) : undefined),
    }
    const view = activationView(activation, now)
    const moves = terms && movesLeft(terms, pool, now)
    return commit(call, {
      writes,
      events: [
        { ...eventOf('activation.deactivated', activation), before: view, ...(reason && { reason }) },
        ...promoted.map((one) => eventOf('activation.promoted', one)),
      ],
      reply: { activation: view, ...(moves && { moves }) },
      refusals: refusalsOf(writes),
    })
  })
}
