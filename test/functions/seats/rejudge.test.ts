import { afterAll, expect, test } from 'vitest'
import { Instant } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { costOf } from '../../support/cost.ts'
import { createPeople, metricsOf } from '../../support/people.ts'
import { createPlan } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)

test('who was not allowed a seat where the person works has one by itself once a license covers the place', async () => {
  const people = await createPeople(api, { learners: 1 })
  await people.act(people.license.id, 'suspend')
  const german = await createPlan(api, people.product.id, {
    limits: { learners: 1 },
    features: {},
    graceDays: 0,
    rules: { countries: { allow: ['DE'] } },
  })
  const narrow = await people.issue({ planId: german.id })
  const eve = await people.add({ roles: ['author'], usageLocation: 'FR' })
  expect(eve.pending).toMatchObject([{ reason: 'NOT_ALLOWED_HERE' }])
  const { version } = (await seatRows(api.table, people.tenantId)).users[0] ?? {}
  const run = (scheduledAt: string) => api.run('serveSeatQueues', Instant.parse(scheduledAt))
  await run('2030-01-01T00:00:00Z')
  // Who is not concerned is not written.
  expect((await seatRows(api.table, people.tenantId)).users[0]?.version).toBe(version)
  await people.act(narrow.id, 'suspend')
  await people.act(people.license.id, 'reinstate')
  await run('2030-01-01T00:05:00Z')
  expect(await people.read(eve.id)).toMatchObject({ pending: [] })
  expect(metricsOf(await people.read(eve.id))).toEqual(['learners'])
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('all who are blocked have their turn, however many wait longer, and over as many runs as it takes', async () => {
  const people = await createPeople(api, { learners: 1 })
  const of = (country: string) => ({
    limits: { learners: 50 },
    features: {},
    graceDays: 0,
    rules: { countries: { allow: [country] } },
  })
  const narrow = await createPlan(api, people.product.id, of('DE'))
  await people.act(people.license.id, 'suspend')
  await people.issue({ planId: narrow.id })
  for (let count = 0; count < 26; count += 1)
    expect((await people.add({ roles: ['author'], usageLocation: 'FR' })).seats).toEqual([])
  const last = await people.add({ roles: ['author'], usageLocation: 'AT' })
  await people.issue({ planId: (await createPlan(api, people.product.id, of('AT'))).id })

  const scheduledAt = Instant.parse('2030-01-01T01:00:00Z')
  const seats = async () => metricsOf(await people.read(last.id))
  // Time for one page of people each: whoever is delivered again goes on where it stopped.
  await expect(api.run('serveSeatQueues', scheduledAt, 1_000)).rejects.toThrow('ran out of time')
  expect(await seats()).toEqual([])
  await expect(api.run('serveSeatQueues', scheduledAt, 1_000)).rejects.toThrow('ran out of time')
  expect(await seats()).toEqual(['learners'])
  await api.run('serveSeatQueues', scheduledAt)
  expect(await people.waiting('learn', { blocked: 'true' })).toHaveLength(26)

  // Nothing is another since: nobody is looked at again.
  const cost = await costOf(api, () => api.run('serveSeatQueues', Instant.parse('2030-01-01T01:05:00Z')))
  expect(cost['Query']).toBeLessThan(20)
})

test('who waits for what it no longer needs is passed over, and goes on waiting for the rest', async () => {
  const people = await createPeople(api, { learners: 1, users: 1 })
  const [holder] = [await people.hire('author'), await people.hire('student')]
  const head = await people.hire('author', 'student')
  const next = await people.hire('reader')
  const { id, modules, revision } = people.product
  const body = { modules: modules.map((one) => (one.code === 'learn' ? { ...one, seat: LEARN } : one)) }
  const edit = { token: await api.token('vendor:admin'), body, headers: { 'if-match': `"${revision}"` } }
  expected(200, await api.call('PATCH', `/v1/products/${id}`, edit))
  expected(200, await people.archive(holder.id))
  expect(await people.read(head.id)).toMatchObject({ seats: [], pending: [{ metric: 'users' }] })
  expect(metricsOf(await people.read(next.id))).toEqual(['learners'])
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})
const LEARN = { metric: 'learners', roles: ['reader'] }
