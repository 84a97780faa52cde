import type { Caller } from '../../shared/domain/access.ts'
import type { Product } from '../../shared/domain/catalog.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { type Holdings, type Standing, standings } from '../../shared/domain/holdings.ts'
import { meterOf } from '../../shared/domain/meter.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import { rowOf } from '../../shared/domain/usage.ts'
import {
  checkReports,
  decideReports,
  type Report,
  type UsageDecision,
  usageName,
} from '../../shared/domain/usage-reports.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import type { ProductId } from '../../shared/platform/ids.ts'
import { earliest, type Instant } from '../../shared/platform/time.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { type Action, type Table, TRANSACTION_LIMIT } from '../../shared/store/transact.ts'
import { readRecords, readUsage, rememberRecord, setGauge } from '../../shared/store/usage.ts'
import { changeDays, type HourChange } from '../../shared/store/usage-days.ts'
import { seenFences } from '../../shared/store/usage-fence.ts'
import { productNamed } from '../product-named.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { draw, isSharded, shardOf } from './draw.ts'
import type { usageRoutes } from './routes.ts'
import { tenantOf } from './whose.ts'

type RecordCall = Call<(typeof usageRoutes)['recordUsage']>

/** What a product's counters are measured by. */
type Held = { readonly holdings: Holdings; readonly standings: readonly Standing[] }

/** Places of a transaction that the event and the reply need. */
const OTHERS = 2

export async function recordUsage(call: RecordCall, services: VerifyingServices) {
  const { table, commit } = services
  const tenant = await tenantOf(call.caller, call.body.tenantId, table)
  if (isRefusal(tenant)) return tenant
  const refused = await checkLicense(call.caller, call.now, services)
  if (refused) return refused
  const reports = await resolve(call, table)
  if (isRefusal(reports)) return reports
  const wrong = checkReports(reports)
  if (wrong) return wrong

  return untilFresh(async () => {
    const known = await load(tenant, reports, call.now, services)
    const decision = decideReports(reports, { ...known, now: call.now })
    if (isRefusal(decision)) return decision
    const writes = await writesOf(decision, known, { table, tenant, call })
    if (isRefusal(writes)) return writes
    const records = reports.map(({ product, metric }, index) => ({
      product: product.code,
      metric,
      outcome: decision.outcomes[index] ?? 'recorded',
    }))
    const changes = decision.gauges.size + decision.counters.size
    return commit(call, {
      writes: changes === 0 ? {} : writes,
      events: changes === 0 ? [] : [eventOf(decision, tenant, call.requestId)],
      reply: { records },
      refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
    })
  })
}

/** A license key reports only while its license counts. */
async function checkLicense(
  caller: Caller,
  now: Instant,
  { table, verifier }: VerifyingServices,
): Promise<Refusal | undefined> {
  if (caller.kind !== 'license') return undefined
  const holdings = await readHoldings(table, caller.tenantId, caller.productId)
  return refuseOwn(standings(holdings, now, verifier.isGenuine), caller.licenseId)
}

async function resolve({ body, caller, now }: RecordCall, table: Table): Promise<Report[] | Refusal> {
  const own = caller.kind === 'license' ? caller.productId : undefined
  const names = new Set(body.records.map((record) => record.product ?? own ?? ''))
  const products = new Map<string, Product>()
  for (const name of names) {
    const product = await productNamed(table, name)
    if (product && (own === undefined || product.id === own)) products.set(name, product)
  }
  const reports: Report[] = []
  for (const [index, record] of body.records.entries()) {
    const product = products.get(record.product ?? own ?? '')
    if (product === undefined) {
      return refuse('INVALID_REQUEST', 'A record names no product that is known here.', {
        errors: [{ field: `/body/records/${index}/product`, message: 'does not exist' }],
      })
    }
    // What is said of the future is of now: else one wrong clock would keep every later value of a gauge out.
    reports.push({ ...record, product, at: earliest(now, record.at) })
  }
  return reports
}

type Loaded = Awaited<ReturnType<typeof load>>

