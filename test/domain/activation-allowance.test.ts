import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { movePlace, recentMoves, takePlace } from '../../shared/domain/activation-allowance.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { Rules } from '../../shared/domain/terms.ts'
import { DAY, type Instant, plusMilliseconds, TimeZone } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const UTC = TimeZone.parse('UTC')
const allowance = (allowed: number, period: string) => {
  const rule = Rules.parse({ deactivations: { allowed, period } }).deactivations
  if (rule === undefined) throw new Error('no rule')
  return rule
}
const NOW = at('2026-07-01T12:00:00Z')
const ago = (days: number) => plusMilliseconds(NOW, -days * DAY)

describe('which moves still count', () => {
  test.each<[string, string, string, string, boolean]>([
    ['P30D', 'UTC', '2026-06-01T12:00:00.000Z', '2026-07-01T11:59:59.999Z', true],
    ['P30D', 'UTC', '2026-06-01T12:00:00.000Z', '2026-07-01T12:00:00.000Z', false],
    ['P1M', 'UTC', '2026-01-31T00:00:00Z', '2026-02-27T23:59:59Z', true],
    ['P1M', 'UTC', '2026-01-31T00:00:00Z', '2026-02-28T00:00:00Z', false],
    ['P1Y', 'UTC', '2028-02-29T00:00:00Z', '2029-02-27T23:59:59Z', true],
    ['P1Y', 'UTC', '2028-02-29T00:00:00Z', '2029-02-28T00:00:00Z', false],
    // A day of 23 hours, when the clocks of Berlin go forward on 29 March.
    ['P1D', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T10:59:59Z', true],
    ['P1D', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T11:00:00Z', false],
  ])('%s in %s, of %s at %s: %s', (period, zone, move, now, counts) => {
    const recent = recentMoves([at(move)], allowance(1, period), TimeZone.parse(zone), at(now))
    expect(recent).toHaveLength(counts ? 1 : 0)
  })
})

describe('taking a place', () => {
  const rule = allowance(2, 'P30D')
  test.each<[string, number, Instant[], { seen: boolean; fresh: boolean }, [number, number] | 'refused']>([
    ['nothing was freed', 0, [], { seen: false, fresh: true }, [0, 0]],
    ['a machine comes back', 1, [], { seen: true, fresh: false }, [0, 0]],
    [
      'a machine comes back, though the moves are used up',
      1,
      [ago(1), ago(1)],
      { seen: true, fresh: false },
      [0, 2],
    ],
    ['a new machine, and a place nobody had', 1, [ago(1), ago(1)], { seen: false, fresh: true }, [1, 2]],
    ['a new machine moves in', 2, [ago(1)], { seen: false, fresh: false }, [1, 2]],
    ['a new machine, the moves are used up', 1, [ago(1), ago(2)], { seen: false, fresh: false }, 'refused'],
    ['a new machine, an old move is forgotten', 1, [ago(31), ago(1)], { seen: false, fresh: false }, [0, 2]],
  ])('%s', (_, freed, moves, machine, expected) => {
    const after = takePlace({ freed, moves }, rule, machine, UTC, NOW)
    expect(isRefusal(after) ? 'refused' : [after.freed, after.moves.length]).toEqual(expected)
  })

  test('a refusal says from when on the next move may be', () => {
    const after = takePlace(
      { freed: 1, moves: [ago(20), ago(5)] },
      rule,
      { seen: false, fresh: false },
      UTC,
      NOW,
    )
    expect(after).toMatchObject({
      refused: 'MOVES_EXHAUSTED',
      detail: expect.stringContaining(plusMilliseconds(NOW, 10 * DAY)),
    })
  })

  test('with none allowed no place goes to another machine', () => {
    const after = movePlace({ freed: 0, moves: [] }, allowance(0, 'P1Y'), { seen: false }, UTC, NOW)
    expect(isRefusal(after)).toBe(true)
  })
})

test('in no period there are more moves than allowed, and one is refused only then', () => {
  const history = fc.array(fc.record({ gap: fc.nat(20), seen: fc.boolean() }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.nat(5), fc.integer({ min: 1, max: 40 }), history, (allowed, days, steps) => {
      const rule = allowance(allowed, `P${days}D`)
      const counted: number[] = []
      let moves: readonly Instant[] = []
      let day = 0
      for (const { gap, seen } of steps) {
        day += gap
        const now = plusMilliseconds(NOW, day * DAY)
        const after = movePlace({ freed: 0, moves }, rule, { seen }, UTC, now)
        const recent = counted.filter((one) => one + days > day).length
        expect(isRefusal(after)).toBe(!seen && recent >= allowed)
        if (isRefusal(after)) continue
        moves = after.moves
        if (!seen) counted.push(day)
        expect(moves.length).toBeLessThanOrEqual(allowed)
      }
    }),
  )
})
