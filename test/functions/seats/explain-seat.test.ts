import { afterAll, expect, test } from 'vitest'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { outcome, startApi } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const people = await createPeople(api, { learners: 1, guests: 1, exams: 1 })
const token = await api.token('tenant:admin', people.tenantId)

const ask = async (body: object) =>
  Explanation.parse(
    expected(
      200,
      await api.call('POST', '/v1/explain', { token, body: { product: people.product.code, ...body } }),
    ),
  )
const stepOf = ({ chain }: Explanation, name: string) => chain.find((one) => one.step === name)

/** Whatever is foreseen of giving a seat is what giving it answers. */
async function agrees(userId: string) {
  const { predictions = [] } = await ask({ userId })
  expect(predictions.length).toBeGreaterThan(0)
  for (const { operation, outcome: foreseen } of predictions) {
    const module = /\((\w+)\)$/.exec(operation)?.[1] ?? ''
    if (foreseen === 'OK') continue
    const code = outcome(await people.seat(userId, '', module))
    expect([module, code]).toEqual([module, `409 ${foreseen}`])
  }
}

test('why somebody can use the product, or cannot, and what cures it', async () => {
  const [ada, bob] = [await people.hire('author'), await people.hire('author', 'guest')]
  const carl = await people.add({ externalId: 'carl', email: 'Carl@Example.edu', roles: ['author'] })
  const has = await ask({ userId: ada.id })
  expect(has.granted).toBe(true)
  expect(stepOf(has, 'seat of learn')?.evidence).toContain('role:author')

  // The seats are what is used, though nothing of them was reported.
  const room = await ask({ metric: 'learners' })
  expect(room.summary).toBe('1 of 1 learners in use; 1 more do not fit, 1 too many.')
  expect(room).not.toHaveProperty('predictions')

  const second = await ask({ userId: 'carl' })
  expect(second).toMatchObject({
    granted: false,
    cures: [{ who: 'nobody' }, { who: 'tenant' }, { costs: 'money' }],
  })
  expect(stepOf(second, 'seat of learn')?.evidence).toContain('NO_CAPACITY, at place 2 of 2')
  expect(stepOf(second, 'learners has a free seat')?.evidence).toBe('1 of 1 assigned, 0 reserved, 2 waiting')
  expect(stepOf(second, 'how long changes take')?.evidence).toContain('immediately')
  expect(second.cures[1]?.cure).toContain(ada.id)
  expect(await ask({ email: 'carl@example.edu' })).toEqual(second)
  for (const { id } of [carl, bob]) await agrees(id)

  expect(outcome(await people.seat(ada.id, '/revoke', 'learn', { reason: 'left the course' }))).toBe('200')
  const withheld = await ask({ userId: ada.id })
  expect(withheld.granted).toBe(false)
  expect(stepOf(withheld, 'learn is needed')?.evidence).toContain('left the course')
  expect((await ask({ userId: bob.id })).granted).toBe(true)

  await people.edit(bob.id, { status: 'suspended' })
  expect(await ask({ userId: bob.id })).toMatchObject({
    granted: false,
    cures: [{ who: 'tenant', costs: 'nothing' }],
  })
  await agrees(bob.id)
  const idle = await people.hire()
  expect((await ask({ userId: idle.id })).summary).toContain('no role of the person needs a seat')
  expect(await ask({ userId: 'nobody' })).toMatchObject({
    granted: false,
    summary: expect.stringContaining('known here'),
  })
})

test('who waits is told how many seats have to be given back, those above what is licensed among them', async () => {
  const shrinking = await createPeople(api, { learners: 1 })
  const more = await shrinking.issue({ limits: { learners: 2 } })
  for (const _ of ['one', 'two', 'three']) await shrinking.hire('author')
  const waits = await shrinking.hire('author')
  const cures = async () => {
    const body = { tenantId: shrinking.tenantId, product: shrinking.product.code, userId: waits.id }
    const token = await api.token('tenant:admin', shrinking.tenantId)
    return Explanation.parse(expected(200, await api.call('POST', '/v1/explain', { token, body }))).cures
  }
  expect((await cures())[0]?.cure).toBe('A seat of learn is given once 1 is given back.')
  expect(outcome(await shrinking.act(more.id, 'revoke'))).toBe('200')
  expect((await cures())[0]?.cure).toBe('A seat of learn is given once 3 are given back.')
})
