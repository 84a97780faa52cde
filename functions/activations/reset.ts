import { type Activation, activationView } from '../../shared/domain/activation.ts'
import { withinTransaction } from '../../shared/domain/activation-pool.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { readActivation, readMachines, removeActivation } from '../../shared/store/activation.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines, readMachinePool } from '../../shared/store/activation-pool.ts'
import type { MachineAsking } from '../machine-situation.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { eventOf, flagged, RESERVE, refusalsOf, type Timed } from './changes.ts'
import type { ActivationServices } from './services.ts'

/** AWS: 100 items in a transaction; the rest is for the pool, the event of the reset and the reply. */
const MOST_ITEMS = 90

/**
 * Deactivates every machine of a product and forgets the moves. As many transactions as it takes, each of them whole;
 * where time ends before, it is UNFINISHED and goes on when it is asked again. Machines activated while it runs may go or
 * stay.
 */
export async function reset(
  call: Timed<CommitRequest>,
  { tenantId, productId }: MachineAsking,
  reason: string,
  { table, commit }: ActivationServices,
): Promise<{ deactivated: number } | Refusal | Replayed> {
  let deactivated = 0
  const written: Activation[] = []
  for await (const activation of readMachines(table, tenantId, productId)) written.push(activation)

  for (let left = written; left.length > 0; ) {
    if (call.remaining() < RESERVE)
      return refuse(
        'UNFINISHED',
        `${left.length} machines are still to be deactivated; ${deactivated} are.`,
        { retryAfter: 1 },
      )
    const batch = withinTransaction(left, MOST_ITEMS)
    left = left.slice(batch.length)
    const done = await removeAll(batch)
    if (isRefusal(done)) return done
    deactivated += done
  }
  return untilFresh(async () => {
    const pool = await readMachinePool(table, tenantId, productId)
    const event: EventDraft = {
      type: 'activations.reset',
      tenantId,
      subject: { type: 'product', id: productId },
      after: { deactivated },
      reason,
    }
    const writes = {
      pool: changeMachines(tenantId, productId, {
        used: 0,
        overdrawn: 0,
        freed: -pool.freed,
        moves: [],
        seen: { freed: pool.freed, moves: pool.moves },
      }),
    }
    return commit(call, { writes, events: [event], reply: { deactivated }, refusals: refusalsOf(writes) })
  })

  /** How many there were of these; one that somebody else deactivates meanwhile is left to them. */
  async function removeAll(batch: readonly Activation[]): Promise<number | Refusal> {
    const done = await removeAsRead(batch)
    if (done !== outdated) return done
    // One of them was written since, or is gone: one by one, as they are now.
    let removed = 0
    for (const { id } of batch) {
      const count = await untilFresh(async () => {
        const one = await readActivation(table, tenantId, id)
        return one === undefined ? 0 : removeAsRead([one])
      })
      if (isRefusal(count)) return count
      removed += count
    }
    return removed
  }

  async function removeAsRead(batch: readonly Activation[]): Promise<number | Refusal> {
    const writes = {
      pool: changeMachines(tenantId, productId, {
        used: -batch.length,
        overdrawn: -flagged(batch),
        seen: {},
      }),
      ...Object.fromEntries(batch.map((one) => [`row ${one.id}`, removeActivation(one)])),
      ...passFingerprints(batch, undefined, undefined),
    }
    const done = await commit(
      // The reply to the request belongs to its last write alone.
      { ...call, idempotencyKey: undefined },
      {
        writes,
        events: batch.map((one) => ({
          ...eventOf('activation.deactivated', one),
          before: activationView(one, call.now),
          reason,
        })),
        reply: batch.length,
        refusals: refusalsOf(writes),
      },
    )
    return isRefusal(done) ? done : batch.length
  }
}