/** All that a batch is decided on. The licenses are read last, so that no fence is younger than they are. */
async function load(
  { id: tenantId }: Tenant,
  reports: readonly Report[],
  now: Instant,
  { table, verifier }: VerifyingServices,
) {
  const metrics = reports.map(({ product, metric, add }) => ({ productId: product.id, metric, add }))
  const counters = metrics.filter(({ add }) => add !== undefined)
  const [taken, gauges, fences] = await Promise.all([
    readRecords(table, tenantId, [...new Set(reports.flatMap(({ id }) => id ?? []))]),
    readUsage(
      table,
      tenantId,
      metrics.filter(({ add }) => add === undefined),
    ),
    seenFences(table, tenantId, counters),
  ])
  const held = new Map<ProductId, Held>()
  for (const productId of new Set(counters.map((one) => one.productId))) {
    const holdings = await readHoldings(table, tenantId, productId)
    held.set(productId, {
      holdings,
      standings: [...standings(holdings, now, verifier.isGenuine).values()],
    })
  }
  return {
    taken,
    gauges,
    fences,
    held,
    meterOf: (product: Product, metric: string) => meterOf(held.get(product.id)?.standings ?? [], metric),
  }
}

/** The writes of a decision. Each has a condition that the state it was made on is still there. */
async function writesOf(
  { gauges, counters, ids }: UsageDecision,
  { held, fences, meterOf: measure }: Loaded,
  { table, tenant, call }: { table: Table; tenant: Tenant; call: RecordCall },
): Promise<Record<string, Action> | Refusal> {
  const { id: tenantId, timeZone } = tenant
  const shard = shardOf(call.requestId)
  const writes: Record<string, Action> = {}
  const addDays = (productId: ProductId, metric: string, own: number, changes: readonly HourChange[]) => {
    const address = { tenantId, productId, metric }
    for (const day of changeDays(address, own, changes, timeZone))
      if (day.kind === 'update') writes[`day ${day.key.pk} ${day.key.sk}`] = day
  }

  for (const [name, { productId, usage, parts }] of gauges) {
    writes[`gauge ${name}`] = setGauge(tenantId, productId, usage)
    const changes = parts.map(({ at, value }) => ({ at, kept: 'value', amount: value }) as const)
    addDays(productId, usage.metric, 0, changes)
  }

  const series = new Map<string, { productId: ProductId; metric: string; own: number; all: HourChange[] }>()
  const fenced = new Set<ProductId>()
  for (const [name, addition] of counters) {
    const { product, metric, period, parts } = addition
    const meter = measure(product, metric)
    const counted = rowOf(held.get(product.id)?.holdings.usage ?? [], metric, period)?.value ?? 0
    const drawn = await draw(table, { tenantId, addition, meter, counted, shard, now: call.now })
    if (isRefusal(drawn)) return drawn
    for (const [what, action] of Object.entries(drawn.writes)) writes[`${what} ${name}`] = action
    const fence = fences.get(usageName(product.id, metric))
    // A change of a license raises the fences of all pools of its product: one of them tells.
    if (drawn.takes && meter.limit < UNLIMITED && fence !== undefined && !fenced.has(product.id)) {
      writes[`fence ${product.id}`] = fence
      fenced.add(product.id)
    }
    const own = isSharded(addition) ? shard : 0
    const line = series.get(usageName(product.id, metric)) ?? {
      productId: product.id,
      metric,
      own,
      all: [],
    }
    line.all.push(
      ...parts.map(({ at, add, late }) => ({ at, kept: late ? 'late' : 'added', amount: add }) as const),
    )
    series.set(usageName(product.id, metric), line)
  }
  // Once for each metric: parts of several periods may fall on one day.
  for (const { productId, metric, own, all } of series.values()) addDays(productId, metric, own, all)

  for (const [id, says] of ids) writes[`record ${id}`] = rememberRecord(tenantId, id, says, call.now)
  if (Object.keys(writes).length + OTHERS <= TRANSACTION_LIMIT) return writes
  return refuse(
    'INVALID_REQUEST',
    'The batch concerns too many metrics and days at once: send it in parts.',
    {
      errors: [{ field: '/body/records', message: 'too many metrics and days' }],
    },
  )
}

function eventOf(
  { gauges, counters }: UsageDecision,
  { id: tenantId }: Tenant,
  requestId: string,
): EventDraft {
  const after = {
    gauges: [...gauges.values()].map(({ productId, usage }) => ({
      productId,
      metric: usage.metric,
      value: usage.value,
      at: usage.at,
    })),
    counters: [...counters.values()].map(({ product, metric, add, at, period, late }) => ({
      productId: product.id,
      metric,
      add,
      at,
      ...(period && { period: period.from }),
      ...(late > 0 && { late }),
    })),
  }
  return { type: 'usage.recorded', tenantId, subject: { type: 'usage', id: requestId }, after }
}
