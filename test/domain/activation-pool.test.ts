import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Activation, sameMachine } from '../../shared/domain/activation.ts'
import { findPlace, promotable, withinTransaction } from '../../shared/domain/activation-pool.ts'
import { newPulse } from '../../shared/domain/heartbeat-terms.ts'
import { sizeOf, UNLIMITED } from '../../shared/domain/overdraft.ts'
import { Rules } from '../../shared/domain/terms.ts'
import { ActivationId } from '../../shared/platform/ids.ts'
import { aLicense, at, licenseId, PRODUCT, TENANT } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')

function machine(number: number, components = 1): Activation {
  return {
    id: ActivationId.parse(`act_${String(number).padStart(26, '0')}`),
    tenantId: TENANT,
    productId: PRODUCT,
    licenseId: licenseId(1),
    scope: 'product',
    components: Array.from({ length: components }, (_, index) => ({ hash: `${number}-${index}` })),
    overdraft: false,
    offline: false,
    pulse: newPulse(undefined, NOW),
    activatedAt: NOW,
    version: 1,
  }
}
const machines = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => machine(from + index))

describe('where a machine gets a place', () => {
  test.each<[string, number, number, number, number, number, string]>([
    ['a free one', 4, 5, 5, 0, 0, 'capacity, 0 reclaimed'],
    ['none free', 5, 5, 5, 0, 0, 'full'],
    ['none free, one dead', 5, 5, 5, 0, 1, 'capacity, 1 reclaimed'],
    ['a free one, so that no dead one goes', 4, 5, 5, 0, 3, 'capacity, 0 reclaimed'],
    ['the overdraft only when nobody is dead', 5, 5, 7, 0, 1, 'capacity, 1 reclaimed'],
    ['the overdraft', 5, 5, 7, 0, 0, 'overdraft, 0 reclaimed'],
    ['the last of it', 6, 5, 7, 0, 0, 'overdraft, 0 reclaimed'],
    ['none of it left', 7, 5, 7, 0, 0, 'full'],
    ['none of it left, one dead', 7, 5, 7, 0, 1, 'overdraft, 1 reclaimed'],
    ['none of it left, enough dead for the capacity', 7, 5, 7, 0, 3, 'capacity, 3 reclaimed'],
    ['one that has to go frees its own', 5, 5, 5, 1, 0, 'capacity, 1 reclaimed'],
    ['one that has to go goes though there is room', 2, 5, 5, 1, 1, 'capacity, 1 reclaimed'],
    ['a capacity that was cut', 9, 5, 5, 0, 3, 'full'],
    ['a capacity that was cut, enough dead', 9, 5, 5, 0, 6, 'capacity, 5 reclaimed'],
    ['no capacity at all', 0, 0, 0, 0, 0, 'full'],
    ['no capacity, overdraft without limit', 0, 0, UNLIMITED, 0, 0, 'overdraft, 0 reclaimed'],
    ['no limit', 1_000_000, UNLIMITED, UNLIMITED, 0, 0, 'capacity, 0 reclaimed'],
  ])('%s', (_, used, capacity, limit, owed, dead, expected) => {
    const place = findPlace({ used }, { capacity, limit }, machines(owed), machines(dead, 100))
    const text = place.found
      ? `${place.overdraft ? 'overdraft' : 'capacity'}, ${place.reclaim.length} reclaimed`
      : 'full'
    expect(text).toBe(expected)
  })

  test('never beyond the limit, never in overdraft below the capacity, never full while there is a way', () => {
    const pools = fc.record({
      used: fc.nat(12),
      capacity: fc.nat(10),
      extra: fc.nat(4),
      owed: fc.nat(3),
      dead: fc.nat(12),
    })
    fc.assert(
      fc.property(pools, ({ used, capacity, extra, owed, dead }) => {
        fc.pre(owed + dead <= used)
        const limit = capacity + extra
        const place = findPlace({ used }, { capacity, limit }, machines(owed), machines(dead, 100))
        const least = used + 1 - owed - dead
        expect(place.found).toBe(least <= limit)
        if (!place.found) return
        const after = used + 1 - place.reclaim.length
        expect(after <= limit).toBe(true)
        expect(place.overdraft).toBe(after > capacity)
        expect(place.overdraft && least <= capacity).toBe(false)
      }),
    )
  })

  test('more dead machines than a transaction has room for make way first', () => {
    const place = findPlace({ used: 90 }, { capacity: 10, limit: 10 }, [], machines(85))
    expect(place).toMatchObject({ found: false })
    if (place.found || place.makeWay === undefined) throw new Error('they should make way')
    expect(place.makeWay.length).toBeGreaterThan(0)
    expect(withinTransaction(place.makeWay)).toEqual(place.makeWay)
  })

  test('one machine of 20 components fits, and many of them do not', () => {
    const big = Array.from({ length: 9 }, (_, index) => machine(index, 20))
    expect(withinTransaction(big)).toHaveLength(2)
  })
})

