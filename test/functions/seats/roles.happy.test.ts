import { afterAll, describe, expect, test } from 'vitest'
import { outcome, startApi } from '../../support/api.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPeople, metricsOf } from '../../support/people.ts'

const api = await startApi()
afterAll(api.stop)

describe('roles give seats', () => {
  test('as many as needed: one of each, or one for both where the tenant has it', async () => {
    const people = await createPeople(api, { learners: 2, observers: 2, both: 1 })
    expect(metricsOf(await people.hire('author'))).toEqual(['learners'])
    expect(metricsOf(await people.hire('observable', 'observer'))).toEqual(['observers'])
    const both = await people.hire('author', 'observer')
    expect(metricsOf(both)).toEqual(['both'])
    expect(both.seats[0]?.sources).toEqual(['role:author', 'role:observer'])
    expect(metricsOf(await people.hire('reader', 'observer'))).toEqual(['learners', 'observers'])
    expect(metricsOf(await people.hire('janitor'))).toEqual([])
    expect(await people.module('learn')).toMatchObject({ licensed: 2, assigned: 2, available: 0, usage: 100 })
  })

  test('and a role without a free seat is kept, and filled oldest first', async () => {
    const people = await createPeople(api, { learners: 1 })
    const [first, second, third] = [
      await people.hire('author'),
      await people.hire('author'),
      await people.hire('reader'),
    ]
    expect(second).toMatchObject({ seats: [], pending: [{ reason: 'NO_CAPACITY', modules: ['learn'] }] })
    expect((await people.waiting()).map(({ userId }) => userId)).toEqual([second.id, third.id])
    expect(outcome(await people.archive(first.id))).toBe('200')
    expect(await people.read(second.id)).toMatchObject({ seats: [{ metric: 'learners' }], pending: [] })
    expect(await people.read(first.id)).toMatchObject({ seats: [], pending: [], status: 'archived' })
    expect(outcome(await people.edit(second.id, { roles: [] }))).toBe('200')
    expect(metricsOf(await people.read(third.id))).toEqual(['learners'])
    expect(await people.module('learn')).toMatchObject({ assigned: 1, pending: 0 })
  })
})

test('of 20 that are assigned at once to 5 seats, exactly 5 get one, and the others wait or are refused', async () => {
  const people = await createPeople(api, { learners: 5 })
  const all = await times(20, () => people.hire())
  const answers = await Promise.all(
    all.map(({ id }, index) => people.seat(id, '', 'learn', { wait: index % 2 === 0 })),
  )
  const counts = tally(answers.map(outcome))
  const now = await Promise.all(all.map(({ id }) => people.read(id)))
  expect(now.filter(({ seats }) => seats.length === 1)).toHaveLength(5)
  expect((counts['200'] ?? 0) + (counts['409 SEATS_EXHAUSTED'] ?? 0)).toBe(20)
  const waiting = now.filter(({ pending }) => pending.length === 1).length
  expect(counts['200']).toBe(5 + waiting)
  expect(await people.module('learn')).toMatchObject({ assigned: 5, pending: waiting, available: 0 })
})
