import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { HOUR, plusMilliseconds } from '../../../shared/platform/time.ts'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { setClock, stopClock } from '../../support/clock.ts'
import { at } from '../../support/licenses.ts'
import { Answered, codesOf, expected } from '../../support/scenario.ts'
import { aWorld, outcomesOf } from './world.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => api.stop())

const BEGIN = { validFrom: '2026-01-31T09:00:00Z', expiresAt: '2027-01-31T09:00:00Z' }

describe('an allowance of a month', () => {
  test('begins anew with its day in the zone of the tenant, without anything being written', async () => {
    const world = await aWorld(api, { timeZone: 'Europe/Berlin' })
    stopClock(at('2026-01-31T12:00:00Z'))
    await world.sell(5, 'refuse', BEGIN)
    expect(outcomesOf(await world.report([{ metric: 'calls', add: 5 }]))).toEqual(['recorded'])

    setClock(at('2026-02-27T22:59:59.999Z'))
    const full = await world.report([{ metric: 'calls', add: 1 }])
    expect(outcome(full)).toBe('409 ALLOWANCE_EXHAUSTED')
    expect(full.body).toMatchObject({ detail: expect.stringContaining('2026-02-27T23:00:00.000Z') })

    expect(await world.shown('calls')).toBe(5)

    // Midnight in Berlin of the last day of February, for there is no 31st.
    setClock(at('2026-02-27T23:00:00.000Z'))
    expect(await world.shown('calls')).toBe(0)
    expect(await world.current('calls')).toMatchObject({
      net: 0,
      period: { until: '2026-03-30T22:00:00.000Z' },
    })
    expect(outcomesOf(await world.report([{ metric: 'calls', add: 5 }]))).toEqual(['recorded'])
    expect(outcome(await world.report([{ metric: 'calls', add: 1 }]))).toBe('409 ALLOWANCE_EXHAUSTED')
  })

  test('is refused whole: nothing of a batch that does not fit is recorded', async () => {
    const world = await aWorld(api)
    await world.sell(5)
    const id = world.id()
    const batch = [
      { metric: 'users', value: 7 },
      { metric: 'calls', add: 3, id },
      { metric: 'calls', add: 3 },
    ]
    expect(outcome(await world.report(batch))).toBe('409 ALLOWANCE_EXHAUSTED')
    expect([await world.shown('calls'), await world.shown('users')]).toEqual([0, 0])
    expect(outcomesOf(await world.report([{ metric: 'calls', add: 3, id }]))).toEqual(['recorded'])
  })

  test.each([
    ['so many more', { absolute: 2 }, 12],
    ['a share more', { percent: 25 }, 12],
  ])('takes %s where that is declared', async (_, overage, most) => {
    const world = await aWorld(api)
    await world.sell(10, overage)
    expect(outcome(await world.report([{ metric: 'calls', add: most + 1 }]))).toBe('409 ALLOWANCE_EXHAUSTED')
    expect(outcomesOf(await world.report([{ metric: 'calls', add: most }]))).toEqual(['recorded'])
  })

  test('that allows overage records it and tells it', async () => {
    const world = await aWorld(api)
    const { key } = await world.sell(5, 'allow')
    const verdict = async () =>
      Answered.parse(expected(200, await api.call('POST', '/v1/validate', { body: { key } })))
    await world.report([{ metric: 'calls', add: 5 }])
    expect(codesOf(await verdict())).toEqual([])
    await world.report([{ metric: 'calls', add: 4 }])
    expect(await verdict()).toMatchObject({
      valid: true,
      code: 'OVER_CAPACITY',
      findings: [{ subject: 'metric:calls', detail: '9 calls in use, 5 licensed.' }],
    })
  })

  test('of a suspended license is shut', async () => {
    const world = await aWorld(api)
    const { license } = await world.sell(5)
    await world.act(license.id, 'suspend')
    expect(outcome(await world.report([{ metric: 'calls', add: 1 }]))).toBe('409 ALLOWANCE_EXHAUSTED')
    await world.act(license.id, 'reinstate')
    expect(outcomesOf(await world.report([{ metric: 'calls', add: 1 }]))).toEqual(['recorded'])
  })
})

