import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { type Answer, type CallOptions, outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'
import { tally, times } from '../../support/parallel.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const vendor = await api.token('vendor:admin')

const Outcomes = z.object({ records: z.array(z.object({ metric: z.string(), outcome: z.string() })) })
const outcomesOf = (answer: Answer) =>
  Outcomes.parse(expected(200, answer)).records.map((record) => record.outcome)

/** Reports for the scenario's tenant and product, by vendor staff unless said otherwise. */
const reporter =
  ({ tenant, product }: Scenario) =>
  (records: readonly object[], options: CallOptions = {}) =>
    api.call('POST', '/v1/usage', {
      token: vendor,
      body: { tenantId: tenant.id, records: records.map((one) => ({ product: product.code, ...one })) },
      ...options,
    })

/** What is used of a metric, as the tenant's own validation sees it. */
async function usedOf({ tenant, product }: Scenario, metric: string): Promise<number> {
  const answer = await api.call('GET', `/v1/tenants/${tenant.id}/overview`, { token: vendor })
  const Cards = z.object({
    products: z.array(
      z.object({ id: z.string(), metrics: z.array(z.object({ metric: z.string(), active: z.number() })) }),
    ),
  })
  const { products } = Cards.parse(expected(200, answer))
  const cards = products.find(({ id }) => id === product.id)?.metrics ?? []
  return cards.find((one) => one.metric === metric)?.active ?? 0
}

const recordings = async ({ tenant }: Scenario) =>
  [...(await allRows(api.table)).values()].filter(
    (row) => row['type'] === 'usage.recorded' && row['tenantId'] === tenant.id,
  )

describe('a report', () => {
  test('sets a gauge and adds to a counter', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const first = await report([
      { metric: 'users', value: 63 },
      { metric: 'signatures', add: 5 },
    ])
    await report([
      { metric: 'users', value: 60 },
      { metric: 'signatures', add: 7 },
    ])
    expect(first.body).toEqual({
      records: [
        { product: scenario.product.code, metric: 'users', outcome: 'recorded' },
        { product: scenario.product.code, metric: 'signatures', outcome: 'recorded' },
      ],
    })
    expect([await usedOf(scenario, 'users'), await usedOf(scenario, 'signatures')]).toEqual([60, 12])
  })

  test('writes one event with what it changed', async () => {
    const scenario = await createScenario(api)
    const answer = await reporter(scenario)([
      { metric: 'users', value: 6 },
      { metric: 'signatures', add: 2 },
      { metric: 'signatures', add: 3 },
    ])
    const [event, ...more] = await eventsOf(
      api.table,
      String(answer.headers['x-request-id']),
      scenario.tenant.id,
    )
    expect(more).toEqual([])
    expect(event).toMatchObject({
      type: 'usage.recorded',
      actor: { kind: 'vendor', role: 'vendor:admin' },
      after: { gauges: [{ metric: 'users', value: 6 }], counters: [{ metric: 'signatures', add: 5 }] },
    })
  })

  test('names its product by code or id, several in a batch', async () => {
    const [scenario, other] = [await createScenario(api), await createScenario(api)]
    const answer = await reporter(scenario)([
      { metric: 'users', value: 1 },
      { product: other.product.id, metric: 'users', value: 2 },
    ])
    expect(outcomesOf(answer)).toEqual(['recorded', 'recorded'])
    expect(await usedOf(scenario, 'users')).toBe(1)
    expect(await usedOf({ ...other, tenant: scenario.tenant }, 'users')).toBe(2)
  })

  test('of 25 records is taken whole', async () => {
    const scenario = await createScenario(api)
    const records = Array.from({ length: 25 }, (_, index) => ({
      id: `r-${index}`,
      metric: 'signatures',
      add: index + 1,
    }))
    expect(tally(outcomesOf(await reporter(scenario)(records)))).toEqual({ recorded: 25 })
    expect(await usedOf(scenario, 'signatures')).toBe(325)
  })

  test("by the tenant's own token or license key needs no tenant, with a key no product either", async () => {
    const scenario = await createScenario(api)
    const { key } = await scenario.issue()
    const records = [{ metric: 'users', value: 4 }]
    const authorization = `License ${key}`
    const byKey = await api.call('POST', '/v1/usage', { headers: { authorization }, body: { records } })
    const token = await api.token('tenant:app', scenario.tenant.id)
    const byToken = await api.call('POST', '/v1/usage', {
      token,
      body: { records: [{ product: scenario.product.code, metric: 'departments', value: 2 }] },
    })
    expect([byKey, byToken].map(outcome)).toEqual(['200', '200'])
    expect([await usedOf(scenario, 'users'), await usedOf(scenario, 'departments')]).toEqual([4, 2])
  })
})

