import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { type LeaseOf, type Use, useOf, useSeries, useSoFar } from '../../shared/domain/lease-use.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { DAY, HOUR, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { at } from '../support/licenses.ts'

const NOON = at('2026-06-01T12:00:00Z')
const later = (hours: number) => plusMilliseconds(NOON, hours * HOUR)
const entry = (until: Instant, units = 1): Entry => ({
  kind: 'lease',
  units,
  overdraft: false,
  until: seconds(until),
  beat: seconds(NOON),
  generation: 7,
  sharers: 0,
})
const ended = (ref: string, at: Instant, units = 1) => ({ ref, entry: entry(at, units), at: seconds(at) })
const ada = (since: Instant): LeaseOf => ({ holder: { userId: 'ada' }, department: 'R&D', since })
const times = (uses: readonly Use[]) => uses.map(({ from, until }) => [from, until])

describe('what a lease was held', () => {
  test('is told by the day', () => {
    const uses = useOf(ended('a', later(40)), ada(NOON))
    expect(times(uses)).toEqual([
      [NOON, at('2026-06-02T00:00:00Z')],
      [at('2026-06-02T00:00:00Z'), at('2026-06-03T00:00:00Z')],
      [at('2026-06-03T00:00:00Z'), later(40)],
    ])
    expect(times(useOf(ended('a', at('2026-06-02T00:00:00Z')), ada(NOON)))).toEqual([
      [NOON, at('2026-06-02T00:00:00Z')],
    ])
  })

  test('is not that of the next one of its name', () => {
    expect(useOf(ended('a', NOON), ada(later(1)))).toEqual([])
  })

  test('counts until now while it is held, and until its end where nobody renewed it', () => {
    const leases = new Map([['a', ada(later(-1))]])
    const until = (end: Instant) => times(useSoFar(new Map([['a', entry(end)]]), leases, [], later(2)))
    expect(until(later(3))).toEqual([[later(-1), later(2)]])
    expect(until(later(1))).toEqual([[later(-1), later(1)]])
    const hold: Entry = { ...entry(later(3)), kind: 'hold' }
    expect(useSoFar(new Map([['a', hold]]), leases, [], later(2))).toEqual([])
  })

  test('is counted once where it ends while it is looked at', () => {
    const leases = new Map([['a', ada(NOON)]])
    const told = useOf(ended('a', later(1)), ada(NOON))
    expect(useSoFar(new Map([['a', entry(later(3))]]), leases, told, later(2))).toEqual([])
    // Whose row is gone by then is known by the pool alone.
    expect(useSoFar(new Map([['a', entry(later(3))]]), new Map(), told, later(2))).toEqual([])
  })
})

describe('a series', () => {
  const marks = [0, 1, 2, 3].map(later)

  test('tells seconds and peak by stretch and key', () => {
    const uses = [
      ...useOf(ended('a', later(1.5)), ada(later(0.5))),
      ...useOf(ended('b', later(1), 2), ada(later(0.75))),
      ...useOf(ended('c', later(3), 4), { holder: {}, since: later(1) }),
    ]
    const series = (keyOf: (use: Use) => string | null) =>
      useSeries(uses, marks, keyOf).map(({ from, key, heldSeconds, peak, leases }) => [
        from,
        key,
        heldSeconds,
        peak,
        leases,
      ])
    expect(series(({ department }) => department ?? null)).toEqual([
      [NOON, 'R&D', 1800 + 2 * 900, 3, 2],
      [later(1), null, 4 * 3600, 4, 1],
      [later(1), 'R&D', 1800, 1, 1],
      [later(2), null, 4 * 3600, 4, 1],
    ])
    expect(series(() => null)).toEqual([
      [NOON, null, 3600, 3, 2],
      [later(1), null, 1800 + 4 * 3600, 5, 2],
      [later(2), null, 4 * 3600, 4, 1],
    ])
  })

  test('of one that goes and one that comes at the same second has a peak of one', () => {
    const uses = [
      ...useOf(ended('a', later(0.5)), ada(NOON)),
      ...useOf(ended('b', later(1)), ada(later(0.5))),
    ]
    expect(useSeries(uses, marks, () => null)).toMatchObject([{ peak: 1, leases: 2, heldSeconds: 3600 }])
  })

  test('sums up to the whole, by whatever key and stretch', () => {
    const lease = fc.record({
      start: fc.integer({ min: -3 * 86_400, max: 3 * 86_400 }),
      length: fc.integer({ min: 0, max: 170_000 }),
      units: fc.integer({ min: 1, max: 3 }),
      user: fc.constantFrom('ada', 'ben', undefined),
    })
    fc.assert(
      fc.property(fc.array(lease, { maxLength: 20 }), (all) => {
        const uses = all.flatMap(({ start, length, units, user }, index) => {
          const since = plusMilliseconds(NOON, start * 1000)
          const holder = user === undefined ? {} : { userId: user }
          return useOf(ended(`${index}`, plusMilliseconds(since, length * 1000), units), { holder, since })
        })
        const week = [-5, 5].map((days) => plusMilliseconds(NOON, days * DAY))
        const hours = Array.from({ length: 241 }, (_, hour) => plusMilliseconds(NOON, (hour - 120) * HOUR))
        const total = all.reduce((sum, { length, units }) => sum + length * units, 0)
        for (const bounds of [week, hours])
          for (const keyOf of [() => null, ({ holder }: Use) => holder.userId ?? null]) {
            const series = useSeries(uses, bounds, keyOf)
            expect(series.reduce((sum, { heldSeconds }) => sum + heldSeconds, 0)).toBe(total)
          }
        const users = useSeries(uses, hours, ({ holder }) => holder.userId ?? null)
        for (const { from, peak } of useSeries(uses, hours, () => null)) {
          const own = users.filter((one) => one.from === from)
          expect(peak).toBeLessThanOrEqual(own.reduce((sum, one) => sum + one.peak, 0))
          expect(peak).toBeGreaterThanOrEqual(Math.max(...own.map((one) => one.peak)))
        }
      }),
    )
  })
})
