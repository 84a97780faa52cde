import { type Activation, activationView } from '../../shared/domain/activation.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines } from '../../shared/store/activation-pool.ts'
import type { Situation } from '../machine-situation.ts'
import type { CommitRequest } from '../services.ts'
import { eventOf, flagged, RESERVE, reclaims, refusalsOf, seenUntil, type Timed } from './changes.ts'
import type { ActivationServices } from './services.ts'

/** Takes dead machines away without giving their places to anybody yet; UNFINISHED where there is no time for it. */
export async function makeWay(
  call: Timed<CommitRequest>,
  { pool, terms, holdings: { tenantId, productId } }: Situation,
  leaving: readonly Activation[],
  services: ActivationServices,
): Promise<Refusal | undefined> {
  if (call.remaining() < RESERVE)
    return refuse('UNFINISHED', 'Dead machines are still to be taken away for it.', { retryAfter: 1 })
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
