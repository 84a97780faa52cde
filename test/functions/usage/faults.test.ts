import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { correctUsage } from '../../../functions/usage/correct.ts'
import { recordUsage } from '../../../functions/usage/record.ts'
import { getUsage } from '../../../functions/usage/series.ts'
import type { VerifyingServices } from '../../../functions/verified.ts'
import { Product } from '../../../shared/domain/catalog.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { Tenant } from '../../../shared/domain/tenant.ts'
import { newLicenseId, newProductId, newTenantId } from '../../../shared/platform/ids.ts'
import { plusMilliseconds } from '../../../shared/platform/time.ts'
import { productItem } from '../../../shared/store/catalog.ts'
import { commit } from '../../../shared/store/commit.ts'
import { raiseFences } from '../../../shared/store/fence.ts'
import { licenseItem, readHoldings } from '../../../shared/store/holdings.ts'
import { tenantItem } from '../../../shared/store/tenant.ts'
import { putOnce, transact } from '../../../shared/store/transact.ts'
import { addToCounter } from '../../../shared/store/usage.ts'
import { fillBlock, readBlocks, settleBlocks, sumOf } from '../../../shared/store/usage-blocks.ts'
import { readHours } from '../../../shared/store/usage-days.ts'
import { localTable, put } from '../../store/local-table.ts'
import { type Fault, faultyClient, insist, WAYS } from '../../support/faults.ts'
import { aLicense, at } from '../../support/licenses.ts'
import { times } from '../../support/parallel.ts'

const table = await localTable()
const NOON = at('2026-06-01T12:00:00Z')
const JUNE = { from: at('2026-06-01T00:00:00Z'), until: at('2026-07-01T00:00:00Z') }
const SEALING_KEY = randomBytes(32)

/** What a report writes: transactions. */
const TRANSACTIONS = new Set(['TransactWriteItemsCommand'])

/** A tenant of its own with an allowance, and the function that takes reports. */
async function aTenant(limit: number, client = table.client) {
  const tenantId = newTenantId(NOON)
  const productId = newProductId(NOON)
  const own = { client, name: table.name }
  const tenant = Tenant.parse({
    id: tenantId,
    name: 'A',
    customerId: tenantId,
    timeZone: 'UTC',
    contacts: [],
    createdAt: NOON,
    revision: 1,
  })
  const product = Product.parse({
    id: productId,
    code: 'edu',
    name: 'Edu',
    metrics: [
      { code: 'calls', kind: 'counter' },
      { code: 'hits', kind: 'counter', rate: 'high' },
    ],
    features: [],
    modules: [],
    createdAt: NOON,
    revision: 1,
  })
  const rule = { period: 'P1M', overage: 'refuse' as const }
  const license = aLicense({
    id: newLicenseId(NOON),
    tenantId,
    productId,
    limits: { calls: limit, hits: limit },
    rules: { metering: { calls: rule, hits: rule } },
  })
  await put(table, tenantItem(tenant), productItem(product))
  await transact(table, { ...(await raiseFences(table, license)), license: putOnce(licenseItem(license)) })
  const services = partOf({
    table: own,
    verifier: { isGenuine: () => true },
    commit: (request: Parameters<typeof commit>[2], decision: Parameters<typeof commit>[3]) =>
      commit(own, SEALING_KEY, request, decision),
  })
  const call = <Body>(body: Body, fingerprint: string, idempotencyKey?: string) => ({
    params: undefined,
    query: undefined,
    body,
    caller: { kind: 'tenant', role: 'tenant:app', tenantId, subject: 'tok_app' } as const,
    now: NOON,
    requestId: randomUUID(),
    address: '203.0.113.1',
    revision: 0,
    idempotencyKey,
    fingerprint,
    licenseKey: undefined,
    remaining: () => 10_000,
  })
  return {
    /** Where a counter of it is, in June. */
    counter: (metric: string) => ({ tenantId, productId, metric, period: JUNE }),
    report: (metric: string, add: number, { id, key }: { id?: string; key?: string }) =>
      recordUsage(
        call({ records: [{ ...(id && { id }), product: productId, metric, add }] }, `${metric} ${add}`, key),
        services,
      ),
    correct: (metric: string, adjust: number) =>
      correctUsage(call({ product: productId, metric, adjust, reason: 'a mistake' }, ''), services),
    async current(metric: string) {
      const asked = { product: productId, metric, from: JUNE.from, by: 'month' as const }
      const answer = await getUsage({ ...call(undefined, ''), params: { tenantId }, query: asked }, services)
      return isRefusal(answer) ? answer : answer.current
    },
    /** What was used, by the counter and by its series. */
    async used(metric: string): Promise<[number, number]> {
      const { usage } = await readHoldings(table, tenantId, productId)
      const row = usage.find((one) => one.metric === metric)
      const inHand = sumOf(await readBlocks(table, { tenantId, productId, metric, period: JUNE }))
      const address = { tenantId, productId, metric }
      const until = plusMilliseconds(NOON, 1)
      const hours = await readHours(table, address, at('2026-06-01T00:00:00Z'), until, true)
      return [(row?.value ?? 0) - inHand, hours.reduce((sum, { amount }) => sum + amount, 0)]
    },
  }
}

