import { type Caller, subjectOf } from '../../shared/domain/access.ts'
import { type Denial, whoOf } from '../../shared/domain/denial.ts'
import { standings } from '../../shared/domain/holdings.ts'
import type { Holder } from '../../shared/domain/lease-last.ts'
import { isFloating } from '../../shared/domain/pool-terms.ts'
import { isRefusal, PLACE_REFUSALS, type Refusal } from '../../shared/domain/refusal.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { recordDenial } from '../../shared/store/lease-denial.ts'
import type { AskedProduct } from '../asked-product.ts'
import type { CommitRequest } from '../services.ts'
import type { Wanted } from './asking.ts'
import type { Grounds } from './grounds.ts'
import type { LeaseServices } from './services.ts'

/** Whose request it is, as it says. */
export type Asker = { readonly holder?: Holder | undefined; readonly department?: string | undefined }

/**
 * Writes down that a pool gave nothing: demand that is not seen is not met. `tokenRef` is the name of the entry, where
 * the client chose it.
 */
export async function denied(
  { caller, now }: CommitRequest,
  asked: AskedProduct,
  { metric, units }: Wanted,
  { holder = {}, department }: Asker,
  tokenRef: string | undefined,
  why: Pick<Denial, 'because' | 'status'>,
  { table }: LeaseServices,
): Promise<void> {
  const who = whoOf(holder, subjectOf(caller), tokenRef)
  const denial = {
    units,
    holder,
    ...(who !== undefined && { who }),
    ...(department !== undefined && { department }),
  }
  await recordDenial(table, { ...asked, metric }, { ...denial, ...why }, now)
}

/**
 * The same answer, with a denial left where no license is in force, or none for the place: no want of capacity, and told
 * apart from it.
 */
export async function unlicensed<T>(
  answer: T | Refusal,
  call: CommitRequest,
  asked: AskedProduct,
  items: readonly Wanted[] | undefined,
  asker: Asker,
  services: LeaseServices,
): Promise<T | Refusal> {
  const why = isRefusal(answer) ? otherReason(answer) : undefined
  if (why === undefined) return answer
  const grounds = await services.remembered.get(asked.tenantId, asked.productId, call.now)
  const wanted = items?.[0] ?? { metric: usualMetric(grounds), units: 1 }
  const { metric } = wanted
  // What was never licensed has no pool, and leaves nothing.
  if (metric === undefined || !grounds.fences.has(metric)) return answer
  const status = why.status ?? statusOf(grounds, metric, call.caller, call.now, services)
  await denied(
    call,
    asked,
    { ...wanted, metric },
    asker,
    undefined,
    { because: why.because, status },
    services,
  )
  return answer
}

function otherReason({ refused }: Refusal): Pick<Denial, 'because' | 'status'> | undefined {
  if (refused === 'LICENSE_NOT_IN_FORCE') return { because: 'license' }
  return PLACE_REFUSALS.some((code) => code === refused) ? { because: 'place', status: refused } : undefined
}

/** What a request without items is about. */
function usualMetric({ fences }: Grounds): string | undefined {
  const [only, ...others] = fences.keys()
  return fences.has('concurrent') ? 'concurrent' : others.length === 0 ? only : undefined
}

/** What keeps the license from being in force: the caller's own, else the last to end of those the pool had. */
function statusOf(
  { holdings }: Grounds,
  metric: string,
  caller: Caller,
  now: Instant,
  { verifier }: LeaseServices,
): string {
  const all = standings(holdings, now, verifier.isGenuine)
  const own = caller.kind === 'license' ? all.get(caller.licenseId) : undefined
  const [latest] = [...all.values()]
    .filter((one) => isFloating(one) && Object.hasOwn(one.license.limits, metric))
    .toSorted((a, b) => ((a.license.expiresAt ?? '9') < (b.license.expiresAt ?? '9') ? 1 : -1))
  const one = own?.counts === false ? own : latest
  return one === undefined
    ? 'NOT_LICENSED'
    : one.because === 'STATUS'
      ? one.status
      : (one.because ?? one.status)
}
