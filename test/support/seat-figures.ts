import * as z from 'zod'
import { Overview } from '../../shared/domain/overview.ts'
import { poolName, Seat } from '../../shared/domain/seat.ts'
import { SeatDashboard } from '../../shared/domain/seat-dashboard.ts'
import type { PeopleScenario } from './people.ts'
import { expected } from './scenario.ts'
import type { SeatRows } from './seat-rows.ts'

const Listed = z.strictObject({ excess: z.int(), items: z.array(Seat) })

/**
 * What the tenant is told that is not what lies in the table: the dashboard, with its parts by organization; the
 * overview, where seats count that are managed here, and else what was reported; and the list of seats in excess.
 *
 * @param reported gauges, by metric
 */
export async function wrongFigures(
  { call, product }: PeopleScenario,
  { users, seats, pools }: SeatRows,
  reported: Readonly<Record<string, number>>,
): Promise<string[]> {
  const wrong: string[] = []
  const [answer, summary] = await Promise.all([call('GET', '/seats'), call('GET', '/overview')])
  const board = SeatDashboard.parse(expected(200, answer))
  const overview = Overview.parse(expected(200, summary))
  const here = users.filter(({ status }) => status !== 'archived')
  const isActive = (id: string) =>
    here.some((user) => user.id === id && (user.activeDay ?? '') >= board.activeSince)
  same('people', board.people, {
    total: here.length,
    active: here.filter(({ id }) => isActive(id)).length,
    suspended: here.filter(({ status }) => status === 'suspended').length,
  })
  const modules = board.products.flatMap((one) => one.modules)
  for (const module of modules) {
    const { metric, code } = module
    const name = poolName({ productId: product.id, metric })
    const own = seats.filter((seat) => poolName(seat) === name)
    const limit = module.licensed === 'unlimited' ? Infinity : module.licensed
    const isIn = (organizationId: string | undefined, id: string) =>
      users.find((user) => user.id === id)?.organizationId === organizationId
    const useOf = (some: readonly { readonly userId: string }[], waiting: readonly unknown[]) => {
      const active = some.filter(({ userId }) => isActive(userId)).length
      const utilization = some.length === 0 ? null : Math.round((active * 100) / some.length)
      const [assigned, pending] = [some.length, waiting.length]
      return { assigned, pending, active, inactive: assigned - active, utilization }
    }
    const waiting = users.flatMap(({ id, pending }) =>
      pending.filter((one) => poolName(one) === name && !one.instead).map(() => id),
    )
    const { assigned, pending, active, inactive, utilization } = module
    same(code, { assigned, pending, active, inactive, utilization }, useOf(own, waiting))
    same(`${code} reserved`, module.reserved, (pools.get(name)?.committed ?? 0) - own.length)
    same(`${code} available`, module.available, Math.max(0, limit - (pools.get(name)?.committed ?? 0)))
    for (const { organizationId, ...rest } of module.organizations)
      same(
        `${code} of ${organizationId}`,
        rest,
        useOf(
          own.filter(({ userId }) => isIn(organizationId, userId)),
          waiting.filter((id) => isIn(organizationId, id)),
        ),
      )
    const inPlaces = module.organizations.reduce((sum, one) => sum + one.assigned + one.pending, 0)
    same(`${code} in all organizations`, inPlaces, own.length + waiting.length)

    const excess = Math.max(0, own.length - limit)
    same(`${code} in excess`, module.excess?.seats ?? 0, excess)
    const query = { product: product.code, module: code }
    const list = Listed.parse(expected(200, await call('GET', '/seats/excess', { query })))
    const inOrder = own.toSorted((a, b) =>
      a.pinned === b.pinned ? (givenAt(a) < givenAt(b) ? 1 : -1) : +a.pinned - +b.pinned,
    )
    same(`${code} excess`, list.excess, excess)
    same(`${code} list of excess`, list.items.map(givenAt), inOrder.slice(0, excess).map(givenAt))
  }
  const cards = overview.products.find(({ id }) => id === product.id)?.metrics ?? []
  for (const { metric, active } of cards) {
    const pool = pools.get(poolName({ productId: product.id, metric }))
    same(`overview of ${metric}`, active, pool?.isManaged ? pool.assigned : (reported[metric] ?? 0))
  }
  for (const { metric, licensed } of modules)
    same(
      `capacity of ${metric}`,
      cards.find((card) => card.metric === metric)?.capacity,
      // The overdraft is licensed on top of what is sold; none of these has any.
      licensed,
    )
  same('users', overview.users.active, cards.find(({ metric }) => metric === 'users')?.active ?? 0)
  return wrong

  function same(what: string, told: unknown, stored: unknown): void {
    if (JSON.stringify(told) !== JSON.stringify(stored))
      wrong.push(`${what}: ${JSON.stringify(told)}, not ${JSON.stringify(stored)}`)
  }
}

const givenAt = ({ assignedAt, userId }: Seat) => `${assignedAt}#${userId}`