function partOf(services: object): VerifyingServices {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a stand-in with the services that a report uses
  return services as VerifyingServices
}

test.each(WAYS)('a write was %s: each report counts once', async (_, planned) => {
  const { client, meet } = faultyClient(3, TRANSACTIONS)
  const tenant = await aTenant(100_000, client)
  await tenant.report('hits', 70_000, {})
  for (const metric of ['calls', 'hits']) {
    const before = (await tenant.used(metric))[0]
    for (const sent of [{ id: randomUUID() }, { key: randomUUID() }, { id: randomUUID() }]) {
      await meet(planned, () => tenant.report(metric, 7, sent))
    }
    expect(await tenant.used(metric)).toEqual([before + 21, before + 21])
  }
})

test.each(['calls', 'hits'])(
  '20 reports of %s at once, every third write failing, take exactly what is left',
  async (metric) => {
    const { client, faults } = faultyClient(3, TRANSACTIONS)
    const tenant = await aTenant(60_010, client)
    await tenant.report(metric, 60_000, {})
    const order: Fault[] = ['lost', 'throttled', 'twice']
    const answers = await times(20, (index) => {
      const fault = index % 3 === 0 ? order[(index / 3) % 3] : undefined
      if (fault !== undefined) faults.push(fault)
      const id = `report-${index}`
      return insist(() => tenant.report(metric, 1, { id }))
    })
    expect(faults).toEqual([])
    expect(answers.filter((answer) => !isRefusal(answer))).toHaveLength(10)
    expect(await tenant.used(metric)).toEqual([60_010, 60_010])
  },
)

test('a correction that fits is not refused because what shards had in hand is given back meanwhile', async () => {
  const { client, faults } = faultyClient(3, new Set(['BatchGetItemCommand', 'GetItemCommand']))
  const tenant = await aTenant(100_000, client)
  await tenant.report('hits', 70_000, {})
  await tenant.report('hits', 7, {})
  const address = tenant.counter('hits')
  expect(sumOf(await readBlocks(table, address))).toBeGreaterThan(7)
  // Between what it reads of the shards and of the counter.
  const giveBack: Fault = { before: () => settleBlocks(table, address, NOON) }
  const fine: Fault = { before: async () => undefined }
  // The tenant, the product, the correction of that id, the shards.
  faults.push(fine, fine, fine, fine, giveBack)
  expect(await tenant.correct('hits', -70_000)).toMatchObject({ outcome: 'recorded' })
  expect(faults).toEqual([])
  expect((await tenant.used('hits'))[0]).toBe(7)
})

test('what a shard takes or gives back while a counter is read is counted once', async () => {
  const { client, faults } = faultyClient(3, new Set(['BatchGetItemCommand']))
  const tenant = await aTenant(100_000, client)
  await tenant.report('hits', 70_000, {})
  const address = tenant.counter('hits')
  const take = () =>
    transact(table, { counter: addToCounter(address, 500, NOON), block: fillBlock(address, 3, 500) })
  faults.push({ before: take }, { before: () => settleBlocks(table, address, NOON) })
  expect(await tenant.current('hits')).toMatchObject({ gross: 70_000, net: 70_000 })
  expect(faults).toEqual([])
})
