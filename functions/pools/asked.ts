import { marks } from '../../shared/domain/period.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { DAY, epochMilliseconds, type Instant, type TimeZone } from '../../shared/platform/time.ts'
import { readPages, readPoolItems } from '../../shared/store/pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Table } from '../../shared/store/transact.ts'
import { productNamed } from '../product-named.ts'

/** A pool that a path and query name: it is there if a license ever had its metric. */
export async function poolNamed(
  table: Table,
  tenantId: TenantId,
  product: string,
  metric: string | undefined,
) {
  const found = await productNamed(table, product)
  if (found === undefined) return noSuch
  const pools = await readPoolItems(table, tenantId, found.id)
  const [only, ...others] = pools.keys()
  const usual = pools.has('concurrent') ? 'concurrent' : only
  if (metric === undefined && others.length > 0 && usual !== 'concurrent')
    return wrong('metric', `name one of ${[...pools.keys()].toSorted().join(', ')}`)
  const name = metric ?? usual
  const pool = name === undefined ? undefined : pools.get(name)
  if (name === undefined || pool === undefined) return noSuch
  const address = { tenantId, productId: found.id, metric: name }
  return { product: found, pool: await readPages(table, address, pool), address }
}

const noSuch = refuse('NOT_FOUND', 'There is no such pool.')

const wrong = (field: string, message: string): Refusal =>
  refuse('INVALID_REQUEST', 'This cannot be answered.', { errors: [{ field: `/query/${field}`, message }] })

type Query = {
  readonly metric?: string | undefined
  readonly from: Instant
  readonly to?: Instant | undefined
  readonly interval: 'hour' | 'day'
}

/** Days that are told by hour at most: an answer stays below about 800 stretches of time. */
const LONGEST_BY_HOUR = 31

/** The pool and the stretches of time that a series is asked for. `longest`: days, by day. */
export async function seriesAsked(
  table: Table,
  { tenantId, product }: { readonly tenantId: TenantId; readonly product: string },
  { metric, from, to, interval }: Query,
  now: Instant,
  longest: number,
) {
  const [tenant, named] = await Promise.all([
    readTenant(table, tenantId),
    poolNamed(table, tenantId, product, metric),
  ])
  if (tenant === undefined) return notFound
  if (isRefusal(named)) return named
  const until = to ?? now
  if (from >= until) return wrong('from', 'must be before to')
  const most = interval === 'hour' ? LONGEST_BY_HOUR : longest
  if (epochMilliseconds(until) - epochMilliseconds(from) > most * DAY)
    return wrong('from', `at most ${most} days by ${interval}`)
  const { timeZone }: { timeZone: TimeZone } = tenant
  const bounds = marks(from, until, interval, timeZone)
  const [first = from, last = until] = [bounds[0], bounds.at(-1)]
  return { ...named, timeZone, bounds, first, last }
}

/** So many rows are read, or told, for one answer at most. */
export const MOST_ROWS = 20_000
export const tooMany = wrong('from', 'there is too much in this time: ask for a shorter one')