describe('a gauge', () => {
  const now = readClock()
  const later = (seconds: number) => plusMilliseconds(now, -3_600_000 + seconds * 1000)

  test('keeps its newest value, whichever order the reports come in', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const outcomes = [
      await report([{ metric: 'users', value: 5, at: later(5) }]),
      await report([{ metric: 'users', value: 3, at: later(3) }]),
      await report([{ metric: 'users', value: 6, at: later(5) }]),
      await report([
        { metric: 'users', value: 9, at: later(9) },
        { metric: 'users', value: 8, at: later(8) },
      ]),
    ]
    expect(outcomes.map(outcomesOf)).toEqual([
      ['recorded'],
      ['older-than-known'],
      ['recorded'],
      ['recorded', 'older-than-known'],
    ])
    expect(await usedOf(scenario, 'users')).toBe(9)
  })

  test('said of the future is of now, so that a wrong clock keeps no later value out', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const answers = [
      await report([{ metric: 'users', value: 5, at: inDays(400) }]),
      await report([{ metric: 'users', value: 6 }]),
    ]
    expect(answers.map(outcomesOf)).toEqual([['recorded'], ['recorded']])
    expect(await usedOf(scenario, 'users')).toBe(6)
  })

  test('reported by many at the same time ends with the newest', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const order = [7, 2, 9, 4, 11, 1, 10, 3, 8, 5, 12, 6]
    const answers = await Promise.all(
      order.map((second) => report([{ metric: 'users', value: second, at: later(second) }])),
    )
    expect(answers.map(outcome)).toEqual(order.map(() => '200'))
    expect(await usedOf(scenario, 'users')).toBe(12)
  })
})

describe('at the same time', () => {
  test('30 additions add up exactly', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const remaining = () => 150_000
    const answers = await times(30, (index) =>
      report([{ metric: 'signatures', add: index + 1 }], { remaining }),
    )
    expect(tally(answers.map(outcome))).toEqual({ 200: 30 })
    expect(await usedOf(scenario, 'signatures')).toBe((30 * 31) / 2)
  })

  test('10 identical batches with ids are counted once', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const batch = [
      { id: 'a', metric: 'signatures', add: 3 },
      { id: 'b', metric: 'signatures', add: 4 },
      { id: 'c', metric: 'users', value: 17 },
    ]
    const answers = await times(10, () => report(batch))
    expect(tally(answers.flatMap(outcomesOf))).toEqual({ recorded: 3, 'already-recorded': 27 })
    expect([await usedOf(scenario, 'signatures'), await usedOf(scenario, 'users')]).toEqual([7, 17])
    expect(await recordings(scenario)).toHaveLength(1)
  })

  test('10 under one Idempotency-Key are one', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const headers = { 'idempotency-key': 'usage-1' }
    const answers = await times(10, () => report([{ metric: 'signatures', add: 3 }], { headers }))
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    expect(outcome(await report([{ metric: 'signatures', add: 4 }], { headers }))).toBe(
      '422 IDEMPOTENCY_MISMATCH',
    )
    expect(await usedOf(scenario, 'signatures')).toBe(3)
  })
})

describe('an id', () => {
  test('is taken once, also within a batch, and the rest of the batch counts', async () => {
    const scenario = await createScenario(api)
    const report = reporter(scenario)
    const one = { id: 'x', metric: 'signatures', add: 3 }
    const first = await report([one, one])
    const second = await report([one, { id: 'y', metric: 'signatures', add: 10 }])
    const third = await report([one])
    expect([first, second, third].map(outcomesOf)).toEqual([
      ['recorded', 'already-recorded'],
      ['already-recorded', 'recorded'],
      ['already-recorded'],
    ])
    expect(await usedOf(scenario, 'signatures')).toBe(13)
    expect(await recordings(scenario)).toHaveLength(2)
  })

  test("is the tenant's own: another may use the same", async () => {
    const [scenario, other] = [await createScenario(api), await createScenario(api)]
    const record = { id: 'same # / id', metric: 'signatures', add: 3 }
    const answers = [await reporter(scenario)([record]), await reporter(other)([record])]
    expect(answers.map(outcomesOf)).toEqual([['recorded'], ['recorded']])
  })
})
