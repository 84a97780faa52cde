import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CapacityLevel, isQuiet, watchPool } from '../../shared/domain/capacity-watch.ts'
import { room } from '../../shared/domain/entitlement.ts'
import { at, PRODUCT } from '../support/licenses.ts'

const CURE = { since: at('2026-01-01T00:00:00Z'), cureUntil: at('2026-01-15T00:00:00Z') }

function watch(
  used: number,
  known?: CapacityLevel,
  {
    capacity = 100,
    overdue,
    thresholds = [80, 90, 100],
  }: { capacity?: number | 'unlimited'; overdue?: boolean; thresholds?: readonly number[] } = {},
) {
  const over = capacity === 'unlimited' ? 0 : used - capacity
  const excess = over > 0 ? { seats: over, ...CURE, isOverdue: overdue ?? false } : undefined
  const { utilization } = room(capacity, used)
  const pool = { metric: 'users', capacity, used, utilization }
  return watchPool({ productId: PRODUCT, product: 'edu', pool, excess }, known, thresholds)
}

/** What is told of one use after the other. */
function story(uses: readonly number[], thresholds?: readonly number[]): string[] {
  let known: CapacityLevel | undefined
  return uses.flatMap((used) => {
    const { level, changes } = watch(used, known, thresholds && { thresholds })
    known = level
    return changes.map(({ type, after }) =>
      `${used}: ${type.slice(9)} ${after['threshold'] ?? after['excess'] ?? ''}`.trim(),
    )
  })
}

describe('thresholds', () => {
  test.each<[string, number[], string[]]>([
    ['each is told once on the way up', [79, 80, 85, 90, 99], ['80: reached 80', '90: reached 90']],
    ['what goes up and down about one is told once', [80, 79, 80, 76, 81], ['80: reached 80']],
    [
      'it is cleared five points below, and then reached anew',
      [80, 75, 74, 80],
      ['80: reached 80', '74: cleared 80', '80: reached 80'],
    ],
    ['a jump is told as the highest', [10, 95], ['95: reached 90']],
    ['a fall keeps what still holds', [95, 84, 50], ['95: reached 90', '84: cleared 90', '50: cleared 80']],
    ['one more than all', [100, 101, 100], ['100: reached 100', '101: over-allocated 1', '100: cured']],
  ])('%s', (_, uses, told) => {
    expect(story(uses)).toEqual(told)
  })

  test('one that has nothing five points below is cleared once nothing is in use', () => {
    expect(story([3, 1, 0, 3], [3])).toEqual(['3: reached 3', '0: cleared 3', '3: reached 3'])
  })

  test('no capacity is full by any use, an unlimited one never', () => {
    expect(watch(1, undefined, { capacity: 0 }).level.reached).toBe(100)
    expect(isQuiet(watch(0, undefined, { capacity: 0 }).level)).toBe(true)
    expect(isQuiet(watch(1e9, undefined, { capacity: 'unlimited' }).level)).toBe(true)
    expect(watch(1e9, watch(99).level, { capacity: 'unlimited' }).changes).toMatchObject([
      { type: 'capacity.cleared' },
    ])
  })

  test('just below is not reached, whatever the rounded figure says', () => {
    expect(watch(796, undefined, { capacity: 1_000 }).level.reached).toBe(0)
  })
})

test('more than licensed is told, then that its time is over, then that it is cured: each once', () => {
  const first = watch(110)
  const again = watch(112, first.level)
  const late = watch(112, again.level, { overdue: true })
  const later = watch(111, late.level, { overdue: true })
  const types = [first, again, late, later, watch(60, later.level)].map(({ changes }) =>
    changes.map(({ type }) => type.slice(9)),
  )
  expect(types).toEqual([['reached', 'over-allocated'], [], ['cure-overdue'], [], ['cleared', 'cured']])
})

test('looked at twice, nothing more is told; and what is told up is told down', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 130 }), { maxLength: 12 }), (uses) => {
      expect(story(uses.flatMap((used) => [used, used]))).toEqual(story(uses))
      const told = story([...uses, 0])
      const count = (what: string) => told.filter((line) => line.includes(what)).length
      expect(count('over-allocated')).toBe(count('cured'))
    }),
  )
})
