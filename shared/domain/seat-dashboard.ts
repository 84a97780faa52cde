import * as z from 'zod'
import { OrganizationId, ProductId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { room } from './entitlement.ts'
import { limitOf } from './pool-terms.ts'
import { keptFree, poolName } from './seat.ts'
import { type Counts, countRow, dayCount, PEOPLE } from './seat-counts.ts'
import type { Seating } from './seat-decision.ts'
import type { Excess } from './seat-excess.ts'
import { Code, Limit, Name } from './terms.ts'

const Count = z.int().min(0)

/** Seats and who uses them, in one organization or all. `active` were seen within the window. */
const Use = {
  assigned: Count,
  pending: Count,
  active: Count,
  inactive: Count,
  /** Assigned seats in use, in whole percent; null where none is assigned. */
  utilization: z.number().nullable(),
}

export const SeatDashboard = z
  .strictObject({
    people: z.strictObject({ total: Count, active: Count, suspended: Count }),
    products: z.array(
      z.strictObject({
        id: ProductId,
        code: Code,
        name: Name,
        modules: z.array(
          z.strictObject({
            code: Code,
            name: Name,
            metric: Code,
            licensed: Limit,
            /** Neither assigned nor reserved. */
            available: Limit,
            /** Kept for organizations, and not taken. */
            reserved: Count,
            /** Assigned of licensed, in whole percent; null where it has no meaning. */
            usage: z.number().nullable(),
            ...Use,
            /** More is assigned than licensed: to be cured within a window. Nothing is taken silently. */
            excess: z
              .strictObject({ seats: Count, since: Instant, cureUntil: Instant, isOverdue: z.boolean() })
              .optional(),
            /** Of the organizations themselves, without those below them. */
            organizations: z.array(z.strictObject({ organizationId: OrganizationId.optional(), ...Use })),
          }),
        ),
      }),
    ),
    /** Who was seen on this day or since counts as active. */
    activeSince: z.iso.date(),
    checkedAt: Instant,
  })
  .meta({ id: 'SeatDashboard' })
export type SeatDashboard = z.infer<typeof SeatDashboard>

/**
 * The dashboard, all from counts: it costs the same for 100 people and for a million.
 *
 * @param sees which organizations the caller knows of; figures are of those
 */
export function seatDashboard(
  {
    products,
    terms,
    reservations,
    organizations,
  }: Pick<Seating, 'products' | 'terms' | 'reservations' | 'organizations'>,
  counts: Counts,
  excessOf: (productId: ProductId, metric: string, assigned: number) => Excess | undefined,
  sees: (organizationId: OrganizationId | undefined) => boolean,
  activeSince: string,
  checkedAt: Instant,
): SeatDashboard {
  const places = [undefined, ...organizations.keys()]
  const own = (name: string, organizationId: OrganizationId | undefined) =>
    counts.get(countRow(name, organizationId))
  const useIn = (name: string, organizationId: OrganizationId | undefined) => {
    const row = own(name, organizationId)
    const assigned = row?.get('assigned') ?? 0
    return use(assigned, row?.get('pending') ?? 0, activeIn(row, activeSince))
  }
  const seen = places.filter(sees)
  const people = seen.map((organizationId) => own(PEOPLE, organizationId))
  return {
    people: {
      total: total(people.map((row) => row?.get('people') ?? 0)),
      active: total(people.map((row) => activeIn(row, activeSince))),
      suspended: total(people.map((row) => row?.get('suspended') ?? 0)),
    },
    products: [...products.values()].map(({ id, code, name, modules }) => ({
      id,
      code,
      name,
      modules: modules.flatMap((module) => {
        if (module.seat === undefined) return []
        const { metric } = module.seat
        const pool = poolName({ productId: id, metric })
        const everywhere = places.map((organizationId) => useIn(pool, organizationId))
        const all = total(everywhere.map(({ assigned }) => assigned))
        const reserved = total((reservations.get(pool) ?? []).map(keptFree))
        const licensed = limitOf(terms.get(pool)?.limit ?? 0)
        const inSight = seen.map((organizationId) => ({ organizationId, ...useIn(pool, organizationId) }))
        const sums = (field: 'assigned' | 'pending' | 'active') => total(inSight.map((one) => one[field]))
        const excess = excessOf(id, metric, all)
        return [
          {
            code: module.code,
            name: module.name,
            metric,
            licensed,
            available: room(licensed, all + reserved).remaining,
            reserved,
            usage: room(licensed, all).utilization,
            ...use(sums('assigned'), sums('pending'), sums('active')),
            ...(excess && { excess }),
            organizations: inSight
              .filter(({ assigned, pending }) => assigned + pending > 0)
              .map(({ organizationId, ...rest }) => ({ ...(organizationId && { organizationId }), ...rest })),
          },
        ]
      }),
    })),
    activeSince,
    checkedAt,
  }
}

function use(assigned: number, pending: number, active: number) {
  return {
    assigned,
    pending,
    active,
    inactive: assigned - active,
    utilization: assigned === 0 ? null : Math.round((active * 100) / assigned),
  }
}

/** Those who were last seen on that day or since. */
function activeIn(row: ReadonlyMap<string, number> | undefined, since: string): number {
  const first = dayCount(since)
  return total([...(row ?? [])].filter(([name]) => /^d\d/.test(name) && name >= first).map(([, n]) => n))
}

const total = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0)
