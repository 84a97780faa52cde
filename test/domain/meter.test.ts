import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import { book, meterOf } from '../../shared/domain/meter.ts'
import { planDraw, SHARDS } from '../../shared/domain/meter-block.ts'
import { bucketsOf } from '../../shared/domain/meter-series.ts'
import { UNLIMITED } from '../../shared/domain/overdraft.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-06-10T12:00:00Z')

const meter = (...licenses: LicenseOverrides[]) =>
  meterOf(
    standings(
      holdingsOf(
        licenses.map((one, index) => aLicense({ id: licenseId(index + 1), limits: { calls: 100 }, ...one })),
      ),
      NOW,
      () => true,
    ).values(),
    'calls',
  )
const metered = (
  overage: 'allow' | 'refuse' | { absolute: number } | { percent: number },
): LicenseOverrides => ({
  rules: { metering: { calls: { period: 'P1M', overage } } },
})

describe('a meter', () => {
  test.each<[string, LicenseOverrides[], number, number]>([
    ['without a rule is unlimited', [{}], 100, UNLIMITED],
    ['that allows overage is unlimited', [metered('allow')], 100, UNLIMITED],
    ['that refuses ends at the allowance', [metered('refuse')], 100, 100],
    ['adds up the licenses', [metered('refuse'), { type: 'TOPUP', limits: { calls: 20 } }], 120, 120],
    ['with so many more', [metered({ absolute: 5 })], 100, 105],
    ['with a share more, rounded down', [{ ...metered({ percent: 7.9 }), limits: { calls: 99 } }], 99, 106],
    ['with a share of decimals', [{ ...metered({ percent: 32.3 }), limits: { calls: 1000 } }], 1000, 1323],
    [
      'of an unlimited license',
      [{ ...metered('refuse'), limits: { calls: 'unlimited' } }],
      UNLIMITED,
      UNLIMITED,
    ],
    ['of a suspended license is shut', [{ ...metered('refuse'), suspendedAt: '2026-02-01T00:00:00Z' }], 0, 0],
    [
      'of a suspended license with overage is shut, too',
      [{ ...metered({ absolute: 5 }), suspendedAt: '2026-02-01T00:00:00Z' }],
      0,
      0,
    ],
    [
      'of one without the rule beside a suspended one',
      [{ ...metered('refuse'), suspendedAt: '2026-02-01T00:00:00Z' }, {}],
      100,
      UNLIMITED,
    ],
    [
      'of a license that was not applied says nothing',
      [{ ...metered('refuse'), appliedAt: undefined }],
      0,
      UNLIMITED,
    ],
  ])('%s', (_, licenses, capacity, limit) => {
    expect(meter(...licenses)).toMatchObject({ capacity, limit })
  })

  test('has the periods of the license that began first', () => {
    const early = { ...metered('refuse'), validFrom: '2026-01-15T00:00:00Z' }
    const late = { ...metered('allow'), validFrom: '2026-02-01T00:00:00Z' }
    expect(meter(late, early)).toMatchObject({ terms: { anchor: at('2026-01-15T00:00:00Z') }, limit: 200 })
  })

  test('of a metric named like something inherited has no rule', () => {
    const holdings = holdingsOf([aLicense(metered('refuse'))])
    const all = standings(holdings, NOW, () => true).values()
    expect(meterOf(all, 'constructor')).toEqual({ terms: undefined, capacity: 0, limit: UNLIMITED })
  })
})

describe('use is counted', () => {
  const monthly = meter({ ...metered('refuse'), validFrom: '2026-01-15T00:00:00Z' })
  test.each<[string, string, string, string, boolean]>([
    ['now in the current period', '2026-06-10T12:00:00Z', '2026-06-10T12:00:00Z', '2026-05-15', false],
    [
      'of the future, in the current period',
      '2026-09-01T00:00:00Z',
      '2026-06-10T12:00:00Z',
      '2026-05-15',
      false,
    ],
    [
      'late, in its own period while it is open',
      '2026-06-14T23:59:59Z',
      '2026-06-21T23:59:59Z',
      '2026-05-15',
      false,
    ],
    ['later, in the current one', '2026-06-14T23:59:59Z', '2026-06-22T00:00:00Z', '2026-06-15', true],
    ['of long ago, in the current one', '2020-01-01T00:00:00Z', '2026-06-22T00:00:00Z', '2026-06-15', true],
  ])('%s', (_, used, now, from, late) => {
    const booking = book(monthly, at(used), at(now))
    expect([booking.period?.from.slice(0, 10), booking.late]).toEqual([from, late])
  })

  test('for good where there is no period', () => {
    expect(book(meter({}), NOW, NOW)).toEqual({ period: undefined, late: false })
  })
})

