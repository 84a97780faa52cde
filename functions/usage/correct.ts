import { nameForTenant } from '../../shared/domain/access.ts'
import type { Product } from '../../shared/domain/catalog.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { book, meterOf } from '../../shared/domain/meter.ts'
import type { Correction } from '../../shared/domain/meter-correction.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Tenant } from '../../shared/domain/tenant.ts'
import { metricOf } from '../../shared/domain/usage-reports.ts'
import type { Call } from '../../shared/platform/http/contract.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import { readPage } from '../../shared/store/page.ts'
import type { Action, Table } from '../../shared/store/transact.ts'
import { addToCounter, type CounterAddress, readCounter } from '../../shared/store/usage.ts'
import { emptyBlocks, readBlocks, settleBlocks, sumOf } from '../../shared/store/usage-blocks.ts'
import {
  correctionsOf,
  putCorrection,
  readCorrection,
  usageCorrectionEntity,
} from '../../shared/store/usage-corrections.ts'
import { changeDays } from '../../shared/store/usage-days.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { productNamed } from '../product-named.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { isSharded } from './draw.ts'
import type { usageRoutes } from './routes.ts'
import { tenantOf } from './whose.ts'

type CorrectCall = Call<(typeof usageRoutes)['correctUsage']>

export async function correctUsage(call: CorrectCall, services: VerifyingServices) {
  const { table, commit } = services
  const { body } = call
  const tenant = await tenantOf(call.caller, body.tenantId, table)
  if (isRefusal(tenant)) return tenant
  const product = await productNamed(table, body.product)
  if (product === undefined) return wrong('product', 'does not exist')
  const metric = metricOf(product, body.metric)
  if (metric?.kind !== 'counter') {
    return refuse('USAGE_UNKNOWN_METRIC', `${body.metric} is no counter of ${product.code}.`, {
      errors: [{ field: '/body/metric', message: 'only counters are corrected; report a gauge anew' }],
    })
  }

  return untilFresh(async () => {
    const correction = await decide(call, tenant, product, services)
    const { id, period, adjust } = correction
    const earlier = await readCorrection(table, tenant.id, product.id, id)
    if (earlier !== undefined && !isSame(earlier, correction))
      return refuse('USAGE_CONFLICT', `The id ${id} was used for another correction.`)
    if (earlier !== undefined) {
      const reply = { correction: earlier, outcome: 'already-recorded' } as const
      return commit(call, { writes: {}, events: [], reply, refusals: {} })
    }
    const address = { tenantId: tenant.id, productId: product.id, metric: metric.code, period }
    const counted = await writesOf(table, address, isSharded({ product, metric: metric.code }), call, adjust)
    if (isRefusal(counted)) return counted
    const writes: Record<string, Action> = { ...counted, correction: putCorrection(tenant.id, correction) }
    const { at } = correction.late || correction.at > call.now ? { at: call.now } : correction
    const change = { at, kept: 'corrected', amount: adjust } as const
    for (const [index, day] of changeDays(address, 0, [change], tenant.timeZone).entries())
      writes[`day ${index}`] = day
    return commit(call, {
      writes,
      events: [
        {
          type: 'usage.corrected',
          tenantId: tenant.id,
          subject: { type: 'usage', id },
          after: { productId: product.id, metric: metric.code, adjust, at: correction.at, period },
          reason: correction.reason,
        },
      ],
      reply: { correction, outcome: 'recorded' } as const,
      refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
    })
  })
}

const isSame = (one: Correction, other: Correction) =>
  one.metric === other.metric && one.adjust === other.adjust

const wrong = (field: string, message: string): Refusal =>
  refuse('INVALID_REQUEST', 'The correction is not valid.', {
    errors: [{ field: `/body/${field}`, message }],
  })

export async function listCorrections(
  { params: { tenantId }, query, caller }: Call<(typeof usageRoutes)['listUsageCorrections']>,
  { table, secrets }: VerifyingServices,
) {
  if (!(await isKnownTenant(table, caller, tenantId))) return refuse('NOT_FOUND', 'There is no such tenant.')
  const { product: name, ...page } = query
  const product = await productNamed(table, name)
  if (product === undefined) {
    return refuse('INVALID_REQUEST', 'There is no such product.', {
      errors: [{ field: '/query/product', message: 'does not exist' }],
    })
  }
  return readPage(table, secrets.cursorKey, correctionsOf(tenantId, product.id), page, async (items) =>
    items.map(usageCorrectionEntity.decode),
  )
}

/** The correction and the period it counts in. */
async function decide(
  { body, caller, now, requestId }: CorrectCall,
  tenant: Tenant,
  product: Product,
  { table, verifier }: VerifyingServices,
): Promise<Correction> {
  const holdings = await readHoldings(table, tenant.id, product.id)
  const meter = meterOf(standings(holdings, now, verifier.isGenuine).values(), body.metric)
  const at = body.at ?? now
  const { period, late } = book(meter, at, now)
  return {
    id: body.id ?? requestId,
    productId: product.id,
    metric: body.metric,
    adjust: body.adjust,
    reason: body.reason,
    at,
    ...(period && { period }),
    late,
    madeAt: now,
    madeBy: nameForTenant(caller),
  }
}

/** The writes that change the counter; it never falls below zero, counted without what its shards have in hand. */
async function writesOf(
  table: Table,
  address: CounterAddress,
  sharded: boolean,
  { now }: CorrectCall,
  adjust: number,
): Promise<Record<string, Action> | Refusal> {
  const { metric } = address
  const inHand = sharded ? await readBlocks(table, address) : new Map<number, number>()
  const given = sumOf(inHand)
  const counted = (await readCounter(table, address))?.value ?? 0
  if (counted - given + adjust < 0) {
    // What was in hand may have been given back between the two reads: only without any it is certain.
    if (given > 0) {
      await settleBlocks(table, address, now)
      return outdated
    }
    return refuse('USAGE_BELOW_ZERO', `${counted} ${metric} were used: ${-adjust} are too many.`)
  }
  return {
    ...emptyBlocks(address, inHand),
    counter: addToCounter(address, adjust - given, now, {
      corrected: adjust,
      limit: UNLIMITED,
      least: 0,
    }),
  }
}
