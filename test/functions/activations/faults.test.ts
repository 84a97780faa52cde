import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { typesOf } from '../../support/events.ts'
import { type Fault, insist, WAYS } from '../../support/faults.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPlan } from '../../support/resources.ts'
import { activatedBy, openShop } from './machines.ts'
import { faultyHandlers, idOf } from './rig.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

test.each(WAYS)('a write was %s: nothing is lost, nothing leaks', async (_, planned) => {
  const shop = await openShop(api, 2)
  const handlers = await faultyHandlers(api, shop, 3)
  const meet = async (ask: () => Promise<unknown>) => idOf(await handlers.meet(planned, ask))
  const rows = async () => (await shop.rows()).map(({ id }) => id)

  const first = await meet(() => handlers.activate(['a', 'mac:a']))
  expect(await rows()).toEqual([first])
  const key = randomUUID()
  const second = await meet(() => handlers.activate(['b'], key))
  expect(await rows()).toEqual([first, second])
  expect(idOf(await handlers.activate(['c']))).toBe('ACTIVATIONS_EXHAUSTED')

  await meet(() => handlers.beat(first))
  expect((await shop.list())[0]).toMatchObject({ state: 'ALIVE' })

  const moveKey = randomUUID()
  const moved = await meet(() => handlers.move(second, ['d'], moveKey))
  expect(await rows()).toEqual([first, moved])

  const goneKey = randomUUID()
  expect(await meet(() => handlers.deactivate(moved, goneKey))).toBe(moved)
  await meet(() => handlers.deactivate(first))
  expect(await rows()).toEqual([])
  expect(await shop.faults()).toEqual([])
  expect(tally(typesOf(await shop.events()))).toEqual({
    'activation.created': 2,
    'activation.moved': 1,
    'activation.deactivated': 2,
  })
  handlers.stop()
})

test('15 at once on 5 places, every third write failing in some way, leave exactly 5', async () => {
  const shop = await openShop(api, 5)
  const handlers = await faultyHandlers(api, shop, 3)
  const order: Fault[] = ['lost', 'throttled', 'twice']
  const answers = await times(15, (index) => {
    const fault = index % 3 === 0 ? order[(index / 3) % 3] : undefined
    if (fault !== undefined) handlers.faults.push(fault)
    return insist(() => handlers.activate([`${index}`]))
  })
  expect(handlers.faults).toEqual([])
  const ids = answers.map(idOf).filter((id) => id !== 'ACTIVATIONS_EXHAUSTED')
  expect(ids.toSorted()).toEqual((await shop.rows()).map(({ id }) => id).toSorted())
  expect(ids).toHaveLength(5)
  expect(await shop.faults()).toEqual([])
  handlers.stop()
})

describe('a grant that was decided, and then overtaken before it was written', () => {
  async function overtaken(
    capacity: number,
    rules: object,
    before: (shop: Awaited<ReturnType<typeof openShop>>) => Promise<unknown>,
  ) {
    const shop = await openShop(api, capacity, rules)
    const handlers = await faultyHandlers(api, shop, 1)
    handlers.faults.push({ before: () => before(shop) })
    const answer = await handlers.activate(['a', 'mac:a'])
    handlers.stop()
    expect(await shop.faults()).toEqual([])
    return { shop, answer: idOf(answer) }
  }

  test.each(['suspend', 'revoke'])('by a %s is refused', async (action) => {
    const { shop, answer } = await overtaken(5, {}, ({ act, license }) => act(license.id, action))
    expect(answer).toBe('LICENSE_NOT_IN_FORCE')
    expect(await shop.rows()).toEqual([])
  })

  test('by a cut of the capacity is refused', async () => {
    const { answer } = await overtaken(1, {}, async ({ license }) => {
      const token = await api.token('vendor:issuer')
      const path = `/v1/licenses/${license.id}`
      const { etag = '' } = (await api.call('GET', path, { token })).headers
      const body = { limits: { machines: 0 }, reason: 'a test' }
      const cut = await api.call('PATCH', path, { token, body, headers: { 'if-match': etag } })
      expect(cut.status).toBe(200)
    })
    expect(answer).toBe('ACTIVATIONS_EXHAUSTED')
  })

  test('by another machine on the last place is refused', async () => {
    const { answer } = await overtaken(1, {}, ({ activate }) => activate(['b']))
    expect(answer).toBe('ACTIVATIONS_EXHAUSTED')
  })

  test('by another machine on the last place of the capacity is overdraft', async () => {
    const { shop, answer } = await overtaken(
      1,
      { overdraft: { kind: 'absolute', units: 1 } },
      ({ activate }) => activate(['b']),
    )
    const own = (await shop.rows()).find(({ id }) => id === answer)
    expect(own?.overdraft).toBe(true)
  })

  test('by the same machine is answered with its activation', async () => {
    let id = ''
    const { answer } = await overtaken(5, {}, async ({ activate }) => {
      id = activatedBy(await activate(['a'])).id
    })
    expect(answer).toBe(id)
  })
})

test('a place that is freed while a license that limits that comes into force counts as freed', async () => {
  const shop = await openShop(api, 2)
  const { id: planId } = await createPlan(api, shop.productId, {
    ...{ allocation: 'node-locked', limits: { machines: 1 }, features: {} },
    rules: { deactivations: { allowed: 1, period: 'P30D' } },
  })
  const { license: limiting } = await shop.issue({ planId })
  await shop.act(limiting.id, 'suspend')
  const { id } = activatedBy(await shop.activate(['a']))
  const handlers = await faultyHandlers(api, shop, 1)
  handlers.faults.push({ before: () => shop.act(limiting.id, 'reinstate') })
  expect(idOf(await handlers.deactivate(id))).toBe(id)
  expect(await shop.pool()).toMatchObject({ used: 0, freed: 1 })
  expect(await shop.faults()).toEqual([])
  handlers.stop()
})

test('a heartbeat that comes while its place is taken saves it', async () => {
  const rules = { heartbeat: { window: 'PT10M', required: true, revive: 'always' } }
  const shop = await openShop(api, 1, rules)
  stopClock()
  const { id } = activatedBy(await shop.activate(['a']))
  advanceClock(11 * MINUTE)
  const handlers = await faultyHandlers(api, shop, 1)
  handlers.faults.push({ before: () => shop.beat(id) })
  expect(idOf(await handlers.activate(['b']))).toBe('ACTIVATIONS_EXHAUSTED')
  expect((await shop.list()).map((one) => [one.id, one.state])).toEqual([[id, 'REVIVED']])
  expect(await shop.faults()).toEqual([])
  handlers.stop()
})
