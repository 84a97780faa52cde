import type { Caller } from '../../shared/domain/access.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isFloating } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { ProductId } from '../../shared/platform/ids.ts'
import { Remembered } from '../../shared/platform/remembered.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { type AskedProduct, askedProduct, productIdOf } from '../asked-product.ts'
import type { Grounds } from './grounds.ts'
import type { LeaseServices } from './services.ts'

/** One metric of a product, and how many units of it. */
export type Wanted = { readonly metric: string; readonly units: number }

// The product behind a code or id never changes.
const products = new Remembered<string, ProductId>(1_000)

/** Whose pools of which product; a warm function asks the table once for each code. */
export const askedOf = (
  caller: Caller,
  product: string | undefined,
  services: LeaseServices,
): Promise<AskedProduct | Refusal> =>
  askedProduct(caller, product, async (name) => {
    const known = products.get(name) ?? (await productIdOf(services.table, name))
    if (known !== undefined) products.set(name, known)
    return known
  })

/** A license key takes leases only while its own license counts. */
export function refuseCaller(
  caller: Caller,
  { holdings }: Grounds,
  now: Instant,
  { verifier }: LeaseServices,
): Refusal | undefined {
  if (caller.kind !== 'license') return undefined
  return refuseOwn(standings(holdings, now, verifier.isGenuine), caller.licenseId)
}

/** Metrics that are taken from a pool without being named. */
const DEFAULT_METRIC = 'concurrent'

/**
 * What is wanted: as named, or one unit of the product's only floating metric. Where what is remembered tells of none, or
 * of several, it is read again.
 */
export async function wantedOf(
  items: readonly Wanted[] | undefined,
  { tenantId, productId }: AskedProduct,
  now: Instant,
  services: LeaseServices,
): Promise<readonly Wanted[] | Refusal> {
  if (items !== undefined) return items
  const { remembered } = services
  const usual = usualOf(await remembered.get(tenantId, productId, now), now, services)
  return isRefusal(usual) ? usualOf(await remembered.reload(tenantId, productId, now), now, services) : usual
}

function usualOf(grounds: Grounds, now: Instant, services: LeaseServices): readonly Wanted[] | Refusal {
  const metrics = floatingMetrics(grounds, now, services)
  const metric = metrics.has(DEFAULT_METRIC) ? DEFAULT_METRIC : [...metrics][0]
  if (metric === undefined) return notInForce
  if (metrics.size === 1 || metric === DEFAULT_METRIC) return [{ metric, units: 1 }]
  return refuse('INVALID_REQUEST', 'Name what to check out.', {
    errors: [{ field: '/body/items', message: `name one or more of ${[...metrics].toSorted().join(', ')}` }],
  })
}

/** Metrics of the floating licenses that count now. */
function floatingMetrics({ holdings }: Grounds, now: Instant, { verifier }: LeaseServices): Set<string> {
  const all = [...standings(holdings, now, verifier.isGenuine).values()]
  return new Set(
    all.filter((one) => one.counts && isFloating(one)).flatMap(({ license }) => Object.keys(license.limits)),
  )
}

export const notInForce = refuse('LICENSE_NOT_IN_FORCE', 'No floating license of this product is in force.')
