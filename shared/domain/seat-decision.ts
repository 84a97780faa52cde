import type { OrganizationId, ProductId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Product } from './catalog.ts'
import { type Organizations, pathOf } from './organization.ts'
import {
  type Pending,
  type PoolName,
  poolName,
  type Reservation,
  type Seat,
  type SeatPolicy,
  type SeatPool,
} from './seat.ts'
import { type Ask, targetOf } from './seat-target.ts'
import { isAllowedAt, type SeatTerms } from './seat-terms.ts'
import type { User } from './user.ts'

/** All that decides over the seats of a tenant's people, beside the people themselves. */
export type Seating = {
  readonly policy: SeatPolicy
  readonly organizations: Organizations
  /** Those that the tenant has licenses of, or people have seats of. */
  readonly products: ReadonlyMap<ProductId, Product>
  readonly pools: ReadonlyMap<PoolName, SeatPool>
  readonly terms: ReadonlyMap<PoolName, SeatTerms>
  readonly reservations: ReadonlyMap<PoolName, readonly Reservation[]>
}

/** What becomes of a person's seats. */
export type SeatPlan = {
  readonly seats: readonly Seat[]
  readonly pending: readonly Pending[]
  /** Of `seats`, those that are taken now. One that moves from one reservation to another is freed and taken. */
  readonly taken: readonly Seat[]
  readonly freed: readonly Seat[]
}

export const EMPTY_POOL: SeatPool = {
  fence: 0,
  assigned: 0,
  committed: 0,
  queued: 0,
  isManaged: false,
}

/**
 * The one decision over seats: whatever changes about a person, the seats that follow from the facts it then has.
 *
 * @param turn pools where it is this person's turn, though others may wait
 */
export function decideSeats(
  user: User,
  held: readonly Seat[],
  seating: Seating,
  now: Instant,
  turn: ReadonlySet<PoolName> = new Set(),
): SeatPlan {
  const serves = user.status === 'active'
  if (user.status === 'archived' || (user.status === 'suspended' && seating.policy.suspended === 'free'))
    return { seats: [], pending: [], taken: [], freed: held }

  const path = pathOf(user.organizationId, seating.organizations)
  const taken: Seat[] = []
  const freed: Seat[] = []
  const seats: Seat[] = []
  const pending: Pending[] = []
  for (const product of seating.products.values()) {
    const own = held.filter((seat) => seat.productId === product.id)
    const needed = neededModules(user, product)
    if (own.length === 0 && needed.size === 0) continue
    const keeps = own.filter((seat) => {
      const terms = seating.terms.get(poolName(seat))
      const isAllowed = terms === undefined || isAllowedAt(terms, user.usageLocation)
      const isAtHome = seat.reservedBy === undefined || path.includes(seat.reservedBy)
      return isAllowed && isAtHome
    })
    const ask: Ask = (metric) => {
      const name = poolName({ productId: product.id, metric })
      // Nobody who may not work now is given anything.
      return serves ? placeIn(name, user, path, seating, turn).answer : 'NO_CAPACITY'
    }
    // Who comes back has what it had, as far as that is free.
    const former = (user.former?.seats ?? []).filter((one) => one.productId === product.id)
    const again = former.filter(({ metric }) => ask(metric) === 'free')
    const known = [...keeps, ...again].map(({ metric }) => metric)
    const target = targetOf(product, needed, new Set(known), ask)
    for (const wanted of target.seats) {
      const before = keeps.find(({ metric }) => metric === wanted.metric)
      const moved = own.find(({ metric }) => metric === wanted.metric)
      const { reservedBy } = placeIn(
        poolName({ productId: product.id, metric: wanted.metric }),
        user,
        path,
        seating,
        turn,
      )
      const seat: Seat = before
        ? { ...before, ...wanted }
        : {
            userId: user.id,
            productId: product.id,
            ...wanted,
            assignedAt: moved?.assignedAt ?? now,
            pinned: (moved ?? former.find(({ metric }) => metric === wanted.metric))?.pinned ?? false,
            ...(reservedBy && { reservedBy }),
          }
      seats.push(seat)
      if (before === undefined) taken.push(seat)
    }
    const left = own.filter(
      (seat) => !keeps.includes(seat) || !target.seats.some(({ metric }) => metric === seat.metric),
    )
    freed.push(...left)
    if (serves)
      for (const gap of target.missing) {
        const since = user.pending.find(
          (one) => one.productId === product.id && one.metric === gap.metric,
        )?.since
        pending.push({ productId: product.id, ...gap, since: since ?? now })
      }
  }
  // Of a product that nobody knows any more nothing is needed.
  freed.push(...held.filter(({ productId }) => !seating.products.has(productId)))
  return { seats, pending, taken, freed }
}

/** The modules a person needs of a product, and why: by its roles unless withheld, and by hand. */
export function neededModules(
  { roles, direct, withheld }: Pick<User, 'roles' | 'direct' | 'withheld'>,
  { id, modules }: Pick<Product, 'id' | 'modules'>,
): Map<string, string[]> {
  const needed = new Map<string, string[]>()
  const isNamed = (list: User['direct'], code: string) =>
    list.some(({ productId, module }) => productId === id && module === code)
  for (const { code, seat } of modules) {
    if (seat === undefined) continue
    const sources = [
      ...(isNamed(direct, code) ? ['direct'] : []),
      ...(isNamed(withheld, code)
        ? []
        : seat.roles.filter((role) => roles.includes(role)).map((role) => `role:${role}`)),
    ]
    if (sources.length > 0) needed.set(code, sources)
  }
  return needed
}

/** Is there a place for this person, and from whose reservation? Its own organizations' come first, nearest first. */
function placeIn(
  name: PoolName,
  { usageLocation }: Pick<User, 'usageLocation'>,
  path: readonly OrganizationId[],
  { pools, terms, reservations }: Seating,
  turn: ReadonlySet<PoolName>,
): { answer: ReturnType<Ask>; reservedBy?: OrganizationId } {
  const { assigned, committed, queued } = pools.get(name) ?? EMPTY_POOL
  const given = terms.get(name)
  if (given === undefined || given.licenses.length === 0) return { answer: 'NOT_LICENSED' }
  if (!isAllowedAt(given, usageLocation)) return { answer: 'NOT_ALLOWED_HERE' }
  if (queued > 0 && !turn.has(name)) return { answer: 'NO_CAPACITY' }
  const kept = reservations.get(name) ?? []
  const reservedBy = path.find((one) =>
    kept.some(({ organizationId, seats, used }) => organizationId === one && used < seats),
  )
  if (reservedBy !== undefined && assigned < given.limit) return { answer: 'free', reservedBy }
  return { answer: committed < given.limit ? 'free' : 'NO_CAPACITY' }
}
