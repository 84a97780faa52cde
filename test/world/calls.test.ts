import { afterAll, expect, test } from 'vitest'
import { outcome, startApi } from '../support/api.ts'
import { keepTable } from '../support/kept-table.ts'
import { callFor, createWorld } from './calls.ts'
import { hints } from './hints.ts'
import { named, send } from './requests.ts'

const api = await startApi()
afterAll(api.stop)
const world = await createWorld(api)
const table = await keepTable(api.table)
afterAll(table.close)

test.each(named)('%s is answered with success', async (_, operation) => {
  const sent = await callFor(world, operation)
  const answer = await send(api, operation, sent)
  await table.restore()
  expect([outcome(answer), answer.status < 300 ? '' : { sent, answer: answer.body }]).toEqual([
    String(operation.success.status),
    '',
  ])
})

test('and no hint is for an operation that is gone', () => {
  const known = new Set(named.map(([operationId]) => operationId))
  expect(Object.keys(hints).filter((operationId) => !known.has(operationId))).toEqual([])
})
