import { afterAll, expect, test } from 'vitest'
import { ReclaimRules } from '../../../shared/domain/reclaim-rule.ts'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPeople } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)

test('of several who set the rules at once, each event says what the rules truly were before', async () => {
  const people = await createPeople(api, { learners: 1 })
  const set = (inactiveDays: number) =>
    people.call('PUT', '/reclamation/rules', { body: { rules: [{ inactiveDays }] } })

  const answers = await times(4, (index) => set(30 + index))

  expect(answers.map(outcome)).toEqual(['200', '200', '200', '200'])
  const events = (await eventsOf(api.table, people.tenantId, people.tenantId)).filter(
    ({ type }) => type === 'reclamation.rules-changed',
  )
  // From no rules to those that hold now, each once: however they were written, there is one such way.
  const now = ReclaimRules.parse(expected(200, await people.call('GET', '/reclamation/rules')))
  const way: unknown[] = [{ rules: [] }]
  while (way.length <= events.length) {
    const last = JSON.stringify(way.at(-1))
    way.push(events.find(({ before }) => JSON.stringify(before) === last)?.after)
  }
  expect(way.at(-1)).toEqual(now)
  expect(new Set(way.map((one) => JSON.stringify(one))).size).toBe(5)
})
