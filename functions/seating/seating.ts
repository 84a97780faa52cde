import { type Standing, standings } from '../../shared/domain/holdings.ts'
import type { ReclaimRule } from '../../shared/domain/reclaim-rule.ts'
import { type PoolName, poolName, type Reservation } from '../../shared/domain/seat.ts'
import type { Seating } from '../../shared/domain/seat-decision.ts'
import { type SeatTerms, seatTerms } from '../../shared/domain/seat-terms.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readReclaimRules } from '../../shared/store/reclaim.ts'
import { readReservations, readSeatPolicy, readSeatPools } from '../../shared/store/seat-pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Person } from '../../shared/store/user.ts'
import type { VerifyingServices } from '../verified.ts'

/** All that decides over the seats of a tenant's people, as it is now. */
export type TenantSeating = Seating & {
  readonly tenant: Tenant
  readonly standings: ReadonlyMap<ProductId, readonly Standing[]>
  readonly reclaimRules: readonly ReclaimRule[]
}

/** Products that a person has something of: with these, nothing of it is forgotten when its seats are decided on. */
export const productsOf = ({ user, seats }: Person): ProductId[] =>
  [...seats, ...user.direct, ...user.pending].map(({ productId }) => productId)

/** What decides over the person's seats: as it was read, unless that person has something of other products. */
export async function seatingOf(
  services: Pick<VerifyingServices, 'table' | 'verifier'>,
  seating: TenantSeating,
  person: Person,
  now: Instant,
): Promise<TenantSeating> {
  const products = productsOf(person)
  if (products.every((id) => seating.products.has(id))) return seating
  return (
    (await readSeating(services, seating.tenant.id, now, [...seating.products.keys(), ...products])) ??
    seating
  )
}

/**
 * Reads it. The pools, with their fences, come before the licenses that they fence (store/fence.ts); which pools there
 * are is known only from the licenses, so these are read twice. Nothing of it grows with the number of people.
 *
 * @param others products that somebody has or is to have seats of, whatever the tenant holds
 * @returns undefined where there is no such tenant
 */
export async function readSeating(
  { table, verifier }: Pick<VerifyingServices, 'table' | 'verifier'>,
  tenantId: TenantId,
  now: Instant,
  others: readonly ProductId[] = [],
): Promise<TenantSeating | undefined> {
  const [tenant, policy, organizations, known, { rules }] = await Promise.all([
    readTenant(table, tenantId),
    readSeatPolicy(table, tenantId),
    readOrganizations(table, tenantId),
    readAllHoldings(table, tenantId),
    readReclaimRules(table, tenantId),
  ])
  if (tenant === undefined) return undefined
  const ids = new Set([...known.map(({ productId }) => productId), ...others])
  const products = (await Promise.all([...ids].map((id) => readProduct(table, id))))
    .filter((product) => product !== undefined)
    .filter(({ modules }) => modules.some(({ seat }) => seat !== undefined))
  const places = products.flatMap(({ id, modules }) =>
    modules.flatMap(({ seat }) => (seat ? [{ productId: id, metric: seat.metric }] : [])),
  )
  const [pools, reserved] = await Promise.all([
    readSeatPools(table, tenantId, places),
    readReservations(table, tenantId),
  ])
  const holdings = places.length === 0 ? [] : await readAllHoldings(table, tenantId)
  const terms = new Map<PoolName, SeatTerms>()
  const seen = new Map<ProductId, readonly Standing[]>()
  for (const one of holdings) {
    const all = [...standings(one, now, verifier.isGenuine).values()]
    seen.set(one.productId, all)
    for (const place of places)
      if (place.productId === one.productId) terms.set(poolName(place), seatTerms(all, place.metric))
  }
  const reservations: ReadonlyMap<PoolName, readonly Reservation[]> = Map.groupBy(reserved, poolName)
  return {
    tenant,
    standings: seen,
    policy,
    reclaimRules: rules,
    organizations,
    products: new Map(products.map((product) => [product.id, product])),
    pools,
    terms,
    reservations,
  }
}
