import { type Activation, activationView } from '../../shared/domain/activation.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines } from '../../shared/store/activation-pool.ts'
import type { Situation } from '../machine-situation.ts'
import type { CommitRequest } from '../services.ts'
import { eventOf, flagged, reclaims, refusalsOf, seenUntil } from './changes.ts'
import type { ActivationServices } from './services.ts'

/** Takes dead machines away without giving their places to anybody yet. */
export async function makeWay(
  call: CommitRequest,
  { pool, terms, holdings: { tenantId, productId } }: Situation,
  leaving: readonly Activation[],
  services: ActivationServices,
): Promise<Refusal | undefined> {
  const writes = {
    pool: changeMachines(tenantId, productId, {
      used: -leaving.length,
      overdrawn: -flagged(leaving),
      seen: { fence: pool.fence },
    }),
    ...reclaims(leaving),
    ...passFingerprints(leaving, undefined, seenUntil(terms, call.now)),
  }
  const done = await services.commit(
    // The reply to the request belongs to its last write alone.
    { ...call, idempotencyKey: undefined },
    {
      writes,
      events: leaving.map((one) => ({
        ...eventOf('activation.reclaimed', one),
        before: activationView(one, call.now),
      })),
      reply: undefined,
      refusals: refusalsOf(writes),
    },
  )
  return isRefusal(done) ? done : undefined
}