describe('who is promoted from the overdraft', () => {
  test.each<[string, number, number, number, { used: number; overdrawn: number }, number]>([
    ['nobody was there', 5, 0, 5, { used: -1, overdrawn: 0 }, 0],
    ['a place inside frees', 7, 2, 5, { used: -1, overdrawn: 0 }, 1],
    ['a place of the overdraft frees', 7, 2, 5, { used: -1, overdrawn: -1 }, 0],
    ['a grant in overdraft', 6, 1, 5, { used: 1, overdrawn: 1 }, 0],
    ['the capacity grew by one', 7, 2, 6, { used: 0, overdrawn: 0 }, 1],
    ['the capacity grew by many', 12, 7, 20, { used: 0, overdrawn: 0 }, 5],
    ['the capacity was cut', 7, 2, 3, { used: -1, overdrawn: 0 }, 0],
    ['no limit any more', 7, 2, UNLIMITED, { used: 1, overdrawn: 0 }, 2],
  ])('%s', (_, used, overdrawn, capacity, change, promoted) => {
    expect(promotable({ used, overdrawn }, { capacity }, change)).toBe(promoted)
  })
})

describe('the effective limit', () => {
  const limitOf = (...parts: [number | 'unlimited' | undefined, object?][]) =>
    sizeOf(
      parts.map(([machines_, overdraft]) =>
        aLicense({
          limits: machines_ === undefined ? { users: 5 } : { machines: machines_ },
          rules: Rules.parse({ overdraft }),
        }),
      ),
      'machines',
    )
  test.each<[string, ReturnType<typeof sizeOf>, [number, number]]>([
    ['of nothing', limitOf(), [0, 0]],
    ['without a rule', limitOf([5]), [5, 5]],
    ['none', limitOf([5, { kind: 'none' }]), [5, 5]],
    ['absolute', limitOf([5, { kind: 'absolute', units: 2 }]), [5, 7]],
    ['a percentage, rounded down', limitOf([5, { kind: 'percent', percent: 25 }]), [5, 6]],
    // 1000 × 32.3 / 100 is 322.99999999999994 to a computer.
    ['a percentage of decimals', limitOf([1000, { kind: 'percent', percent: 32.3 }]), [1000, 1323]],
    ['a percentage with a cap', limitOf([100, { kind: 'percent', percent: 25, cap: 10 }]), [100, 110]],
    [
      'a percentage over the sum, rounded once',
      limitOf([5, { kind: 'percent', percent: 10 }], [5, { kind: 'percent', percent: 10 }]),
      [10, 11],
    ],
    ['unlimited', limitOf([5, { kind: 'unlimited' }]), [5, UNLIMITED]],
    [
      'without what licenses overdraw that do not give it',
      limitOf([5], [undefined, { kind: 'absolute', units: 2 }], [undefined, { kind: 'unlimited' }]),
      [5, 5],
    ],
    [
      'of a capacity without limit',
      limitOf(['unlimited', { kind: 'percent', percent: 50 }], [5]),
      [UNLIMITED, UNLIMITED],
    ],
  ])('%s', (_, { capacity, limit }, expected) => {
    expect([capacity, limit]).toEqual(expected)
  })
})

/** The components of each machine, oldest first; those given; and the machine that it is. */
test.each<[string, 'any' | 'two' | 'all', string[][], string[], number | undefined]>([
  ['nobody', 'any', [['a'], ['b']], ['c'], undefined],
  ['the one that has it', 'any', [['a'], ['b']], ['b'], 2],
  ['the one with most of them', 'any', [['a'], ['b', 'c']], ['a', 'b', 'c'], 2],
  [
    'the one with most of them, though another is older',
    'any',
    [['a'], ['b'], ['c', 'd']],
    ['b', 'c', 'd'],
    3,
  ],
  ['of equals the oldest', 'any', [['a'], ['b'], ['c']], ['c', 'b'], 2],
  [
    'not one that has too few of them',
    'two',
    [
      ['a', 'x'],
      ['b', 'c'],
    ],
    ['a', 'b', 'c'],
    2,
  ],
  [
    'nobody, where no machine has enough',
    'all',
    [
      ['a', 'x'],
      ['b', 'y'],
    ],
    ['a', 'b'],
    undefined,
  ],
])('components are the machine of %s', (_, rule, owners, given, expected) => {
  const activations = owners.map((hashes, index) => ({
    ...machine(index + 1),
    components: hashes.map((hash) => ({ hash })),
  }))
  for (const order of [activations, activations.toReversed()])
    expect(sameMachine(order, rule, given)?.id).toBe(expected && machine(expected).id)
})