describe('use that comes late', () => {
  test('counts in its own period while that is open, and visibly in the current one after it', async () => {
    const world = await aWorld(api)
    stopClock(at('2026-02-01T00:00:00Z'))
    await world.sell(100, 'refuse', { validFrom: '2026-02-01T00:00:00Z', expiresAt: '2027-02-01T00:00:00Z' })
    setClock(at('2026-03-05T10:00:00Z'))
    const february = { metric: 'calls', add: 7, at: '2026-02-28T23:00:00Z' }
    expect(outcomesOf(await world.report([february, { metric: 'calls', add: 2 }]))).toEqual([
      'recorded',
      'recorded',
    ])
    expect(await world.current('calls')).toMatchObject({ net: 2, late: 0 })
    expect(await world.shown('calls')).toBe(2)

    setClock(at('2026-03-08T00:00:00Z'))
    expect(outcomesOf(await world.report([{ ...february, add: 4 }]))).toEqual(['booked-late'])
    expect(await world.current('calls')).toMatchObject({ net: 6, gross: 6, late: 4 })
    const { items } = await world.usage('calls', {
      from: '2026-02-01T00:00:00Z',
      to: '2026-04-01T00:00:00Z',
      by: 'month',
    })
    expect(items).toMatchObject([
      { value: 7, late: 0 },
      { value: 6, late: 4 },
    ])
  })
})

describe('a correction', () => {
  test('keeps what was reported, and never takes away more than that', async () => {
    const world = await aWorld(api)
    await world.sell(10)
    await world.report([{ metric: 'calls', add: 10 }])
    expect(outcome(await world.correct({ adjust: -11 }))).toBe('409 USAGE_BELOW_ZERO')
    expect(outcome(await world.correct({ adjust: -4 }))).toBe('201')
    expect(await world.current('calls')).toMatchObject({ gross: 10, corrected: -4, net: 6 })
    // What was taken away may be used again.
    expect(outcomesOf(await world.report([{ metric: 'calls', add: 4 }]))).toEqual(['recorded'])
    expect(outcome(await world.correct({ adjust: 3 }))).toBe('201')
    expect(await world.current('calls')).toMatchObject({ gross: 14, corrected: -1, net: 13 })

    const path = `/v1/tenants/${world.tenant.id}/usage/corrections`
    const query = { product: world.product.code }
    const { body } = await api.call('GET', path, { token: world.admin, query })
    expect(body).toMatchObject({
      items: [
        { adjust: 3, reason: 'a mistake' },
        { adjust: -4, reason: 'a mistake' },
      ],
    })
    const events = await api.call('GET', `/v1/tenants/${world.tenant.id}/events`, { token: world.admin })
    const { items } = z.object({ items: z.array(z.looseObject({ type: z.string() })) }).parse(events.body)
    expect(items.filter(({ type }) => type === 'usage.corrected')).toMatchObject([
      { reason: 'a mistake', after: { metric: 'calls', adjust: 3 } },
      { reason: 'a mistake', after: { metric: 'calls', adjust: -4 } },
    ])
  })

  test('of a counter in shards is exact, too', async () => {
    const world = await aWorld(api)
    await world.sell('unlimited')
    await world.report([{ metric: 'hits', add: 1_000_000 }])
    for (let count = 0; count < 20; count += 1) await world.report([{ metric: 'hits', add: 1 }])
    expect(await world.shown('hits')).toBeGreaterThan(1_000_020)
    expect(outcome(await world.correct({ metric: 'hits', adjust: -1_000_021 }))).toBe('409 USAGE_BELOW_ZERO')
    expect(outcome(await world.correct({ metric: 'hits', adjust: -1_000_019 }))).toBe('201')
    expect(await world.current('hits')).toMatchObject({ gross: 1_000_020, net: 1 })
    expect(await world.shown('hits')).toBe(1)
  })

  test('under an id of the caller is made once', async () => {
    const world = await aWorld(api)
    await world.report([{ metric: 'calls', add: 10 }])
    const id = world.id()
    const first = await world.correct({ id, adjust: -2 })
    expect(first.body).toMatchObject({ outcome: 'recorded' })
    const again = await world.correct({ id, adjust: -2 })
    expect(again.body).toEqual({ ...Object(first.body), outcome: 'already-recorded' })
    expect(outcome(await world.correct({ id, adjust: -3 }))).toBe('409 USAGE_CONFLICT')
    expect((await world.current('calls')).net).toBe(8)
  })

  test('is of counters, by those who administer', async () => {
    const world = await aWorld(api)
    expect(outcome(await world.correct({ metric: 'users', adjust: 1 }))).toBe('422 USAGE_UNKNOWN_METRIC')
    expect(outcome(await world.correct({ adjust: 0 }))).toBe('400 INVALID_REQUEST')
    expect(outcome(await world.correct({ adjust: 1 }, { token: world.app }))).toBe('403 FORBIDDEN')
  })
})

