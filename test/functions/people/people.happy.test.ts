import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { DAY, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { userKey } from '../../../shared/store/keys.ts'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'
import { createPeople, metricsOf } from '../../support/people.ts'
import { createPlan, createProduct } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)
const people = await createPeople(api, { learners: 3, exams: 5, guests: 5 })

describe('organizations', () => {
  test('are a tree without a cycle, also when two move at once, and are archived only when empty', async () => {
    const top = await people.organize('Top')
    const [left, right] = [await people.organize('Left', top.id), await people.organize('Right', top.id)]
    const move = (id: string, parentId: string) =>
      people.call('PATCH', `/organizations/${id}`, { body: { parentId }, headers: { 'if-match': '"1"' } })
    expect(outcome(await move(top.id, left.id))).toBe('409 ORGANIZATION_MISPLACED')
    const both = await Promise.all([move(left.id, right.id), move(right.id, left.id)])
    expect(both.map(outcome).toSorted()).toEqual(['200', '409 ORGANIZATION_MISPLACED'])
    expect(outcome(await move(top.id, right.id))).toBe('409 ORGANIZATION_MISPLACED')

    const person = expected(201, await people.create({ organizationId: left.id }))
    expect(person).toMatchObject({ organizationId: left.id })
    const archive = (id: string) => people.call('POST', `/organizations/${id}/archive`)
    expect(outcome(await archive(left.id))).toBe('409 IN_USE')
    expect(outcome(await archive(top.id))).toBe('409 IN_USE')
  })

  test('limit what their administrator sees and changes', async () => {
    const [own, other] = [await people.organize('Own'), await people.organize('Other')]
    const below = await people.organize('Below', own.id)
    const body = { name: 'k', role: 'org:admin', tenantId: people.tenant.id, organizationId: own.id }
    const made = await api.call('POST', '/v1/tokens', { token: await api.token('vendor:admin'), body })
    const { token } = z.object({ token: z.string() }).parse(expected(201, made))
    const [inside, outside] = await Promise.all(
      [below, other].map(({ id }) => people.add({ organizationId: id })),
    )
    const as = (method: string, path: string, sent?: object) =>
      people.call(method, path, { token, ...(sent && { body: sent }) })
    expect(outcome(await as('GET', `/users/${inside?.id}`))).toBe('200')
    expect(outcome(await as('GET', `/users/${outside?.id}`))).toBe('404 NOT_FOUND')
    expect(outcome(await as('POST', `/users/${outside?.id}/archive`, {}))).toBe('404 NOT_FOUND')
    expect(outcome(await as('POST', '/users', { name: 'x', organizationId: other.id }))).toBe('404 NOT_FOUND')
    expect(outcome(await as('POST', '/users', { name: 'x' }))).toBe('404 NOT_FOUND')
    expect(outcome(await as('POST', '/users', { name: 'x', organizationId: own.id }))).toBe('201')
  })
})

test('more seats at once than one transaction takes are refused, and none is given', async () => {
  const codes = Array.from({ length: 45 }, (_, index) => `seat-${index}`)
  const product = await createProduct(api, {
    metrics: codes.map((code) => ({ code, kind: 'gauge' as const })),
    features: [],
    modules: codes.map((code) => ({ code, name: code, seat: { metric: code, roles: ['everything'] } })),
  })
  const limits = Object.fromEntries(codes.map((code) => [code, 5]))
  const plan = await createPlan(api, product.id, { limits, features: {} })
  await people.issue({ planId: plan.id })
  expect(outcome(await people.create({ name: 'Everybody', roles: ['everything'] }))).toBe(
    '422 TOO_MUCH_AT_ONCE',
  )
  const { items } = z
    .object({ items: z.array(z.object({ name: z.string() })) })
    .parse(expected(200, await people.call('GET', '/users')))
  expect(items.map(({ name }) => name)).not.toContain('Everybody')
})

