import { afterAll, afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { DAY } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPeople } from '../../support/people.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected, Issued, inDays } from '../../support/scenario.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => {
  vi.useRealTimers()
})

test('whatever brings seats gives them to those who wait, oldest first, in the same request', async () => {
  stopClock()
  const people = await createPeople(api, { learners: 1 })
  const vendor = await api.token('vendor:admin')
  const post = (path: string, body: object, token = vendor) => api.call('POST', path, { token, body })
  const order = { tenantId: people.tenantId, planId: people.plan.id, limits: { learners: 1 } }
  const sell = async (more: object) =>
    Issued.parse(expected(201, await post('/v1/licenses', { ...order, ...more })))
  const over = await sell({ validFrom: inDays(-400), expiresAt: inDays(-30) })
  const applied = await sell({ applyOn: 'upload' })
  await sell({ validFrom: inDays(3) })
  const stopped = await sell({})
  expect(outcome(await people.act(stopped.license.id, 'suspend'))).toBe('200')
  const line: string[] = []
  for (let count = 0; count < 8; count += 1) {
    const { id } = await people.hire('author')
    line.push(id)
    // Whoever waits longer comes first, and two of one millisecond have waited as long.
    advanceClock(1)
  }
  const waiting = async () => (await people.waiting()).map(({ userId }) => userId)
  line.shift()
  expect(await waiting()).toEqual(line)

  const ways: Record<string, () => Promise<unknown>> = {
    issue: () => sell({ type: 'TOPUP', extends: people.license.id }),
    import: async () => {
      const { customerId } = people.tenant
      const row = {
        reference: people.tenantId,
        customerId,
        planId: people.plan.id,
        validFrom: inDays(0),
        limits: { learners: 1 },
      }
      return expected(200, await post('/v1/licenses/import', { rows: [row] }))
    },
    apply: async () =>
      expected(200, await people.call('POST', '/licenses/upload', { body: { file: applied.file } })),
    renew: async () =>
      expected(
        200,
        await people.act(over.license.id, 'renew', { expiresAt: inDays(300), reason: 'paid at last' }),
      ),
    reinstate: async () => expected(200, await people.act(stopped.license.id, 'reinstate')),
    refresh: async () => {
      advanceClock(4 * DAY)
      return expected(200, await people.call('POST', '/licenses/refresh'))
    },
    transfer: async () => {
      const plan = await createPlan(api, people.product.id, {
        limits: { learners: 1 },
        features: {},
        rules: { transfer: { allowed: true } },
      })
      const giver = await createTenant(api)
      const sold = await sell({ tenantId: giver.id, planId: plan.id })
      const asked = await post(`/v1/licenses/${sold.license.id}/transfers`, {
        reason: 'sold on',
        receiver: people.tenantId,
      })
      const { transfer } = z.object({ transfer: z.object({ id: z.string() }) }).parse(expected(201, asked))
      for (const side of ['giving', 'receiving'])
        expected(200, await post(`/v1/transfers/${transfer.id}/approve`, { side, reason: 'on paper' }))
      return api.run('executeTransfers')
    },
  }
  for (const [way, bring] of Object.entries(ways)) {
    await bring()
    line.shift()
    expect(await waiting(), way).toEqual(line)
  }
  expect(line).toEqual([])
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('who is served keeps its place in the queue of a product that the tenant has no license of', async () => {
  const people = await createPeople(api, { learners: 1 })
  const other = await createProduct(api, {
    metrics: [{ code: 'labs', kind: 'gauge' }],
    features: [],
    modules: [{ code: 'lab', name: 'Lab', seat: { metric: 'labs', roles: [] } }],
  })
  const first = await people.hire('author')
  const { id } = await people.hire('author')
  const body = { product: other.code, module: 'lab', wait: true }
  expect(outcome(await people.call('POST', `/users/${id}/seats`, { body }))).toBe('200')
  await people.archive(first.id)
  expect(await people.read(id)).toMatchObject({
    seats: [{ metric: 'learners' }],
    pending: [{ productId: other.id, reason: 'NOT_LICENSED' }],
  })
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('of many who wait, a license serves some at once, and takes no longer for the others', async () => {
  const people = await createPeople(api, { learners: 1 })
  await times(13, () => people.hire('author'))
  await people.issue({ type: 'TOPUP', extends: people.license.id, limits: { learners: 20 } })
  expect(await people.module('learn')).toMatchObject({ licensed: 21, assigned: 11, pending: 2 })
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('that people hold seats which no license gives any more is told, as the first page shows it', async () => {
  const people = await createPeople(api, { learners: 1 })
  await people.hire('author')
  expected(200, await people.act(people.license.id, 'suspend'))
  const learners = expect.objectContaining({ metric: 'learners', active: 1, capacity: 0 })
  expect(expected(200, await people.call('GET', '/overview'))).toMatchObject({
    products: [{ metrics: expect.arrayContaining([learners]) }],
  })
  expected(200, await people.call('POST', '/validation/runs'))
  const told = await eventsOf(api.table, `${people.product.id}/learners`, people.tenantId)
  expect(told.map(({ type, after }) => [type, after?.['excess']])).toEqual([
    ['capacity.reached', undefined],
    ['capacity.over-allocated', 1],
  ])
})

test('a cure that is overdue, and gets more time, is told again when that is over', async () => {
  stopClock()
  const people = await createPeople(api, { learners: 1 })
  await people.hire('author')
  expected(200, await people.act(people.license.id, 'suspend'))
  const afterDays = async (days: number) => {
    advanceClock(days * DAY)
    expected(200, await people.call('POST', '/validation/runs'))
  }
  await afterDays(0)
  await afterDays(15)
  expected(200, await people.call('PATCH', '/seats/policy', { body: { cureDays: 60 } }))
  await afterDays(1)
  await afterDays(60)
  const told = await eventsOf(api.table, `${people.product.id}/learners`, people.tenantId)
  expect(told.map(({ type }) => type)).toEqual([
    'capacity.reached',
    'capacity.over-allocated',
    'capacity.cure-overdue',
    'capacity.cure-overdue',
  ])
})
