import { afterAll, afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { PersonView } from '../../../shared/domain/user.ts'
import { DAY, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPeople, metricsOf } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => {
  vi.useRealTimers()
})

const Requests = z.object({ items: z.array(z.looseObject({ userId: z.string(), state: z.string() })) })

async function world(seats: number) {
  const people = await createPeople(api, { learners: seats })
  const app = await api.token('tenant:app', people.tenantId)
  const send = (
    userId: string,
    action: '' | '/grant' | '/refuse' | '/withdraw',
    body: object,
    token?: string,
  ) =>
    people.call('POST', `/users/${userId}/seats/requests${action}`, {
      body: { product: people.product.code, module: 'learn', ...body },
      ...(token && { token }),
    })
  return {
    people,
    ask: (userId: string) => send(userId, '', { reason: 'for the course' }, app),
    grant: (userId: string, token?: string) => send(userId, '/grant', {}, token),
    refuse: (userId: string) => send(userId, '/refuse', { reason: 'not this term' }),
    withdraw: (userId: string) => send(userId, '/withdraw', {}, app),
    asApp: (userId: string) => send(userId, '/grant', {}, app),
    list: async (query: Record<string, string> = {}, token?: string) =>
      Requests.parse(
        expected(200, await people.call('GET', '/seats/requests', { query, ...(token && { token }) })),
      ).items.map(({ userId, state }) => [userId, state]),
  }
}

test('a person asks, an administrator grants once, and who asked gets the seat', async () => {
  const { people, ask, grant, asApp, list } = await world(2)
  const { id } = await people.hire()
  expect(outcome(await grant(id))).toBe('404 NOT_FOUND')
  expect((await times(3, () => ask(id))).map(outcome).toSorted()).toEqual([
    '201',
    '409 SEAT_REQUEST_OPEN',
    '409 SEAT_REQUEST_OPEN',
  ])
  expect(await list({ state: 'open' })).toEqual([[id, 'open']])
  expect(outcome(await asApp(id))).toBe('403 FORBIDDEN')
  const answers = await times(3, () => grant(id))
  expect(answers.map(outcome).toSorted()).toEqual(['200', '409 SEAT_REQUEST_OVER', '409 SEAT_REQUEST_OVER'])
  const person = await people.read(id)
  expect(person).toMatchObject({
    seats: [{ metric: 'learners', sources: ['direct'] }],
    direct: [{ module: 'learn', reason: 'for the course' }],
  })
  expect(outcome(await ask(id))).toBe('409 SEAT_BLOCKED')
  expect(await list()).toEqual([[id, 'granted']])
  expect(typesOf(await eventsOf(api.table, id, people.tenantId))).toEqual(
    expect.arrayContaining(['seat-request.made', 'seat-request.granted', 'seat.assigned']),
  )
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('who is granted a seat of which none is free waits, in order, or is refused, as the tenant wants', async () => {
  const { people, ask, grant, list } = await world(1)
  const [holder, first, second, third] = [
    await people.hire('author'),
    await people.hire(),
    await people.hire(),
    await people.hire(),
  ]
  for (const { id } of [first, second, third]) expected(201, await ask(id))
  for (const { id } of [second, first])
    expect(PersonView.parse(expected(200, await grant(id))).pending).toMatchObject([
      { reason: 'NO_CAPACITY' },
    ])
  await people.archive(holder.id)
  expect(metricsOf(await people.read(second.id))).toEqual(['learners'])
  expect(metricsOf(await people.read(first.id))).toEqual([])

  expected(200, await people.call('PATCH', '/seats/policy', { body: { onGrant: 'refuse' } }))
  expect(outcome(await grant(third.id))).toBe('409 SEATS_EXHAUSTED')
  expect(await list({ state: 'open' })).toEqual([[third.id, 'open']])
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('a request is refused, withdrawn, or lapses by the clock alone; then it can be made again', async () => {
  stopClock()
  const { people, ask, grant, refuse, withdraw, list } = await world(1)
  const { id } = await people.hire()
  for (const end of [refuse, withdraw]) {
    expected(201, await ask(id))
    expected(200, await end(id))
    expect(outcome(await grant(id))).toBe('409 SEAT_REQUEST_OVER')
  }
  const { lapsesAt } = z.looseObject({ lapsesAt: z.string() }).parse(expected(201, await ask(id)))
  expect(lapsesAt).toBe(plusMilliseconds(readClock(), 14 * DAY))
  advanceClock(14 * DAY - 1)
  expect(await list({ state: 'open' })).toEqual([[id, 'open']])
  advanceClock(1)
  expect(await list({ state: 'open' })).toEqual([])
  expect(await list({ state: 'lapsed' })).toEqual([[id, 'lapsed']])
  expect(outcome(await grant(id))).toBe('409 SEAT_REQUEST_OVER')
  expect(outcome(await withdraw(id))).toBe('409 SEAT_REQUEST_OVER')
  expected(201, await ask(id))
})

test('an administrator of an organization decides for its people, and knows of no others', async () => {
  const { people, ask, grant, list } = await world(2)
  const school = await people.organize('School')
  const token = z.object({ token: z.string() }).parse(
    expected(
      201,
      await api.call('POST', '/v1/tokens', {
        token: await api.token('vendor:admin'),
        body: { name: 'Head', role: 'org:admin', tenantId: people.tenantId, organizationId: school.id },
      }),
    ),
  ).token
  const inside = PersonView.parse(expected(201, await people.create({ organizationId: school.id })))
  const outside = await people.hire()
  for (const { id } of [inside, outside]) expected(201, await ask(id))
  expect(await list({}, token)).toEqual([[inside.id, 'open']])
  expect(outcome(await grant(outside.id, token))).toBe('404 NOT_FOUND')
  expect(outcome(await grant(inside.id, token))).toBe('200')
  // Who came from elsewhere is theirs now, with what it asked for; who went is not.
  expected(200, await people.edit(outside.id, { organizationId: school.id }))
  expected(200, await people.edit(inside.id, { organizationId: null }))
  expect(await list({}, token)).toEqual([[outside.id, 'open']])
})

test('of edits of the policy at the same time none undoes another', async () => {
  const { people } = await world(1)
  const edits = [
    { cureDays: 3 },
    { activeDays: 4 },
    { requestDays: 5 },
    { cooldown: 'P6D' },
    { onGrant: 'refuse' },
  ]
  const edit = (body: object) => people.call('PATCH', '/seats/policy', { body })
  expect((await Promise.all(edits.map(edit))).map(outcome)).toEqual(edits.map(() => '200'))
  expect((await Promise.all([edit({ cooldown: null }), edit({ cureDays: 8 })])).map(outcome)).toEqual([
    '200',
    '200',
  ])
  const { cooldown: _, ...kept } = Object.assign({}, ...edits)
  const now = expected(200, await people.call('GET', '/seats/policy'))
  expect(now).toMatchObject({ ...kept, cureDays: 8 })
  expect(now).not.toHaveProperty('cooldown')
})