test('addresses are unique whatever their case, free again once changed, and say so to whom they refuse', async () => {
  const first = await people.add({ email: 'Ada@Example.edu', externalId: 'x-1' })
  expect(outcome(await people.create({ email: 'ada@example.EDU' }))).toBe('409 PERSON_EXISTS')
  expect(outcome(await people.create({ externalId: 'x-1' }))).toBe('409 PERSON_EXISTS')
  expect(outcome(await people.edit(first.id, { email: null }))).toBe('200')
  expect(outcome(await people.create({ email: 'ada@example.edu' }))).toBe('201')
})

test('activity is one write a day and hour, and moves the counts of those with seats', async () => {
  const person = await people.hire('author')
  const report = async (at?: string) =>
    expected(
      200,
      await people.call('POST', '/activity', {
        body: { records: [{ userId: person.id, ...(at && { at }) }, { externalId: 'nobody' }] },
      }),
    )
  expect((await people.module('learn')).active).toBe(0)
  const ago = plusMilliseconds(readClock(), -20 * DAY)
  expect(await report(ago)).toEqual({ recorded: 1, unchanged: 0, unknown: [1] })
  expect(await people.module('learn')).toMatchObject({ active: 1, inactive: 0, utilization: 100 })
  expect((await people.module('learn', { days: '19' })).active).toBe(0)
  expect(await report()).toEqual({ recorded: 1, unchanged: 0, unknown: [1] })
  expect(await report()).toEqual({ recorded: 0, unchanged: 1, unknown: [1] })
  expect(await report(ago)).toEqual({ recorded: 0, unchanged: 1, unknown: [1] })
  expect((await people.module('learn', { days: '1' })).active).toBe(1)
  expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
})

test('activity of somebody whom others write each time between is refused, not taken for unchanged', async () => {
  const person = await people.hire('author')
  const undo = interposeAll(async ({ command }, send) => {
    if (command === 'TransactWriteItemsCommand')
      await api.table.client.send(
        new UpdateCommand({
          TableName: api.table.name,
          Key: userKey(people.tenantId, person.id),
          UpdateExpression: 'SET version = version + :one',
          ExpressionAttributeValues: { ':one': 1 },
        }),
      )
    return send()
  })
  const report = () => people.call('POST', '/activity', { body: { records: [{ userId: person.id }] } })
  expect(outcome(await report())).toBe('503 CONTENDED')
  undo()
  expect(expected(200, await report())).toMatchObject({ recorded: 1 })
})

test('a person’s seats follow its place, dependencies and conflicts, and each change has its event', async () => {
  const person = await people.hire('examiner', 'guest')
  expect(metricsOf(person)).toEqual(['guests'])
  expect(person.pending).toMatchObject([{ reason: 'MISSING_DEPENDENCY', because: 'learn' }])
  const next = expected(200, await people.edit(person.id, { roles: ['examiner', 'author'] }))
  expect(next).toMatchObject({ pending: [] })
  const seated = await people.read(person.id)
  expect(metricsOf(seated)).toEqual(['exams', 'learners'])
  // What is so already is no change, in whatever order the seats come from the table.
  const told = await eventsOf(api.table, person.id, people.tenantId)
  expect(outcome(await people.edit(person.id, { name: seated.name }))).toBe('200')
  expect(await eventsOf(api.table, person.id, people.tenantId)).toEqual(told)
  expect(outcome(await people.edit(person.id, { status: 'suspended' }))).toBe('200')
  expect(metricsOf(await people.read(person.id))).toEqual([])
  const events = await eventsOf(api.table, person.id, people.tenantId)
  expect(
    events
      .map(({ type }) => type)
      .filter((type) => type.startsWith('seat.'))
      .toSorted(),
  ).toEqual([
    'seat.assigned',
    'seat.assigned',
    'seat.assigned',
    'seat.freed',
    'seat.freed',
    'seat.freed',
    'seat.pending',
  ])
})
