import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SHARDS } from '../../../shared/domain/meter-block.ts'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { tally, times } from '../../support/parallel.ts'
import { aWorld } from './world.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

/** One counter in its row, one in shards. */
describe.each(['calls', 'hits'])('additions to %s at the same time', (metric) => {
  test('20 on an allowance of 5 that are left take exactly 5', async () => {
    const world = await aWorld(api)
    await world.sell(25)
    await world.report([{ metric, add: 20 }])
    const answers = await times(20, () => world.report([{ metric, add: 1 }]))
    expect(tally(answers.map(outcome))).toEqual({ '200': 5, '409 ALLOWANCE_EXHAUSTED': 15 })
    expect(await world.current(metric)).toMatchObject({ net: 25 })
    expect(await world.shown(metric)).toBe(25)
  })

  test('after a cut take no more than what is left then, whatever shards had in hand', async () => {
    const world = await aWorld(api)
    const { license } = await world.sell(100_000)
    await world.report([{ metric, add: 60_000 }])
    await times(20, () => world.report([{ metric, add: 1 }]))
    expect([await world.foreseen(metric, 39_980), await world.foreseen(metric, 39_981)]).toEqual([
      'OK',
      'ALLOWANCE_EXHAUSTED',
    ])
    const path = `/v1/licenses/${license.id}`
    const { headers } = await api.call('GET', path, { token: world.vendor })
    const edit = { limits: { [metric]: 60_022 } }
    const edited = await api.call('PATCH', path, {
      token: world.vendor,
      body: edit,
      headers: { 'if-match': headers['etag'] ?? '' },
    })
    expect(outcome(edited)).toBe('200')
    const answers = await times(8, () => world.report([{ metric, add: 1 }]))
    expect(tally(answers.map(outcome))).toEqual({ '200': 2, '409 ALLOWANCE_EXHAUSTED': 6 })
    expect(await world.current(metric)).toMatchObject({ net: 60_022 })
  })

  test('while the license is suspended: none of them is taken once that is done', async () => {
    const world = await aWorld(api)
    const { license } = await world.sell(1000)
    const early = times(8, () => world.report([{ metric, add: 1 }]))
    expect(outcome(await world.act(license.id, 'suspend'))).toBe('200')
    const { net } = await world.current(metric)
    const late = await times(4, () => world.report([{ metric, add: 1 }]))
    expect(tally(late.map(outcome))).toEqual({ '409 ALLOWANCE_EXHAUSTED': 4 })
    await early
    expect((await world.current(metric)).net).toBe(net)
  })

  test('12 that repeat each other under 4 ids count 4', async () => {
    const world = await aWorld(api)
    await world.sell('unlimited')
    const ids = Array.from({ length: 4 }, () => world.id())
    await times(12, (index) => world.report([{ metric, add: 3, id: ids[index % 4] }]))
    expect((await world.current(metric)).net).toBe(12)
    const { items } = await world.usage(metric, { from: '2026-01-01T00:00:00Z', by: 'month' })
    expect(items.reduce((sum, { value }) => sum + (value ?? 0), 0)).toBe(12)
  })

  test('among corrections lose none and never fall below zero', async () => {
    const world = await aWorld(api)
    await world.sell('unlimited')
    await world.report([{ metric, add: 50_000 }])
    const [added, corrected] = await Promise.all([
      times(12, () => world.report([{ metric, add: 2 }])),
      times(6, () => world.correct({ metric, adjust: -20_000 })),
    ])
    expect(tally(added.map(outcome))).toEqual({ '200': 12 })
    const taken = corrected.filter(({ status }) => status === 201).length
    expect(taken).toBe(2)
    expect(await world.current(metric)).toMatchObject({ gross: 50_024, corrected: -40_000, net: 10_024 })
  })
})

test('a counter in shards does not write to its row for each addition, and is read at no more cost', async () => {
  const world = await aWorld(api)
  const { key } = await world.sell('unlimited')
  await world.report([{ metric: 'hits', add: 1_000_000 }])
  const additions = 2 * SHARDS
  const shown = [await world.shown('hits')]
  for (let count = 0; count < additions; count += 1) {
    await world.report([{ metric: 'hits', add: 1 }])
    shown.push(await world.shown('hits'))
  }
  const changes = new Set(shown).size - 1
  // Each shard takes its first block of 64.
  expect(changes).toBeLessThanOrEqual(SHARDS)
  expect(shown.at(-1)).toBe(1_000_000 + 64 * changes)
  expect((await world.current('hits')).net).toBe(1_000_000 + additions)

  const validate = () => api.call('POST', '/v1/validate', { body: { key } })
  await validate()
  const before = api.dynamoCalls()
  expect(outcome(await validate())).toBe('200')
  expect((api.dynamoCalls()['Query'] ?? 0) - (before['Query'] ?? 0)).toBe(1)
  expect((api.dynamoCalls()['BatchGetItem'] ?? 0) - (before['BatchGetItem'] ?? 0)).toBe(0)
})
