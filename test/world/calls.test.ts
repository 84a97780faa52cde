import { afterAll, expect, test, vi } from 'vitest'
import { type Needs, needs } from '../../functions/needs.ts'
import { REFUSALS } from '../../shared/domain/refusal.ts'
import { faultsOf } from '../security/battery.ts'
import { outcome } from '../support/api.ts'
import { stopClock } from '../support/clock.ts'
import { keepTable } from '../support/kept-table.ts'
import { callFor, createWorld } from './calls.ts'
import { startMeteredApi } from './costs.ts'
import { watchGuarded } from './guarded-writes.ts'
import { hints } from './hints.ts'
import { refusals } from './refusals.ts'
import { named, send } from './requests.ts'

// What warm functions remember is read again after a minute: a slow machine would make calls dearer.
stopClock()
const { api, stop, ...costs } = await startMeteredApi()
afterAll(async () => {
  vi.useRealTimers()
  await stop()
})
const world = await createWorld(api)
const table = await keepTable(api.table)
afterAll(table.close)
const guarded = watchGuarded(api.table.name)
afterAll(guarded.close)

test.each(named)('%s is answered with success', async (_, operation) => {
  const sent = await callFor(world, operation)
  guarded.take()
  const answer = await costs.call(operation, () => send(api, operation, sent))
  const written = guarded.take()
  await table.restore()
  expect([outcome(answer), answer.status < 300 ? '' : { sent, answer: answer.body }]).toEqual([
    String(operation.success.status),
    '',
  ])
  // What is deployed could not: the simulator of IAM knows what is allowed, and this what is done.
  const { guarded: own = [] }: Needs = needs[operation.context]
  expect(written.filter((name) => !own.includes(name))).toEqual([])
})

test.each(refusals)('%s is refused: %s', async (operationId, code, spoil) => {
  const [, operation] = named.find(([id]) => id === operationId) ?? []
  if (operation === undefined) throw new Error(`${operationId} is gone`)
  const sent = await spoil(world, await callFor(world, operation))
  const answer = await send(api, operation, sent)
  await table.restore()
  expect([outcome(answer), faultsOf(operation, answer)]).toEqual([`${REFUSALS[code].status} ${code}`, []])
})

test('and no hint is for an operation that is gone', () => {
  const known = new Set(named.map(([operationId]) => operationId))
  expect(Object.keys(hints).filter((operationId) => !known.has(operationId))).toEqual([])
})

// Or what looks at its writes, here and in test/faults, would look at nothing.
test('and what changes something has something to change', () => {
  expect(costs.idle()).toEqual([])
})

test('and none costs more than it did, or less', async ({ skip }) => {
  // Where some are filtered out, or failed.
  if (!costs.isComplete()) skip()
  const accept = 'if it is meant, accept it: npm test -- test/world/calls.test.ts -u'
  await expect(costs.table(), accept).toMatchFileSnapshot('costs.md')
})
