import { TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { readClock } from '../../../shared/platform/time.ts'
import { organizationItem } from '../../../shared/store/organization.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { outcome, startApi } from '../../support/api.ts'
import { createPeople, metricsOf } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'

const api = await startApi()
afterAll(api.stop)

test('what a hand revoked no role gives back, until a hand gives it', async () => {
  const people = await createPeople(api, { learners: 1 })
  const person = await people.hire('author')
  expect(outcome(await people.seat(person.id, '/revoke', 'learn'))).toBe('200')
  expect(outcome(await people.edit(person.id, { roles: ['author', 'reader'] }))).toBe('200')
  expect(await people.read(person.id)).toMatchObject({ seats: [], pending: [] })
  expect(outcome(await people.seat(person.id, '', 'learn', { pinned: true }))).toBe('200')
  expect((await people.read(person.id)).seats).toMatchObject([{ pinned: true }])
  const policy = (body: object) => people.call('PATCH', '/seats/policy', { body })
  expect(outcome(await policy({ onShortage: 'refuse' }))).toBe('200')
  expect(outcome(await people.create({ roles: ['author'] }))).toBe('409 SEATS_EXHAUSTED')
  const other = await people.hire()
  const refused = await people.seat(other.id, '', 'learn')
  expect(refused.body).toMatchObject({ pool: { capacity: 1, used: 1, waiting: 0 } })
  // A pinned seat is nobody's to take.
  expect(JSON.stringify(refused.body)).not.toContain(person.id)
  await people.seat(person.id, '/pin', 'learn', { pinned: false })
  expect(JSON.stringify((await people.seat(other.id, '', 'learn')).body)).toContain(person.id)
})

test('who is told that all seats are taken is told of nobody whom it may not know', async () => {
  const people = await createPeople(api, { learners: 1 })
  const organization = await people.organize('Elsewhere')
  const holder = await people.hire('author')
  const own = await people.add({ organizationId: organization.id })
  const body = { name: 'Its administrator', role: 'org:admin', organizationId: organization.id }
  const admin = { ...body, tenantId: people.tenantId }
  const made = await api.call('POST', '/v1/tokens', { token: await api.token('vendor:admin'), body: admin })
  const { token } = z.object({ token: z.string() }).parse(expected(201, made))
  const order = { product: people.product.code, module: 'learn' }
  const refused = await people.call('POST', `/users/${own.id}/seats`, { body: order, token })
  expect(outcome(refused)).toBe('409 SEATS_EXHAUSTED')
  expect(JSON.stringify(refused.body)).not.toContain(holder.id)
  expect(JSON.stringify((await people.seat(own.id, '', 'learn')).body)).toContain(holder.id)
})

test('within the cooldown no hand passes a seat on, in whatever way; who leaves frees it at once', async () => {
  const people = await createPeople(api, { learners: 1 })
  await people.call('PATCH', '/seats/policy', { body: { cooldown: 'P90D' } })
  const [first, second, third] = [
    await people.hire('author'),
    await people.hire('author'),
    await people.hire('author'),
  ]
  expect(outcome(await people.seat(first.id, '/revoke', 'learn'))).toBe('409 SEAT_COOLDOWN')
  expect(outcome(await people.edit(first.id, { roles: [] }))).toBe('409 SEAT_COOLDOWN')
  const body = { action: { do: 'remove-roles', roles: ['author'] }, users: [first.id], dryRun: true }
  const bulk = z.object({ id: z.string() }).parse(expected(201, await people.call('POST', '/bulk', { body })))
  const rows = await people.call('GET', `/bulk/${bulk.id}/rows`)
  expect(rows.body).toMatchObject({ items: [{ outcome: 'refused', code: 'SEAT_COOLDOWN' }] })
  // Another role that needs the same is no hop.
  expect(outcome(await people.edit(first.id, { roles: ['reader'] }))).toBe('200')
  const override = { override: true }
  expect(outcome(await people.seat(first.id, '/revoke', 'learn', override))).toBe('400 INVALID_REQUEST')
  const reason = 'given to the wrong person'
  expect(outcome(await people.seat(first.id, '/revoke', 'learn', { ...override, reason }))).toBe('200')
  expect(metricsOf(await people.read(second.id))).toEqual(['learners'])
  expect(outcome(await people.archive(second.id))).toBe('200')
  expect(metricsOf(await people.read(third.id))).toEqual(['learners'])
})

test('reserved seats are kept for an organization and those below it', async () => {
  const people = await createPeople(api, { learners: 3 })
  const upper = await people.organize('Upper')
  const lower = await people.organize('Lower', upper.id)
  expect(await people.reserve(upper.id, 2)).toMatchObject({ seats: 2, used: 0 })
  await people.hire('author')
  const outside = await people.hire('author')
  expect(outside).toMatchObject({ seats: [], pending: [{ reason: 'NO_CAPACITY' }] })
  const inside = await people.add({ organizationId: lower.id, roles: ['author'] })
  expect(await people.read(inside.id)).toMatchObject({ seats: [{ reservedBy: upper.id }] })
  expect(await people.module('learn')).toMatchObject({ assigned: 2, reserved: 1, available: 0, pending: 1 })
  expect(outcome(await people.edit(inside.id, { organizationId: null }))).toBe('200')
  expect(metricsOf(await people.read(inside.id))).toEqual([])
  await people.reserve(upper.id, 1)
  expect(metricsOf(await people.read(outside.id))).toEqual(['learners'])
  expect(outcome(await people.edit(inside.id, { organizationId: lower.id }))).toBe('200')
  expect(metricsOf(await people.read(inside.id))).toEqual(['learners'])
})

test('what is done is done, though those who wait for it cannot be served at the moment', async () => {
  const people = await createPeople(api, { learners: 1 })
  const [first, second] = [await people.hire('author'), await people.hire('author')]
  let isDone = false
  const undo = interposeAll(async ({ input }, send) => {
    if (isDone) throw new Error('out of order')
    const answer = await send()
    isDone = JSON.stringify(input).includes('seat.revoked-by-hand')
    return answer
  })
  expect(outcome(await people.seat(first.id, '/revoke', 'learn'))).toBe('200')
  undo()
  expect(metricsOf(await people.read(second.id))).toEqual([])
  await api.run('serveSeatQueues')
  expect(metricsOf(await people.read(second.id))).toEqual(['learners'])
})

test('no organization is archived while seats are reserved for it', async () => {
  const people = await createPeople(api, { learners: 1 })
  const { id } = await people.organize('Closing')
  let isReserved = false
  const undo = interposeAll(async ({ input }, send) => {
    if (!isReserved && JSON.stringify(input).includes('organization.archived')) {
      isReserved = true
      await people.reserve(id, 1)
    }
    return send()
  })
  expect(outcome(await people.call('POST', `/organizations/${id}/archive`))).toBe('409 IN_USE')
  undo()
  await people.reserve(id, 0)
  expect(outcome(await people.call('POST', `/organizations/${id}/archive`))).toBe('200')
})

test('nobody comes back into an organization that is archived meanwhile', async () => {
  const people = await createPeople(api, { learners: 1 })
  const { id: organizationId } = await people.organize('Closing')
  const { id } = await people.add({ organizationId })
  expected(200, await people.archive(id))
  let isArchived = false
  const undo = interposeAll(async ({ input }, send) => {
    if (!isArchived && JSON.stringify(input).includes('user.restored')) {
      isArchived = true
      expected(200, await people.call('POST', `/organizations/${organizationId}/archive`))
    }
    return send()
  })
  expect(outcome(await people.call('POST', `/users/${id}/restore`, { body: {} }))).toBe('200')
  undo()
  expect((await people.read(id)).organizationId).toBeUndefined()
})

test('seats that an archived organization is reserved can be let go', async () => {
  const people = await createPeople(api, { learners: 1 })
  const organization = await people.organize('Closed')
  await people.reserve(organization.id, 1)
  // As it could be while an organization was archived beside the first seats that were reserved for it.
  const archivedAt = readClock()
  await writeRow(api.table, {
    kind: 'put',
    item: organizationItem({ ...organization, archivedAt, revision: 2 }),
  })
  expect(await people.reserve(organization.id, 0)).toMatchObject({ seats: 0 })
  expect(metricsOf(await people.hire('author'))).toEqual(['learners'])
})

test('when capacity falls nothing is taken: the excess is shown with who is in it, and new seats are refused', async () => {
  const people = await createPeople(api, { learners: 1 })
  const more = await people.issue({ type: 'TOPUP', extends: people.license.id, limits: { learners: 2 } })
  const all = [await people.hire('author'), await people.hire('author'), await people.hire('author')]
  const [first, second, third] = all.map(({ id }) => id)
  await people.seat(third ?? '', '/pin', 'learn')
  expect(outcome(await people.act(more.id, 'suspend'))).toBe('200')
  const board = await people.module('learn')
  expect(board).toMatchObject({
    licensed: 1,
    assigned: 3,
    available: 0,
    excess: { seats: 2, isOverdue: false },
  })
  const query = { product: people.product.code, module: 'learn' }
  const { body } = await people.call('GET', '/seats/excess', { query })
  expect(body).toMatchObject({ excess: 2, items: [{ userId: second }, { userId: first }] })
  const newcomer = await people.hire()
  expect(outcome(await people.seat(newcomer.id, '', 'learn'))).toBe('409 SEATS_EXHAUSTED')
})

test('whoever finds all seats taken, and has one freed before it is written, gets that one and does not wait', async () => {
  const people = await createPeople(api, { learners: 1 })
  const holder = await people.hire('author')
  let isFreed = false
  const undo = interposeAll(async ({ command }, send) => {
    if (command === 'TransactWriteItemsCommand' && !isFreed) {
      isFreed = true
      expected(200, await people.archive(holder.id))
    }
    return send()
  })
  const next = await people.hire('author')
  undo()
  expect(metricsOf(next)).toEqual(['learners'])
})

test('whoever finds its reserved seats taken, and has one freed before it is written, does not wait either', async () => {
  const people = await createPeople(api, { learners: 2 })
  const { id: organizationId } = await people.organize('Upper')
  await people.reserve(organizationId, 1)
  await people.hire('author')
  const holder = await people.add({ organizationId, roles: ['author'] })
  let isFreed = false
  const undo = interposeAll(async ({ command }, send) => {
    if (command === 'TransactWriteItemsCommand' && !isFreed) {
      isFreed = true
      expected(200, await people.archive(holder.id))
    }
    return send()
  })
  const next = await people.add({ organizationId, roles: ['author'] })
  undo()
  expect(next).toMatchObject({ seats: [{ reservedBy: organizationId }], pending: [] })
})

test('whoever has a seat reserved that no license gives any more waits for it', async () => {
  const people = await createPeople(api, { learners: 1 })
  const more = await people.issue({ type: 'TOPUP', extends: people.license.id })
  const { id: organizationId } = await people.organize('Upper')
  await people.reserve(organizationId, 1)
  await people.hire('author')
  expected(200, await people.act(more.id, 'suspend'))
  const inside = await people.add({ organizationId, roles: ['author'] })
  expect(inside).toMatchObject({ seats: [], pending: [{ reason: 'NO_CAPACITY' }] })
})

test.each([
  [3, 'in the same request', ['learners']],
  [12, 'by the job', []],
])(
  'of a freed seat, where %i writes of others come first, who waits is served %s',
  async (overtaken, _, has) => {
    const people = await createPeople(api, { learners: 1 })
    const [first, second] = [await people.hire('author'), await people.hire('author')]
    let [isFreed, left] = [false, overtaken]
    const undo = interposeAll(async ({ command, input }, send) => {
      if (command !== 'TransactWriteItemsCommand') return send()
      if (isFreed && left > 0) {
        left -= 1
        throw new TransactionCanceledException({
          message: 'injected',
          $metadata: {},
          CancellationReasons: sent(input).map((_, index) => ({
            Code: index === 0 ? 'ConditionalCheckFailed' : 'None',
          })),
        })
      }
      isFreed = true
      return send()
    })
    expect(outcome(await people.seat(first.id, '/revoke', 'learn'))).toBe('200')
    undo()
    expect(metricsOf(await people.read(second.id))).toEqual(has)
    await api.run('serveSeatQueues')
    expect(metricsOf(await people.read(second.id))).toEqual(['learners'])
  },
)

const sent = (input: unknown) => z.object({ TransactItems: z.array(z.unknown()) }).parse(input).TransactItems

test('who is told that all seats are taken is told how many are reserved, and of nobody who is on leave', async () => {
  const people = await createPeople(api, { learners: 2 })
  const { id: organizationId } = await people.organize('Upper')
  const holder = await people.hire('author')
  const other = await people.hire()
  const told = async () =>
    z.object({ detail: z.string() }).parse((await people.seat(other.id, '', 'learn')).body).detail
  await people.reserve(organizationId, 1)
  expect(await told()).toMatch(/^1 of 2 seats of learn are assigned, 1 are reserved\. .*reclaimed/)
  expected(200, await people.edit(holder.id, { onLeaveUntil: '2099-01-01T00:00:00Z' }))
  expect(await told()).not.toContain(holder.id)
  expected(200, await people.edit(holder.id, { onLeaveUntil: '2020-01-01T00:00:00Z' }))
  expect(await told()).toContain(holder.id)
  await people.reserve(organizationId, 0)
  await people.hire('author')
  expect(await told()).toMatch(/^2 of 2 seats of learn are assigned\. /)
})
