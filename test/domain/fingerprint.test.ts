import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Components, inCommon, type MatchRule, matches, needed } from '../../shared/domain/fingerprint.ts'

const RULES: readonly MatchRule[] = ['any', 'two', 'most', 'all']
const rule = fc.constantFrom(...RULES)
const hashes = fc.uniqueArray(fc.constantFrom(...'abcdefghijklmnopqrst'), { minLength: 1, maxLength: 20 })

describe('components needed of n registered ones', () => {
  test.each([
    ['any', [1, 1, 1, 1, 1, 1]],
    ['two', [1, 2, 2, 2, 2, 2]],
    ['most', [1, 1, 2, 2, 3, 3]],
    ['all', [1, 2, 3, 4, 5, 6]],
  ] as const)('%s of 1 to 6: %j', (which, expected) => {
    expect([1, 2, 3, 4, 5, 6].map((count) => needed(which, count))).toEqual(expected)
  })
})

describe('is it the same machine?', () => {
  test.each<[MatchRule, string, string, boolean]>([
    ['any', 'abc', 'cxy', true],
    ['any', 'abc', 'xyz', false],
    ['two', 'abc', 'abx', true],
    ['two', 'abc', 'axy', false],
    ['two', 'a', 'a', true],
    // Exactly half passes.
    ['most', 'abcd', 'abxy', true],
    ['most', 'abcd', 'axyz', false],
    ['most', 'abc', 'ab', true],
    ['most', 'abc', 'a', false],
    ['all', 'abc', 'abcxyz', true],
    ['all', 'abc', 'ab', false],
    // Duplicates count once, on either side.
    ['two', 'abb', 'bbb', false],
    ['two', 'aab', 'ab', true],
    ['most', 'aabc', 'aa', false],
    ['all', 'aab', 'ba', true],
  ])('%s: registered %s, given %s: %s', (which, registered, given, same) => {
    expect(matches(which, [...registered], [...given])).toBe(same)
  })

  test('nothing is no machine', () => {
    for (const which of RULES) expect(matches(which, [], ['a'])).toBe(false)
  })
})

describe('properties', () => {
  test('a machine is itself, in any order and with more beside', () => {
    fc.assert(
      fc.property(rule, hashes, fc.array(fc.string()), (which, machine, more) => {
        expect(matches(which, machine, [...more, ...machine.toReversed()])).toBe(true)
      }),
    )
  })

  test('a stricter rule never lets through what a weaker one does not', () => {
    fc.assert(
      fc.property(hashes, hashes, (registered, given) => {
        const passed = RULES.map((which) => matches(which, registered, given))
        const [any, two, most, all] = passed
        expect(!all || (most && two)).toBe(true)
        expect(!two || any).toBe(true)
        expect(!most || any).toBe(true)
      }),
    )
  })

  test('fewer components never match better, more never worse', () => {
    fc.assert(
      fc.property(
        rule,
        hashes,
        hashes,
        fc.constantFrom(...'abcdefghijklmnopqrst'),
        (which, own, given, one) => {
          const less = given.filter((other) => other !== one)
          expect(!matches(which, own, less) || matches(which, own, given)).toBe(true)
        },
      ),
    )
  })

  test('what is needed grows with what is registered, and is never more than that nor less than one', () => {
    fc.assert(
      fc.property(rule, fc.integer({ min: 1, max: 19 }), (which, count) => {
        const [here, next] = [needed(which, count), needed(which, count + 1)]
        expect(here >= 1 && here <= count && next >= here).toBe(true)
      }),
    )
  })

  test('what two machines share is the same seen from either', () => {
    fc.assert(
      fc.property(hashes, hashes, (a, b) => {
        expect(inCommon(a, b)).toBe(inCommon(b, a))
        expect(inCommon(a, b)).toBe(a.filter((one) => b.includes(one)).length)
      }),
    )
  })
})

test('a request has 1 to 20 components of 8 to 200 characters', () => {
  const parts = (count: number, length = 8) =>
    Array.from({ length: count }, () => ({ value: 'x'.repeat(length) }))
  expect([1, 20].map((count) => Components.safeParse(parts(count)).success)).toEqual([true, true])
  expect([0, 21].map((count) => Components.safeParse(parts(count)).success)).toEqual([false, false])
  expect([7, 201].map((length) => Components.safeParse(parts(1, length)).success)).toEqual([false, false])
  expect(Components.safeParse([{ component: 'mac address', value: 'x'.repeat(9) }]).success).toBe(false)
})
