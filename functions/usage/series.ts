import type { Product } from '../../shared/domain/catalog.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { meterOf } from '../../shared/domain/meter.ts'
import { bucketsOf } from '../../shared/domain/meter-series.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { marks, periodOf, type Step } from '../../shared/domain/period.ts'
import { notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { rowOf } from '../../shared/domain/usage.ts'
import { grossOf, metricOf } from '../../shared/domain/usage-reports.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { DAY, epochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { readSharded } from '../../shared/store/usage-blocks.ts'
import { readHours } from '../../shared/store/usage-days.ts'
import { productNamed } from '../product-named.ts'
import type { VerifyingServices } from '../verified.ts'
import { isSharded } from './draw.ts'
import type { usageRoutes } from './routes.ts'

/** The longest time a series is answered for, in days: so that an answer stays below about 800 entries. */
const LONGEST = { hour: 31, day: 400, month: 800 } as const satisfies Record<Step, number>

export async function getUsage(
  { params: { tenantId }, query, now }: Call<(typeof usageRoutes)['getUsage']>,
  services: VerifyingServices,
) {
  const { table } = services
  const [tenant, product] = await Promise.all([
    readTenant(table, tenantId),
    productNamed(table, query.product),
  ])
  if (tenant === undefined) return notFound
  if (product === undefined) return wrong('product', 'does not exist')
  const metric = metricOf(product, query.metric)
  if (metric === undefined) return wrong('metric', `${product.code} has no such metric`)
  const { from, to = now, by } = query
  if (from >= to) return wrong('from', 'must be before to')
  if (epochMilliseconds(to) - epochMilliseconds(from) > LONGEST[by] * DAY)
    return wrong('from', `at most ${LONGEST[by]} days by ${by}`)

  const { timeZone } = tenant
  const bounds = marks(from, to, by, timeZone)
  const address = { tenantId, productId: product.id, metric: metric.code }
  const sharded = isSharded({ product, metric: metric.code })
  const [hours, meter] = await Promise.all([
    readHours(table, address, bounds[0] ?? from, bounds.at(-1) ?? to, sharded),
    metric.kind === 'counter' ? current(tenantId, product, metric.code, now, services) : undefined,
  ])
  return {
    product: product.code,
    metric: metric.code,
    kind: metric.kind,
    timeZone,
    by,
    items: bucketsOf(metric.kind, bounds, hours),
    ...(meter && { current: meter }),
  }
}

const wrong = (field: string, message: string): Refusal =>
  refuse('INVALID_REQUEST', 'This series cannot be answered.', {
    errors: [{ field: `/query/${field}`, message }],
  })

/** Where a counter stands now, to the unit. */
async function current(
  tenantId: TenantId,
  product: Product,
  metric: string,
  now: Instant,
  { table, verifier }: VerifyingServices,
) {
  const holdings = await readHoldings(table, tenantId, product.id)
  const { terms, capacity, limit } = meterOf(standings(holdings, now, verifier.isGenuine).values(), metric)
  const period = terms && periodOf(terms, now)
  const found = rowOf(holdings.usage, metric, period)
  const seen = found?.kind === 'counter' ? found : undefined
  const { row, inHand } = isSharded({ product, metric })
    ? await readSharded(table, { tenantId, productId: product.id, metric, period }, seen)
    : { row: seen, inHand: 0 }
  const counted = row ?? { kind: 'counter', metric, value: 0, at: now }
  return {
    ...(period && { period }),
    gross: grossOf(counted) - inHand,
    corrected: counted.corrected ?? 0,
    late: counted.late ?? 0,
    net: counted.value - inHand,
    capacity: capacity >= UNLIMITED ? ('unlimited' as const) : capacity,
    limit: limit >= UNLIMITED ? ('unlimited' as const) : limit,
  }
}