describe('the series of a metric', () => {
  test('has 25 hours on the day the clock goes back, and the day adds them up', async () => {
    const world = await aWorld(api, { timeZone: 'Europe/Berlin' })
    const begin = at('2026-10-24T22:00:00Z')
    stopClock(at('2026-10-26T00:00:00Z'))
    const records = Array.from({ length: 25 }, (_, hour) => ({
      metric: 'calls',
      add: hour + 1,
      at: plusMilliseconds(begin, hour * HOUR),
    }))
    expect(outcome(await world.report(records))).toBe('200')
    const day = { from: begin, to: '2026-10-25T23:00:00Z' }
    const hours = await world.usage('calls', { ...day, by: 'hour' })
    expect(hours.items.map(({ value }) => value)).toEqual(records.map(({ add }) => add))
    const days = await world.usage('calls', { from: '2026-10-23T22:00:00Z', to: '2026-10-26T12:00:00Z' })
    expect(days.items.map(({ value, reported }) => [value, reported])).toEqual([
      [0, false],
      [325, true],
      [0, false],
    ])
  })

  test('of a gauge has gaps where nothing was reported', async () => {
    const world = await aWorld(api)
    stopClock(at('2026-05-01T10:10:00Z'))
    const users = (value: number, minute: string) => ({
      metric: 'users',
      value,
      at: `2026-05-01T${minute}:00Z`,
    })
    await world.report([users(5, '07:05'), users(9, '07:55'), users(3, '09:00')])
    const day = { from: '2026-05-01T07:00:00Z', to: '2026-05-01T10:00:00Z' }
    const { items } = await world.usage('users', { ...day, by: 'hour' })
    expect(items.map(({ value }) => value)).toEqual([9, null, 3])
    const [whole] = (await world.usage('users', day)).items
    expect(whole).toMatchObject({ value: 3, least: 3, most: 9 })
  })

  test('is bounded', async () => {
    const world = await aWorld(api)
    const ask = (query: object) =>
      api.call('GET', `/v1/tenants/${world.tenant.id}/usage`, {
        token: world.admin,
        query: { product: world.product.code, metric: 'calls', ...query },
      })
    const from = '2026-01-01T00:00:00Z'
    expect(outcome(await ask({ from, to: '2026-02-01T00:00:00Z', by: 'hour' }))).toBe('200')
    expect(outcome(await ask({ from, to: '2026-02-01T01:00:00Z', by: 'hour' }))).toBe('400 INVALID_REQUEST')
    expect(outcome(await ask({ from, to: from }))).toBe('400 INVALID_REQUEST')
    // The month that it would end with lies beyond the years there are.
    const never = { from: '9999-12-31T00:00:00Z', to: '9999-12-31T01:00:00Z', by: 'month' }
    expect(outcome(await ask(never))).toBe('400 INVALID_REQUEST')
    expect(outcome(await ask({ from, metric: 'none' }))).toBe('400 INVALID_REQUEST')
  })
})
