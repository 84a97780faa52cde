import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { stopClock } from '../../support/clock.ts'
import { walks } from '../../support/walks.ts'
import {
  act,
  agree,
  api,
  approve,
  execute,
  install,
  issueTo,
  type Model,
  market,
  type PlanName,
  pass,
  refuse,
  remove,
  request,
  seen,
  takeUp,
} from './transfer-model.ts'

afterAll(api.stop)
afterEach(() => vi.useRealTimers())

/** What is extended and over by itself, what waits for its file, and what has a top-up that does. */
const lasting = { plan: 'open', from: -5, days: 200, grace: 7, awaited: false } as const
const BEGIN = [
  issueTo(0, { ...lasting, from: -30, days: 6 }),
  issueTo(0, { ...lasting, plan: 'silent' }, { index: 0, type: 'VALIDITY' }),
  issueTo(1, { ...lasting, plan: 'once', awaited: true }),
  issueTo(1, { ...lasting, plan: 'both' }),
  issueTo(0, { ...lasting, plan: 'silent', awaited: true }, { index: 2, type: 'TOPUP' }),
]

/** Whatever came before: one that is over by itself goes on with what extends it, and is not news. */
const END = [
  issueTo(0, { ...lasting, from: -30, days: 6 }),
  issueTo(0, { ...lasting, plan: 'silent' }, { index: -1, type: 'VALIDITY' }),
  agree(-1, 2),
  issueTo(0, { ...lasting, awaited: true }),
  agree(-1, 2),
  execute,
  issueTo(0, lasting),
  remove(-1),
  request(-1, 1),
]

const some = fc.nat(9)
const who = fc.nat(2)
const order = fc.record({
  plan: fc.constantFrom<PlanName>('open', 'open', 'both', 'once', 'silent', 'never'),
  from: fc.constantFrom(-30, -5, 0, 0, 10),
  days: fc.constantFrom(6, 40, 200),
  grace: fc.constantFrom(0, 7),
  awaited: fc.boolean(),
})
const extending = fc.record({ index: some, type: fc.constantFrom('TOPUP' as const, 'VALIDITY' as const) })
const sides = fc.constantFrom(
  'giving' as const,
  'receiving' as const,
  'receiving' as const,
  'vendor' as const,
)
const commands = [
  fc.tuple(who, order).map(([holder, one]) => issueTo(holder, one)),
  fc
    .tuple(order, extending)
    .map(([one, base]) => issueTo(0, { ...one, plan: one.plan === 'never' ? 'never' : 'silent' }, base)),
  fc
    .tuple(fc.constantFrom('suspend' as const, 'reinstate' as const, 'revoke' as const), some)
    .map(([action, index]) => act(action, index)),
  some.map(install),
  some.map(remove),
  fc.tuple(some, fc.option(who, { nil: undefined })).map(([index, to]) => request(index, to)),
  fc.tuple(some, fc.option(who, { nil: undefined })).map(([index, to]) => request(index, to)),
  fc.tuple(some, who).map(([index, by]) => takeUp(index, by)),
  fc.tuple(some, who).map(([index, to]) => agree(index, to)),
  fc.tuple(some, who).map(([index, to]) => agree(index, to)),
  fc.tuple(some, who).map(([index, to]) => agree(index, to)),
  fc.tuple(some, sides).map(([index, side]) => approve(index, side)),
  fc.tuple(some, sides).map(([index, side]) => approve(index, side)),
  fc.tuple(some, sides).map(([index, side]) => approve(index, side)),
  some.map(refuse),
  fc.constant(execute),
  fc.constant(execute),
  fc.constantFrom(1, 3, 8, 15, 40).map(pass),
]

test('licenses change hands in any order of steps: everybody holds what they should, and what moves is what was approved', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (steps) => {
      stopClock()
      const tenants = await Promise.all(['A', 'B', 'C'].map((name) => market.tenant(name)))
      const model: Model = { now: 0, licenses: [], ways: [] }
      await fc.asyncModelRun(() => ({ model, real: { tenants } }), [...BEGIN, ...steps, ...END])
      vi.useRealTimers()
    }),
    { ...walks(2), unbiased: true },
  )
  const wanted = ['EXECUTED undefined', 'moved unapplied', 'request 409 TRANSITION_NOT_ALLOWED']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})