describe('a counter in shards', () => {
  /** What the store does with a plan, without the store. */
  function counter(capacity: number, limit: number) {
    const hands = Array<number>(SHARDS).fill(0)
    let counted = 0
    const inHand = () => hands.reduce((sum, one) => sum + one, 0)
    return {
      used: () => counted - inHand(),
      counted: () => counted,
      add(shard: number, need: number): boolean {
        const own = hands[shard] ?? 0
        const plan = planDraw(need, own, counted, { capacity, limit })
        if (plan.kind === 'hand') hands[shard] = own - need
        if (plan.kind === 'take') {
          counted += plan.units
          hands[shard] = own + plan.units - need
        }
        if (plan.kind !== 'settle') return true
        if (inHand() > 0) {
          counted -= inHand()
          hands.fill(0)
          return this.add(shard, need)
        }
        if (counted + need > limit) return false
        counted += need
        return true
      },
    }
  }
  const additions = fc.array(
    fc.tuple(fc.integer({ min: 0, max: SHARDS - 1 }), fc.integer({ min: 1, max: 40 })),
    { minLength: 1, maxLength: 3000 },
  )

  test('refuses exactly what does not fit, as one without shards does', () => {
    fc.assert(
      fc.property(additions, fc.integer({ min: 0, max: 60_000 }), (drawn, limit) => {
        const sharded = counter(limit, limit)
        let used = 0
        for (const [shard, need] of drawn) {
          const fits = used + need <= limit
          expect(sharded.add(shard, need)).toBe(fits)
          if (fits) used += need
          expect(sharded.used()).toBe(used)
          expect(sharded.counted()).toBeLessThanOrEqual(limit)
        }
      }),
    )
  })

  test('shows at most 2 % more than was used, and overage only where there is some', () => {
    fc.assert(
      fc.property(additions, fc.integer({ min: 0, max: 60_000 }), (drawn, capacity) => {
        const sharded = counter(capacity, UNLIMITED)
        for (const [shard, need] of drawn) {
          expect(sharded.add(shard, need)).toBe(true)
          expect(sharded.counted()).toBeLessThanOrEqual(sharded.used() * 1.02 + 40)
          if (sharded.counted() > capacity) expect(sharded.used()).toBeGreaterThan(capacity)
        }
      }),
    )
  })

  test('writes to the counter for one addition in 50 once it is large', () => {
    const sharded = counter(UNLIMITED, UNLIMITED)
    for (let index = 0; index < 200_000; index += 1) sharded.add(index % SHARDS, 1)
    let writes = 0
    for (let index = 0; index < 100_000; index += 1) {
      const before = sharded.counted()
      sharded.add(index % SHARDS, 1)
      if (sharded.counted() !== before) writes += 1
    }
    expect(writes).toBeLessThanOrEqual(100_000 / 50)
  })
})

describe('a series', () => {
  const marks = [0, 1, 2, 3].map((hour) => at(`2026-06-01T0${hour}:00:00Z`))
  const hour = (index: number, kept: 'added' | 'late' | 'corrected' | 'value', amount: number) => ({
    at: at(`2026-06-01T0${index}:00:00Z`),
    kept,
    amount,
  })

  test('of a counter adds up what was kept; nothing is 0 and marked', () => {
    const hours = [hour(2, 'corrected', -2), hour(0, 'added', 5), hour(0, 'late', 3), hour(0, 'added', 1)]
    expect(bucketsOf('counter', marks, hours)).toMatchObject([
      { reported: true, value: 9, gross: 9, late: 3, corrected: 0 },
      { reported: false, value: 0 },
      { reported: true, value: -2, gross: 0, corrected: -2 },
    ])
  })

  test('of a gauge has no value where nothing was reported', () => {
    const before = { ...hour(0, 'value', 9), at: at('2026-05-31T23:59:59Z') }
    expect(bucketsOf('gauge', marks, [hour(1, 'value', 7), before, hour(5, 'value', 1)])).toMatchObject([
      { reported: false, value: null, least: null, most: null },
      { reported: true, value: 7, least: 7, most: 7 },
      { reported: false, value: null },
    ])
  })

  test('gathers hours into longer stretches, the last value last', () => {
    const long = [marks[0], marks[3]].filter((mark) => mark !== undefined)
    const hours = [hour(2, 'value', 4), hour(0, 'value', 9), hour(1, 'value', 2)]
    expect(bucketsOf('gauge', long, hours)).toMatchObject([{ value: 4, least: 2, most: 9 }])
  })
})
