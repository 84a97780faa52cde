import type { Caller } from '../../shared/domain/access.ts'
import type { Product } from '../../shared/domain/catalog.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import {
  checkReports,
  decideReports,
  type Report,
  type UsageDecision,
} from '../../shared/domain/usage-reports.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import { ProductId, type TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { findProduct } from '../../shared/store/address.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { Action, Table } from '../../shared/store/transact.ts'
import { addToCounter, readRecords, readUsage, rememberRecord, setGauge } from '../../shared/store/usage.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { usageRoutes } from './routes.ts'

type UsageCall = Call<(typeof usageRoutes)['recordUsage']>

export const usageHandlers: Handlers<typeof usageRoutes, VerifyingServices> = {
  async recordUsage(call, services) {
    const { table, commit } = services
    const tenantId = await tenantOf(call, table)
    if (isRefusal(tenantId)) return tenantId
    const refused = await checkLicense(call.caller, call.now, services)
    if (refused) return refused
    const reports = await resolve(call, table)
    if (isRefusal(reports)) return reports
    const wrong = checkReports(reports)
    if (wrong) return wrong

    return untilFresh(async () => {
      const [taken, known] = await Promise.all([
        readRecords(table, tenantId, [...new Set(reports.flatMap(({ id }) => id ?? []))]),
        readUsage(
          table,
          tenantId,
          reports.map(({ product, metric }) => ({ productId: product.id, metric })),
        ),
      ])
      const decision = decideReports(reports, taken, known)
      if (isRefusal(decision)) return decision
      const { writes, refusals } = writesOf(decision, tenantId, call.now)
      const records = reports.map(({ product, metric }, index) => ({
        product: product.code,
        metric,
        outcome: decision.outcomes[index] ?? 'recorded',
      }))
      const changes = decision.gauges.size + decision.counters.size
      return commit(call, {
        writes: changes === 0 ? {} : writes,
        events: changes === 0 ? [] : [eventOf(decision, tenantId, call.requestId)],
        reply: { records },
        refusals,
      })
    })
  },
}

/**
 * Whose use it is: named by vendor staff, the caller's own for everybody else. That the tenant exists is not a
 * condition of the write: every report of a tenant would contend for that one item.
 */
async function tenantOf({ caller, body }: UsageCall, table: Table): Promise<TenantId | Refusal> {
  const own = 'tenantId' in caller ? caller.tenantId : undefined
  if (own !== undefined) return body.tenantId === undefined || body.tenantId === own ? own : noSuchTenant
  if (body.tenantId === undefined) {
    return refuse('INVALID_REQUEST', 'Name the tenant.', {
      errors: [{ field: '/body/tenantId', message: 'is required of vendor staff' }],
    })
  }
  return (await readTenant(table, body.tenantId)) === undefined ? noSuchTenant : body.tenantId
}

const noSuchTenant = refuse('NOT_FOUND', 'There is no such tenant.')

/** A license key reports only while its license counts. */
async function checkLicense(
  caller: Caller,
  now: Instant,
  { table, verifier }: VerifyingServices,
): Promise<Refusal | undefined> {
  if (caller.kind !== 'license') return undefined
  const holdings = await readHoldings(table, caller.tenantId, caller.productId)
  const standing = standings(holdings, now, verifier.isGenuine).get(caller.licenseId)
  if (standing?.counts) return undefined
  return refuse(
    'LICENSE_NOT_IN_FORCE',
    `The license is ${standing?.because === 'STATUS' ? standing.status : standing?.because}.`,
  )
}

async function resolve({ body, caller, now }: UsageCall, table: Table): Promise<Report[] | Refusal> {
  const own = caller.kind === 'license' ? caller.productId : undefined
  const names = new Set(body.records.map((record) => record.product ?? own ?? ''))
  const products = new Map<string, Product>()
  for (const name of names) {
    const id = ProductId.safeParse(name)
    const productId = id.success ? id.data : await findProduct(table, name)
    const product = productId && (await readProduct(table, productId))
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
    reports.push({ ...record, product, at: record.at ?? now })
  }
  return reports
}

function writesOf(
  { gauges, counters, ids }: UsageDecision,
  tenantId: TenantId,
  now: Instant,
): { writes: Record<string, Action>; refusals: Record<string, Refusal> } {
  const writes: Record<string, Action> = {}
  const refusals: Record<string, Refusal> = {}
  const add = (label: string, action: Action) => {
    writes[label] = action
    refusals[label] = outdated
  }
  for (const [name, { productId, usage }] of gauges)
    add(`gauge ${name}`, setGauge(tenantId, productId, usage))
  for (const [name, { productId, metric, add: amount, at }] of counters) {
    add(`counter ${name}`, addToCounter(tenantId, productId, metric, amount, at))
  }
  for (const [id, says] of ids) add(`record ${id}`, rememberRecord(tenantId, id, says, now))
  return { writes, refusals }
}

function eventOf({ gauges, counters }: UsageDecision, tenantId: TenantId, requestId: string) {
  const after = {
    gauges: [...gauges.values()].map(({ productId, usage }) => ({
      productId,
      metric: usage.metric,
      value: usage.value,
      at: usage.at,
    })),
    counters: [...counters.values()].map(({ productId, metric, add, at }) => ({
      productId,
      metric,
      add,
      at,
    })),
  }
  return { type: 'usage.recorded', tenantId, subject: { type: 'usage', id: requestId }, after }
}
