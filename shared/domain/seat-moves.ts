import * as z from 'zod'
import { OrganizationId, ProductId } from '../platform/ids.ts'
import { type PoolName, poolName, type TenantPool } from './seat.ts'
import { EMPTY_POOL, type Seating } from './seat-decision.ts'
import { Code } from './terms.ts'

/** What changes of people add to the counts of a pool, and to what is used of its reservations. */
export const PoolMove = z.strictObject({
  productId: ProductId,
  metric: Code,
  assigned: z.int(),
  committed: z.int(),
  queued: z.int(),
  used: z.record(OrganizationId, z.int()),
})
export type PoolMove = z.infer<typeof PoolMove>

/** One move for each pool, the sum of all. */
export function sumMoves(moves: readonly PoolMove[]): PoolMove[] {
  return [...Map.groupBy(moves, poolName).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [others.reduce(plus, first)],
  )
}

function plus(a: PoolMove, b: PoolMove): PoolMove {
  const used = { ...a.used }
  for (const [id, n] of Object.entries(b.used)) {
    const organizationId = OrganizationId.parse(id)
    used[organizationId] = (used[organizationId] ?? 0) + n
  }
  return {
    ...a,
    assigned: a.assigned + b.assigned,
    committed: a.committed + b.committed,
    queued: a.queued + b.queued,
    used,
  }
}

/** What decides over seats as it is once changes are made: so one decision can follow the other without a read between. */
export function afterMoves<T extends Pick<Seating, 'pools' | 'reservations'>>(
  seating: T,
  moves: readonly PoolMove[],
): T {
  if (moves.length === 0) return seating
  const pools = new Map(seating.pools)
  const reservations = new Map(seating.reservations)
  for (const move of moves) {
    const name = poolName(move)
    const pool = pools.get(name) ?? EMPTY_POOL
    pools.set(name, {
      fence: pool.fence,
      assigned: pool.assigned + move.assigned,
      committed: pool.committed + move.committed,
      queued: pool.queued + move.queued,
      isManaged: true,
    })
    const kept = reservations.get(name)
    if (kept !== undefined)
      reservations.set(
        name,
        kept.map((one) => ({ ...one, used: one.used + (move.used[one.organizationId] ?? 0) })),
      )
  }
  return { ...seating, pools, reservations }
}

/** What serving those who wait will come to, where there are free seats that no organization is kept. */
export function servedMoves(
  { pools, terms }: Pick<Seating, 'pools' | 'terms'>,
  places: readonly TenantPool[],
): PoolMove[] {
  const names = new Map<PoolName, TenantPool>(places.map((place) => [poolName(place), place]))
  return [...names].flatMap(([name, { productId, metric }]) => {
    const { committed, queued } = pools.get(name) ?? EMPTY_POOL
    const served = Math.min(queued, (terms.get(name)?.limit ?? 0) - committed)
    return served > 0
      ? [{ productId, metric, assigned: served, committed: served, queued: -served, used: {} }]
      : []
  })
}
