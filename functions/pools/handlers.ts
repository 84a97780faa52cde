import { DENIALS_KEPT, type Denial, judge, WINDOW } from '../../shared/domain/denial.ts'
import { denialSeries } from '../../shared/domain/denial-series.ts'
import { USE_KEPT, type Use, useSeries, useSoFar } from '../../shared/domain/lease-use.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { plusMilliseconds } from '../../shared/platform/time.ts'
import { readDenials } from '../../shared/store/lease-denial.ts'
import { readAllLeaseDetails } from '../../shared/store/lease-detail.ts'
import { readLeaseUse } from '../../shared/store/lease-use.ts'
import { type PoolAddress, readPool } from '../../shared/store/pool.ts'
import { readQueue } from '../../shared/store/ticket.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { VerifyingServices } from '../verified.ts'
import { MOST_ROWS, seriesAsked, tooMany } from './asked.ts'
import type { poolsRoutes } from './routes.ts'
import { getShares, setShares } from './shares.ts'

export const poolsHandlers: Handlers<typeof poolsRoutes, VerifyingServices> = {
  getShares,
  setShares,

  async getDenials({ params, query, now }, { table }) {
    const asked = await seriesAsked(table, params, query, now, DENIALS_KEPT)
    if (isRefusal(asked)) return asked
    const { product, address, timeZone, bounds, first, last } = asked
    // Those soon after tell which of these were only repeated.
    const denials = await readDenials(table, address, first, plusMilliseconds(last, WINDOW), MOST_ROWS)
    if (denials === undefined) return tooMany
    const waiting = await ticketsWaiting(table, address, denials)
    const judged = judge(denials, now, (ticket) => waiting.has(ticket))
    const items = denialSeries(judged, bounds, keyOf(query.by))
    if (items.length > MOST_ROWS) return tooMany
    const { interval, by } = query
    return { product: product.code, metric: address.metric, timeZone, interval, by, items }
  },

  async getPoolUse({ params, query, now }, { table }) {
    const asked = await seriesAsked(table, params, query, now, USE_KEPT)
    if (isRefusal(asked)) return asked
    const { product, pool, address, timeZone, bounds, first, last } = asked
    // In this order: a lease that ends meanwhile is told twice rather than not at all, and once is left out.
    const details = await readAllLeaseDetails(table, address)
    const told = await readLeaseUse(table, address, first, last, MOST_ROWS)
    if (told === undefined) return tooMany
    const uses = [...told, ...useSoFar(pool.entries, details, told, now)]
    const items = useSeries(uses, bounds, keyOf(query.by))
    if (items.length > MOST_ROWS) return tooMany
    const { interval, by } = query
    return { product: product.code, metric: address.metric, timeZone, interval, by, items }
  },
}

const keyOf =
  (by: 'pool' | 'department' | 'user') =>
  ({ holder, department }: Pick<Use | Denial, 'holder' | 'department'>): string | null =>
    by === 'pool' ? null : ((by === 'user' ? holder.userId : department) ?? null)

/** Tickets looked for, which fit into 1 MB however much each says; who waits further back is taken to wait. */
const MOST_TICKETS = 500

/** Of the tickets that denials led to, those that wait, or hold a place; read only where there are any. */
async function ticketsWaiting(
  table: Table,
  address: PoolAddress,
  denials: readonly Denial[],
): Promise<ReadonlySet<string>> {
  const asked = denials.filter(({ ticket, granted }) => ticket !== undefined && granted === undefined)
  if (asked.length === 0) return new Set()
  const queue = await readQueue(table, address, MOST_TICKETS)
  const pool = await readPool(table, address)
  const all = queue.length < MOST_TICKETS ? [] : asked.flatMap(({ ticket = '' }) => [ticket])
  return new Set([...all, ...queue.map(({ ref }) => ref), ...(pool?.entries.keys() ?? [])])
}
