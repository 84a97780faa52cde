import { earliestEnd, liveIn, type Pool, unitsOf } from '../../shared/domain/pool.ts'
import type { PoolShortage } from '../../shared/domain/pool-shortage.ts'
import { instantOf, limitOf, seconds } from '../../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { mostFor } from '../../shared/domain/shares.ts'
import type { AskedProduct } from '../asked-product.ts'
import { holdersOf } from '../lease-holders.ts'
import type { CommitRequest } from '../services.ts'
import { type Asker, denied } from './denied.ts'
import type { Part } from './plan.ts'
import type { LeaseServices } from './services.ts'

/** The refusal of a full pool: how it stands, when a place may be free, and where to wait for one. */
export async function shortage(
  call: CommitRequest,
  asked: AskedProduct,
  { wanted, ask, shares, size: { capacity, limit } }: Part,
  pool: Pool,
  because: Denied,
  asker: Asker & { readonly leaseToken?: string | undefined },
  isQueueable: boolean,
  services: LeaseServices,
): Promise<Refusal> {
  const { caller, now } = call
  const { metric, units } = wanted
  const live = liveIn(pool, seconds(now))
  const used = unitsOf(live)
  const nextFree = earliestEnd(live)
  // A license key may be anybody's who has the application; who else uses it is the tenant's to know.
  const mayKnow = caller.kind === 'tenant'
  const most = mostFor(shares, limit, ask.department)
  const fits = units <= most
  const tokenRef = asker.leaseToken === undefined ? undefined : ask.ref
  await denied(call, asked, wanted, asker, tokenRef, { because }, services)
  const detail = fits
    ? `${used} of ${limitOf(limit)} units of ${metric} are in use${pool.waiting > 0 ? ', and others wait' : ''}${WHY[because]}.`
    : `${units} units of ${metric} are more than the ${most} that there are${most < limit ? ' for this department' : ''}.`
  // Its places would have to come free in several queues at once: those in each would wait for those in the others.
  const instead = fits && !isQueueable ? ONE_BY_ONE : ''
  return refuse('POOL_EXHAUSTED', `${detail}${instead}`, {
    pool: {
      metric,
      units,
      capacity: limitOf(capacity),
      limit: limitOf(limit),
      used,
      because,
      waiting: pool.waiting,
      ...(fits && nextFree !== undefined && { nextFree: instantOf(nextFree) }),
      ...(mayKnow && { holders: await holdersOf(services.table, { ...asked, metric }, pool, now, SHOWN) }),
      ...(fits && isQueueable && { queue: 'POST /v1/tickets' }),
    },
  })
}

/** Why a pool that has units gives none; see shared/domain/denial.ts. */
export type Denied = NonNullable<PoolShortage['because']>

/** The same of what a grant says. */
export function deniedFor(because: 'units' | 'kept' | 'quota' | 'borrowed'): Denied {
  return because === 'kept' ? 'reserved-elsewhere' : because === 'units' ? 'capacity' : 'quota'
}

const WHY: Readonly<Record<Denied, string>> = {
  capacity: '',
  'reserved-elsewhere': '; the others are kept for departments that they are guaranteed to',
  quota: '; the department that asks has all it may have',
}

const ONE_BY_ONE =
  ' A ticket waits for one metric: take one for each (POST /v1/tickets) and claim each once its place is held, or ask for all again.'

/** Holders named in a refusal; the tenant's view of its pools has all. */
const SHOWN = 20
