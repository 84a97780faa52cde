import { earliestEnd, isLapsed, type Pool } from '../../shared/domain/pool.ts'
import { instantOf, limitOf, seconds } from '../../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { holdersOf } from '../lease-holders.ts'
import type { CommitRequest } from '../services.ts'
import type { Asking } from './asking.ts'
import { type Asker, denied } from './denied.ts'
import type { Part } from './plan.ts'
import type { LeaseServices } from './services.ts'

/** The refusal of a full pool: how it stands, when a place may be free, and where to wait for one. */
export async function shortage(
  call: CommitRequest,
  asking: Asking,
  { wanted, ask, size: { capacity, limit } }: Part,
  pool: Pool,
  asker: Asker & { readonly leaseToken?: string | undefined },
  isQueueable: boolean,
  services: LeaseServices,
): Promise<Refusal> {
  const { caller, now } = call
  const { metric, units } = wanted
  const live = [...pool.entries.values()].filter((entry) => !isLapsed(entry, seconds(now)))
  const nextFree = earliestEnd(live)
  // A license key may be anybody's who has the application; who else uses it is the tenant's to know.
  const mayKnow = caller.kind === 'tenant'
  const fits = units <= limit
  const tokenRef = asker.leaseToken === undefined ? undefined : ask.ref
  await denied(call, asking, wanted, asker, tokenRef, { because: 'capacity' }, services)
  const detail = fits
    ? `${pool.used} of ${limit} units of ${metric} are in use${pool.waiting > 0 ? ', and others wait' : ''}.`
    : `${units} units of ${metric} are more than the ${limit} that there are.`
  return refuse('POOL_EXHAUSTED', detail, {
    pool: {
      metric,
      units,
      capacity: limitOf(capacity),
      limit: limitOf(limit),
      used: pool.used,
      waiting: pool.waiting,
      ...(fits && nextFree !== undefined && { nextFree: instantOf(nextFree) }),
      ...(mayKnow && { holders: await holdersOf(services.table, { ...asking, metric }, pool, now, SHOWN) }),
      ...(fits && isQueueable && { queue: 'POST /v1/tickets' }),
    },
  })
}

/** Holders named in a refusal; the tenant's view of its pools has all. */
const SHOWN = 20
