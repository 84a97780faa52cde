import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { DAYS } from '../../support/plain-license.ts'
import { walks } from '../../support/walks.ts'
import { Activated, keyed, openShop, type Shop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const vendor = await api.token('vendor:support')

const WINDOW = 10
const PERIOD = 10 * DAYS

/** What has to be true, told without any of the code under test; times in minutes. */
type Model = {
  now: number
  readonly allowed: number
  capacity: number
  /** Beyond the capacity, of each license. */
  readonly overdraft: number
  licenses: number
  readonly beats: boolean
  suspended: boolean
  readonly held: Map<number, { id: string; last: number }>
  /** Places that were given back and nobody has taken since, and when one of them went to another machine. */
  freed: number
  moves: number[]
  /** Until when a machine that left is known. */
  readonly known: Map<number, number>
  /** Who had a place, from when until when; and how many more than the rule gives the vendor's hand has let in. */
  readonly had: { machine: number; from: number; until: number }[]
  given: number
}
type Command = fc.AsyncCommand<Model, Shop>

const seen = new Map<string, number>()
const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

const partsOf = (machine: number) => [`mac:${machine}`, `disk:${machine}`]
const isDead = ({ beats, now }: Model, { last }: { last: number }) => beats && now - last >= WINDOW + 0.5
const limitOf = ({ capacity, overdraft, licenses }: Model) => capacity + overdraft * licenses
const recent = ({ moves, now }: Model) => moves.filter((at) => at + PERIOD > now)
const isKnown = ({ known, now }: Model, machine: number) => (known.get(machine) ?? 0) > now
const pick = ({ held }: Model, index: number) => [...held.keys()][index % held.size] ?? 0

function leave(model: Model, machine: number, isRemembered = true): void {
  const { held, known, had, now } = model
  held.delete(machine)
  if (isRemembered) known.set(machine, now + PERIOD)
  else known.delete(machine)
  for (const one of had) if (one.machine === machine && one.until === Infinity) one.until = now
}
function come(model: Model, machine: number, answer: Answer): void {
  const { id } = Activated.parse({ created: true, ...Object(answer.body) }).activation
  model.held.set(machine, { id, last: model.now })
  model.had.push({ machine, from: model.now, until: Infinity })
}

/** May a machine come where another has left? Counts it, if that is a move. */
function takes(model: Model, { isSeen, isFresh }: { isSeen: boolean; isFresh: boolean }): boolean {
  if (isSeen || isFresh) return true
  if (recent(model).length >= model.allowed) return false
  model.moves = [...recent(model), model.now]
  return true
}

const activation = (machine: number): Command => ({
  check: () => true,
  async run(model, shop) {
    const foreseen = await shop.foreseen(partsOf(machine))
    const answer = await shop.activate(partsOf(machine))
    note(said(answer))
    expect(foreseen).toBe(answer.status === 200 ? 'OK' : said(answer).slice(4))
    expect(said(answer)).toBe(await expectation())
    await check(model, shop)

    async function expectation(): Promise<string> {
      if (model.suspended) return '409 LICENSE_NOT_IN_FORCE'
      const own = model.held.get(machine)
      if (own && !isDead(model, own)) return 'there before'
      const dead = [...model.held].filter(([, one]) => isDead(model, one)).length
      const owed = own ? 1 : 0
      const short = (most: number) => Math.max(owed, model.held.size + 1 - most)
      const leaving = short(model.capacity) > dead ? short(limitOf(model)) : short(model.capacity)
      if (leaving > dead) return '409 ACTIVATIONS_EXHAUSTED'
      const isSeen = own !== undefined || isKnown(model, machine)
      const isFresh = limitOf(model) - (model.held.size - leaving) > model.freed
      if (model.freed > 0 && !takes(model, { isSeen, isFresh })) return '409 MOVES_EXHAUSTED'
      if (model.freed > 0 && (isSeen || !isFresh)) model.freed -= 1
      // Which of the dead had to go, only the service chose.
      const rows = new Set((await shop.rows()).map(({ id }) => String(id)))
      for (const [other, one] of model.held)
        if (!rows.has(one.id)) {
          expect(isDead(model, one)).toBe(true)
          leave(model, other)
        }
      come(model, machine, answer)
      return 'created'
    }
  },
  toString: () => `activate ${machine}`,
})

const move = (index: number, machine: number): Command => ({
  check: (model) => model.held.size > 0 && pick(model, index) !== machine,
  async run(model, shop) {
    const from = pick(model, index)
    const answer = await shop.move(model.held.get(from)?.id ?? '', partsOf(machine))
    note(`move ${outcome(answer)}`)
    expect(outcome(answer)).toBe(expectation())
    const left = Math.max(0, model.allowed - recent(model).length)
    if (answer.status === 200) expect(Object(answer.body).moves).toEqual({ allowed: model.allowed, left })
    await check(model, shop)

    function expectation(): string {
      if (model.suspended) return '409 LICENSE_NOT_IN_FORCE'
      const own = model.held.get(machine)
      if (own && !isDead(model, own)) return '409 FINGERPRINT_TAKEN'
      const isSeen = own !== undefined || isKnown(model, machine)
      if (!takes(model, { isSeen, isFresh: false })) return '409 MOVES_EXHAUSTED'
      if (own) leave(model, machine)
      leave(model, from)
      come(model, machine, answer)
      return '200'
    }
  },
  toString: () => `move ${index} to ${machine}`,
})

const deactivation = (index: number, byVendor: boolean): Command => ({
  check: ({ held }) => held.size > 0,
  async run(model, shop) {
    const machine = pick(model, index)
    const id = model.held.get(machine)?.id ?? ''
    const options = byVendor ? { token: vendor, query: { reason: 'a walk' } } : {}
    const answer = await shop.deactivate(id, options)
    note(`deactivate ${outcome(answer)}`)
    expect(answer.status).toBe(200)
    const isCounted = !byVendor && !model.suspended
    leave(model, machine, isCounted)
    if (isCounted) model.freed += 1
    else model.given += 1
    await check(model, shop)
  },
  toString: () => `deactivate ${index}${byVendor ? ' by the vendor' : ''}`,
})

const reset: Command = {
  check: () => true,
  async run(model, shop) {
    const body = { product: shop.product, reason: 'a walk' }
    const path = `/v1/tenants/${shop.tenantId}/activations/reset`
    expect((await api.call('POST', path, { token: vendor, body, headers: keyed() })).status).toBe(200)
    model.given += limitOf(model) + model.allowed
    for (const machine of [...model.held.keys()]) leave(model, machine, false)
    Object.assign(model, { freed: 0, moves: [] })
    await check(model, shop)
  },
  toString: () => 'reset',
}

const change = (action: 'suspend' | 'reinstate'): Command => ({
  check: ({ suspended }) => suspended === (action === 'reinstate'),
  async run(model, shop) {
    expect((await shop.act(shop.license.id, action)).status).toBe(200)
    model.suspended = action === 'suspend'
  },
  toString: () => action,
})

const topUp: Command = {
  check: ({ suspended, licenses }) => !suspended && licenses === 1,
  async run(model, shop) {
    await shop.issue({ type: 'TOPUP', extends: shop.license.id, limits: { machines: 1 } })
    Object.assign(model, { capacity: model.capacity + 1, licenses: 2 })
  },
  toString: () => 'top up',
}

const beat = (index: number): Command => ({
  check: (model) => model.beats && model.held.size > 0,
  async run(model, shop) {
    const one = model.held.get(pick(model, index))
    // Whoever is back within a second window is heard.
    const isHeard = one !== undefined && model.now - one.last < 2 * WINDOW + 0.5
    expect((await shop.beat(one?.id ?? '')).status).toBe(isHeard ? 200 : 409)
    if (isHeard) one.last = model.now
  },
  toString: () => `beat ${index}`,
})

const pass = (minutes: number): Command => ({
  check: () => true,
  async run(model) {
    advanceClock(minutes * MINUTE)
    model.now += minutes
  },
  toString: () => `wait ${minutes}`,
})

async function check(model: Model, shop: Shop): Promise<void> {
  expect(await shop.faults()).toEqual([])
  const { used, freed } = await shop.pool()
  expect({ used, freed }).toEqual({ used: model.held.size, freed: model.freed })
  // What the rule is for: in no period do more machines work than there are places and moves. The dead do not count.
  if (model.beats) return
  const within = model.had.filter(({ until }) => until > model.now - PERIOD)
  const machines = new Set(within.map(({ machine }) => machine)).size
  expect(machines).toBeLessThanOrEqual(limitOf(model) + model.allowed + model.given)
}

const machine = fc.nat(7)
const commands = [
  ...Array(4).fill(machine.map(activation)),
  ...Array(2).fill(fc.tuple(machine, machine).map(([index, to]) => move(index, to))),
  ...Array(2).fill(machine.map((index) => deactivation(index, false))),
  machine.map((index) => deactivation(index, true)),
  fc.constant(change('suspend')),
  ...Array(3).fill(fc.constant(change('reinstate'))),
  fc.constant(topUp),
  machine.map(beat),
  fc.constantFrom(1, 11, 3 * DAYS, PERIOD).map(pass),
  fc.constantFrom(1, 11, 3 * DAYS).map(pass),
]
/** All places are taken, and each goes to others until none may any more. */
const END = [
  change('reinstate'),
  ...[0, 1, 2, 3, 4, 5, 6].map(activation),
  move(0, 7),
  move(0, 8),
  move(0, 9),
  deactivation(0, false),
  activation(10),
  pass(PERIOD),
  move(0, 11),
]
const rules = fc.record({
  allowed: fc.nat(2),
  capacity: fc.integer({ min: 1, max: 3 }),
  overdraft: fc.nat(1),
  beats: fc.boolean(),
})

test('machines come, go and move under any rule as a plain model says, and no period sees more than its rule gives', {
  timeout: 900_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      rules,
      fc.commands([...commands, fc.constant(reset)], { maxCommands: 60, size: 'max' }),
      async (rule, steps) => {
        stopClock()
        const shop = await openShop(api, rule.capacity, {
          deactivations: { allowed: rule.allowed, period: 'P10D' },
          fingerprints: { match: 'all' },
          ...(rule.beats && { heartbeat: { window: 'PT10M', required: true, revive: 'within-window' } }),
          ...(rule.overdraft > 0 && { overdraft: { kind: 'absolute', units: rule.overdraft } }),
        })
        const fresh = {
          suspended: false,
          held: new Map(),
          freed: 0,
          moves: [],
          known: new Map(),
          had: [],
          given: 0,
        }
        const model: Model = { ...rule, ...fresh, now: 0, licenses: 1 }
        await fc.asyncModelRun(() => ({ model, real: shop }), [...steps, ...END])
      },
    ),
    { ...walks(3), unbiased: true },
  )
  const wanted = ['created', 'move 200', 'move 409 MOVES_EXHAUSTED', '409 MOVES_EXHAUSTED']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})
