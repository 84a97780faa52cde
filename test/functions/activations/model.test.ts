import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { times } from '../../support/parallel.ts'
import { walks } from '../../support/walks.ts'
import { Activated, openShop, type Shop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const CAPACITY = 3
const OVERDRAFT = 2
const TOPUP = 2
/** More than ever have a place. */
const MACHINES = 12

/** What has to be true, told without any of the code under test. */
type Model = {
  now: number
  suspended: boolean
  capacity: number
  /** Each license declares its own. */
  overdraft: number
  /** The last heartbeat of each machine that holds a place, or its activation, in minutes. */
  readonly held: Map<number, { id: string; last: number }>
}
type Command = fc.AsyncCommand<Model, Shop>

/** What the runs came by. */
const seen = new Set<string>()
const note = (what: string, { status }: { status: number }) => seen.add(`${what} ${status}`)
/** One of the machines that hold a place. */
const pick = ({ held }: Model, index: number) => [...held.keys()][index % held.size] ?? 0
const isHeld = ({ held }: Readonly<Model>) => held.size > 0

const machineOf = (number: number) => [`mac:${number}`, `disk:${number}`]
/** No heartbeats are asked of what is activated by file. */
const FOR_EVER = Number.POSITIVE_INFINITY
const isAlive = ({ last }: { last: number }, now: number) => now - last < 10.5
const alive = (model: Model) => [...model.held.values()].filter((one) => isAlive(one, model.now)).length

/** Machines ask at the same time, with a connection or by file; the order among them is theirs. */
const activation = (numbers: readonly number[], byFile = false): Command => ({
  check: () => true,
  async run(model, shop) {
    const activate = byFile ? shop.activateByFile : shop.activate
    const [only = 0, ...others] = numbers
    const foreseen = others.length === 0 ? await shop.foreseen(machineOf(only)) : undefined
    const answers = await times(numbers.length, (index) => activate(machineOf(numbers[index] ?? 0)))
    const [first] = answers
    if (foreseen && first) expect(foreseen).toBe(first.status === 200 ? 'OK' : said(first).slice(4))
    const before = new Set(
      [...model.held].filter(([, one]) => isAlive(one, model.now)).map(([number]) => number),
    )
    const created: number[] = []
    const granted = new Map<number, string>()
    for (const [index, answer] of answers.entries()) {
      const number = numbers[index] ?? 0
      const outcome = said(answer)
      seen.add(outcome)
      if (model.suspended) {
        expect(outcome).toBe('409 LICENSE_NOT_IN_FORCE')
      } else if (before.has(number)) {
        expect(outcome).toBe('there before')
        const one = model.held.get(number)
        expect(Activated.parse(answer.body).activation.id).toBe(one?.id)
        if (one && byFile) one.last = FOR_EVER
      } else if (answer.status === 200) {
        const { id } = Activated.parse(answer.body).activation
        if (outcome === 'created') created.push(number)
        // The same machine more than once at the same time.
        expect(granted.get(number) ?? id).toBe(id)
        granted.set(number, id)
        model.held.set(number, { id, last: byFile ? FOR_EVER : model.now })
      } else {
        expect(outcome).toBe('409 ACTIVATIONS_EXHAUSTED')
        // Refused only because all places are held by the living.
        expect(before.size + new Set(numbers.filter((one) => !before.has(one))).size).toBeGreaterThan(
          model.capacity + model.overdraft,
        )
      }
    }
    // Whom a grant reclaimed, only the service chose.
    const rows = new Set((await shop.rows()).map(({ id }) => String(id)))
    for (const [number, one] of model.held)
      if (!rows.has(one.id)) {
        expect(isAlive(one, model.now)).toBe(false)
        seen.add('reclaimed')
        model.held.delete(number)
      }
    expect(created.toSorted()).toEqual([...granted.keys()].toSorted())
    if (created.length > 0) expect(rows.size).toBeLessThanOrEqual(model.capacity + model.overdraft)
    await checked(model, shop)
  },
  toString: () => `activate ${numbers.join(' ')}${byFile ? ' by file' : ''}`,
})

const heartbeat = (index: number): Command => ({
  check: isHeld,
  async run(model, shop) {
    const one = model.held.get(pick(model, index))
    const answer = await shop.beat(one?.id ?? '')
    note('beat', answer)
    const isTaken = one !== undefined && model.now - one.last < 20.5
    expect(answer.status).toBe(isTaken ? 200 : 409)
    if (isTaken) one.last = Math.max(one.last, model.now)
  },
  toString: () => `beat ${index}`,
})

const deactivation = (indexes: readonly number[]): Command => ({
  check: isHeld,
  async run(model, shop) {
    const numbers = indexes.map((index) => pick(model, index))
    const answers = await times(numbers.length, (index) =>
      shop.deactivate(model.held.get(numbers[index] ?? 0)?.id ?? ''),
    )
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(new Set(numbers).size)
    for (const number of numbers) model.held.delete(number)
    await checked(model, shop)
  },
  toString: () => `deactivate ${indexes.join(' ')}`,
})

const move = (index: number, to: number): Command => ({
  check: (model) => isHeld(model) && pick(model, index) !== to,
  async run(model, shop) {
    const from = pick(model, index)
    const target = model.held.get(to)
    const answer = await shop.move(model.held.get(from)?.id ?? '', machineOf(to))
    note('move', answer)
    if (model.suspended || (target && isAlive(target, model.now))) {
      expect(answer.status).toBe(409)
    } else {
      expect(answer.status).toBe(200)
      model.held.delete(from)
      model.held.set(to, { id: Object(Object(answer.body).activation).id, last: model.now })
    }
    await checked(model, shop)
  },
  toString: () => `move ${index} to ${to}`,
})

const pass = (minutes: number): Command => ({
  check: () => true,
  async run(model) {
    advanceClock(minutes * MINUTE)
    model.now += minutes
  },
  toString: () => `wait ${minutes}`,
})

const change = (action: 'suspend' | 'reinstate'): Command => ({
  check: ({ suspended }) => suspended === (action === 'reinstate'),
  async run(model, shop) {
    expect((await shop.act(shop.license.id, action)).status).toBe(200)
    model.suspended = action === 'suspend'
  },
  toString: () => action,
})

const topUp = (): Command => ({
  check: ({ suspended, capacity }) => !suspended && capacity === CAPACITY,
  async run(model, shop) {
    await shop.issue({ type: 'TOPUP', extends: shop.license.id, limits: { machines: TOPUP } })
    model.capacity += TOPUP
    model.overdraft += OVERDRAFT
  },
  toString: () => 'top up',
})

/** Counts are rows, every fingerprint has its owner, and nobody alive was dropped. */
async function checked(model: Model, shop: Shop): Promise<void> {
  expect(await shop.faults()).toEqual([])
  const rows = await shop.rows()
  expect(rows.map(({ id }) => String(id)).toSorted()).toEqual(
    [...model.held.values()].map(({ id }) => id).toSorted(),
  )
  expect(alive(model)).toBeLessThanOrEqual(model.capacity + model.overdraft)
}

const number = fc.nat(MACHINES - 1)
const activations = fc.array(number, { minLength: 1, maxLength: 6 }).map(activation)
const commands = [
  activations,
  activations,
  activations,
  number.map((one) => activation([one], true)),
  number.map(heartbeat),
  number.map(heartbeat),
  fc.array(number, { minLength: 1, maxLength: 3 }).map(deactivation),
  fc.tuple(number, number).map(([index, to]) => move(index, to)),
  fc.constantFrom(1, 6, 11, 21).map(pass),
  fc.constant(change('suspend')),
  // Else half of what is asked for is refused for that.
  fc.constant(change('reinstate')),
  fc.constant(change('reinstate')),
  fc.constant(topUp()),
]

const all = Array.from({ length: MACHINES }, (_, one) => one)
/**
 * The pool is full from the start; at the end others take the places of the dead, and are dead themselves, but for the one
 * that was activated by file.
 */
const BEGIN = [activation(all)]
const END = [
  change('reinstate'),
  pass(11),
  activation(all.toReversed()),
  activation([MACHINES - 1], true),
  pass(21),
  heartbeat(0),
  activation(all),
]

test('any order of steps, some at once: never above the limit, nothing lost, counts are rows', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 30, size: 'max' }), async (steps) => {
      stopClock()
      const shop = await openShop(api, CAPACITY, {
        heartbeat: { window: 'PT10M', required: true, revive: 'within-window' },
        overdraft: { kind: 'absolute', units: OVERDRAFT },
        fingerprints: { match: 'all' },
      })
      const model: Model = {
        now: 0,
        suspended: false,
        capacity: CAPACITY,
        overdraft: OVERDRAFT,
        held: new Map(),
      }
      await fc.asyncModelRun(() => ({ model, real: shop }), [...BEGIN, ...steps, ...END])
    }),
    // The first runs are short else.
    { ...walks(3), unbiased: true },
  )
  const wanted = ['created', '409 ACTIVATIONS_EXHAUSTED', 'reclaimed', 'beat 409']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})
