import { afterAll, expect, test } from 'vitest'
import { startApi } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { Answered, expected } from '../../support/scenario.ts'

// Of a license for named users: has who asks a seat, where the tenant manages them here?
const api = await startApi()
afterAll(api.stop)

async function world(limits: Record<string, number>) {
  const people = await createPeople(api, limits)
  const key = await people.keyOf(people.license.id)
  const ask = async (userId: string) =>
    Answered.parse(expected(200, await api.call('POST', '/v1/validate', { body: { key, userId } })))
  const codeOf = async (userId: string) => (await ask(userId)).code
  return { ...people, ask, codeOf }
}

test('says whether a person has a seat, waits for one and why, or may not work', async () => {
  const { ask, codeOf, ...people } = await world({ learners: 2 })
  const held = await people.hire('author')
  const suspended = await people.hire('author')
  const waiting = await people.hire('author')
  const without = await people.hire()
  const unlicensed = await people.hire('observer')
  expect(await ask(held.id)).toMatchObject({ valid: true, code: 'VALID', findings: [], unchecked: [] })
  expect(await ask(waiting.id)).toMatchObject({
    valid: false,
    code: 'SEAT_PENDING',
    detail: 'The person who asks waits for a seat (NO_CAPACITY): all learners are taken.',
    unchecked: [],
  })
  expect((await ask(unlicensed.id)).detail).toContain('(NOT_LICENSED)')
  expect(await ask(without.id)).toMatchObject({ valid: false, code: 'SEAT_REQUIRED', unchecked: [] })
  // Who is nobody is told nothing else.
  expect((await ask('nobody')).findings).toEqual((await ask(without.id)).findings)

  await people.edit(suspended.id, { status: 'suspended' })
  await people.archive(held.id)
  expect([await codeOf(suspended.id), await codeOf(held.id)]).toEqual(['USER_INACTIVE', 'USER_INACTIVE'])
  expect(await codeOf(waiting.id)).toBe('VALID')
})

test('leaves the person unchecked until seats are managed here, and no longer', async () => {
  const { ask, ...people } = await world({ learners: 2 })
  const ada = await people.hire()
  expect(await ask(ada.id)).toMatchObject({ valid: true, unchecked: ['userId'] })
  // Places that are kept for an organization are nobody's seats.
  await people.reserve((await people.organize('School')).id, 1)
  expect(await ask('nobody')).toMatchObject({ valid: true, unchecked: ['userId'] })
  await people.edit(ada.id, { roles: ['author'] })
  expect(await ask(ada.id)).toMatchObject({ valid: true, unchecked: [] })
  expect(await ask('nobody')).toMatchObject({ valid: false, unchecked: [] })
})

test('an external id is whose it is now, whoever had it', async () => {
  const { codeOf, ...people } = await world({ learners: 1 })
  const first = await people.add({ roles: ['author'], externalId: 'ada' })
  expect(await codeOf('ada')).toBe('VALID')
  await people.edit(first.id, { externalId: null })
  expect(await codeOf('ada')).toBe('SEAT_REQUIRED')
  await people.add({ externalId: 'ada', roles: ['author'] })
  expect([await codeOf('ada'), await codeOf(first.id)]).toEqual(['SEAT_PENDING', 'VALID'])
})

test('knows nobody of another tenant', async () => {
  const [own, other] = [await world({ learners: 2 }), await world({ learners: 2 })]
  await own.hire('author')
  const stranger = await other.hire('author')
  expect([await own.codeOf(stranger.id), await other.codeOf(stranger.id)]).toEqual(['SEAT_REQUIRED', 'VALID'])
})
