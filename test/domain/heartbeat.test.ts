import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { beaten, deathOf, nextBeat, type Pulse, stateAt } from '../../shared/domain/heartbeat.ts'
import { DRIFT, newPulse } from '../../shared/domain/heartbeat-terms.ts'
import { Rules } from '../../shared/domain/terms.ts'
import { epochMilliseconds, type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const START = at('2026-03-01T00:00:00Z')
const later = (minutes: number, more = 0) => plusMilliseconds(START, minutes * MINUTE + more)
const ruleOf = (heartbeat: object) => Rules.parse({ heartbeat }).heartbeat
const tenMinutes = (revive: string, required = false) => ruleOf({ window: 'PT10M', revive, required })

/** The pulse after heartbeats at these minutes; those that came too late changed nothing. */
const beatenAt = (pulse: Pulse, ...minutes: number[]) =>
  minutes.reduce((last, minute) => beaten(last, later(minute)) ?? last, pulse)

describe('the state, with a window of 10 minutes and 30 seconds of drift', () => {
  const optional = newPulse(tenMinutes('within-window'), START)
  const required = newPulse(tenMinutes('within-window', true), START)
  test.each<[string, Pulse, Instant, string]>([
    ['before the first heartbeat', optional, later(0), 'NOT_STARTED'],
    ['long before it, where it is not required', optional, later(10_000), 'NOT_STARTED'],
    ['before it, where it is', required, later(10, DRIFT - 1), 'NOT_STARTED'],
    ['where it never came', required, later(10, DRIFT), 'DEAD'],
    ['at a heartbeat', beatenAt(optional, 5), later(5), 'ALIVE'],
    ['at the window', beatenAt(optional, 5), later(15), 'ALIVE'],
    ['in the drift', beatenAt(optional, 5), later(15, DRIFT - 1), 'ALIVE'],
    ['at the end of it', beatenAt(optional, 5), later(15, DRIFT), 'DEAD'],
    ['after a late heartbeat', beatenAt(optional, 5, 20), later(20), 'REVIVED'],
    [
      'after one at the very end of its life',
      beatenAt(optional, 5, 15 + DRIFT / MINUTE),
      later(16),
      'REVIVED',
    ],
    ['until the next', beatenAt(optional, 5, 20, 25), later(25), 'ALIVE'],
    ['of the required first one, come late', beatenAt(required, 12), later(12), 'REVIVED'],
    ['of the required first one, in time', beatenAt(required, 9), later(9), 'ALIVE'],
  ])('%s', (_, pulse, now, state) => {
    expect(stateAt(pulse, now)).toBe(state)
  })
})

describe('a heartbeat that comes after death', () => {
  test.each<[string, number, number, boolean]>([
    ['never', 10, DRIFT - 1, true],
    ['never', 10, DRIFT, false],
    ['within-window', 10, DRIFT, true],
    ['within-window', 20, DRIFT - 1, true],
    ['within-window', 20, DRIFT, false],
    ['always', 20, DRIFT, true],
    ['always', 10_000_000, 0, true],
  ])(
    'is taken or not, by the rule %s, %d minutes and %d ms after the last',
    (revive, minutes, more, taken) => {
      const pulse = beatenAt(newPulse(tenMinutes(revive), START), 0)
      expect(beaten(pulse, later(minutes, more)) !== undefined).toBe(taken)
    },
  )
})

test('without a rule heartbeats are taken, and nobody dies of their lack', () => {
  const pulse = newPulse(undefined, START)
  const muchLater = later(60 * 24 * 365 * 50)
  expect(stateAt(pulse, muchLater)).toBe('NOT_STARTED')
  const alive = beatenAt(pulse, 5)
  expect([stateAt(alive, muchLater), deathOf(alive, muchLater), nextBeat(alive, muchLater, 0)]).toEqual([
    'ALIVE',
    undefined,
    undefined,
  ])
  expect(beaten(alive, muchLater)).toBeDefined()
})

test.each([
  ['PT1M', 1],
  ['PT1H', 60],
  ['P1D', 1440],
  ['P1W', 10_080],
])('a window of %s lives %d minutes and the drift', (window, minutes) => {
  const pulse = beatenAt(newPulse(ruleOf({ window }), START), 0)
  expect(deathOf(pulse, START)).toBe(later(minutes, DRIFT))
})

const pulses = fc
  .record({
    revive: fc.constantFrom('never', 'within-window', 'always'),
    required: fc.boolean(),
    window: fc.integer({ min: 1, max: 99 }),
    gaps: fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 30 }),
  })
  .map(({ revive, required, window, gaps }) => {
    const pulse = newPulse(ruleOf({ window: `PT${window}M`, revive, required }), START)
    return { pulse, window, revive, gaps }
  })

test('a history of heartbeats, told a second time in the plainest way', () => {
  fc.assert(
    fc.property(pulses, ({ pulse, window, revive, gaps }) => {
      const life = window * MINUTE + DRIFT
      let now = epochMilliseconds(START)
      let last = pulse.required ? now : undefined
      let real = pulse
      for (const gap of gaps) {
        now += gap * MINUTE
        const instant = plusMilliseconds(START, now - epochMilliseconds(START))
        const silence = last === undefined ? 0 : now - last
        const limit = {
          never: life,
          'within-window': life + window * MINUTE,
          always: Number.POSITIVE_INFINITY,
        }
        const isTaken = silence < (Object.entries(limit).find(([name]) => name === revive)?.[1] ?? 0)
        expect(stateAt(real, instant) === 'DEAD').toBe(silence >= life)
        const next = beaten(real, instant)
        expect(next !== undefined).toBe(isTaken)
        if (next === undefined) continue
        expect(stateAt(next, instant)).toBe(silence >= life ? 'REVIVED' : 'ALIVE')
        last = now
        real = next
      }
    }),
  )
})

test('the next heartbeat is wanted before death, and spread', () => {
  fc.assert(
    fc.property(pulses, fc.double({ min: 0, max: 1, noNaN: true }), ({ pulse }, random) => {
      const alive = beatenAt(pulse, 0)
      const [next, death] = [nextBeat(alive, START, random), deathOf(alive, START)]
      expect(next !== undefined && death !== undefined && START < next && next < death).toBe(true)
    }),
  )
  const alive = beatenAt(newPulse(tenMinutes('never'), START), 0)
  // Three quarters of its life, or up to a twentieth of it before.
  const life = 10 * MINUTE + DRIFT
  expect(nextBeat(alive, START, 0)).toBe(plusMilliseconds(START, 0.75 * life))
  expect(nextBeat(alive, START, 1)).toBe(plusMilliseconds(START, 0.7 * life))
})
