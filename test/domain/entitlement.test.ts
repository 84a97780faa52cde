import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Entitlement, entitlement, room, sum } from '../../shared/domain/entitlement.ts'
import { evaluateFlag } from '../../shared/domain/flags.ts'
import { standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { Code } from '../../shared/domain/terms.ts'
import type { Usage } from '../../shared/domain/usage.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId, PRODUCT } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')
const GRACE: LicenseOverrides = {
  expiresAt: '2026-06-20T00:00:00Z',
  graceDays: 30,
  graceEndsAt: '2026-07-20T00:00:00Z',
}

const used = (metric: string, value: number): Usage => ({ kind: 'gauge', metric, value, at: NOW })

function granted(licenses: readonly License[], usage: readonly Usage[] = []): Entitlement {
  const holdings = holdingsOf(licenses, usage)
  return entitlement(holdings, standings(holdings, NOW, () => true).values())
}

/** Licenses numbered in the order given, with what differs of each. */
const licensed = (...overrides: LicenseOverrides[]) =>
  overrides.map((one, index) => aLicense({ id: licenseId(index + 1), ...one }))

const poolOf = (found: Entitlement, metric: string) => found.pools.find((pool) => pool.metric === metric)

describe('capacities', () => {
  test('the use of a gauge has no periods, whatever a license says', () => {
    const rules = { metering: { users: { period: 'P1M', overage: 'refuse' as const } } }
    expect(poolOf(granted(licensed({ rules }), [used('users', 63)]), 'users')).toMatchObject({ used: 63 })
  })

  test('100 users active and 10 in grace are 110; 63 of them used are 57 %, 47 are left', () => {
    const found = granted(licensed({}, { limits: { users: 10 }, ...GRACE }), [used('users', 63)])
    expect(found).toEqual({
      productId: PRODUCT,
      inForce: true,
      pools: [
        {
          metric: 'users',
          capacity: 110,
          used: 63,
          remaining: 47,
          utilization: 57,
          sources: [
            { licenseId: licenseId(1), type: 'NORMAL', amount: 100 },
            { licenseId: licenseId(2), type: 'NORMAL', amount: 10 },
          ],
        },
      ],
      features: {},
      expiresAt: '2027-01-01T00:00:00.000Z',
    })
  })

  test.each<[string, LicenseOverrides]>([
    ['expired', { expiresAt: '2026-07-01T00:00:00Z' }],
    ['pending', { validFrom: '2026-07-01T00:00:00.001Z' }],
    ['suspended', { suspendedAt: '2026-05-01T00:00:00Z' }],
    ['revoked', { revokedAt: '2026-05-01T00:00:00Z' }],
    ['not applied', { appliedAt: undefined }],
  ])('%s gives nothing', (_, overrides) => {
    const gone = { limits: { users: 7, departments: 3 }, features: { reports: true }, ...overrides }
    const found = granted(licensed({}, gone))
    expect(poolOf(found, 'users')?.capacity).toBe(100)
    expect(poolOf(found, 'departments')).toBeUndefined()
    expect(found.features).toEqual({})
  })

  test('nothing in force: no capacity, and what is used shows all the same', () => {
    const expired = licensed({ expiresAt: '2026-07-01T00:00:00Z' })
    expect(granted(expired, [used('users', 63)])).toEqual({
      productId: PRODUCT,
      inForce: false,
      pools: [{ metric: 'users', capacity: 0, used: 63, remaining: 0, utilization: null, sources: [] }],
      features: {},
    })
    expect(granted([])).toEqual({ productId: PRODUCT, inForce: false, pools: [], features: {} })
  })

  test('unlimited absorbs every number', () => {
    const found = granted(licensed({}, { limits: { users: 'unlimited' } }, { limits: { users: 5 } }), [
      used('users', 4711),
    ])
    expect(poolOf(found, 'users')).toMatchObject({
      capacity: 'unlimited',
      used: 4711,
      remaining: 'unlimited',
      utilization: null,
    })
    expect(poolOf(found, 'users')?.sources.map((source) => source.amount)).toContain(5)
  })

  test('metrics come in alphabetical order, each with its own licenses', () => {
    const found = granted(
      licensed({ limits: { users: 1, departments: 2 } }, { limits: { signatures: 3, users: 4 } }),
      [used('certificates', 9)],
    )
    expect(found.pools.map(({ metric, capacity, sources }) => [metric, capacity, sources.length])).toEqual([
      ['certificates', 0, 0],
      ['departments', 2, 1],
      ['signatures', 3, 1],
      ['users', 5, 2],
    ])
  })

  test('a metric may be named like something that every object inherits', () => {
    const found = granted(licensed({ limits: { constructor: 3, toString: 4 } }, { limits: { users: 1 } }))
    expect(found.pools.map(({ metric, capacity }) => [metric, capacity])).toEqual([
      ['constructor', 3],
      ['toString', 4],
      ['users', 1],
    ])
  })
})

describe('room', () => {
  test.each([
    [110, 63, 47, 57],
    [100, 0, 100, 0],
    [100, 100, 0, 100],
    [100, 101, 0, 101],
    [100, 250, 0, 250],
    [0, 0, 0, null],
    [0, 5, 0, null],
    [200, 1, 199, 1], // 0.5 %
    [201, 1, 200, 0],
    [200, 57, 143, 29], // 28.5 %, which 57 / 200 × 100 in floating point is not
    [40, 1, 39, 3], // 2.5 %
    [3, 2, 1, 67],
    [3, 1, 2, 33],
  ])('of %d with %d used: %d left, %d %%', (capacity, inUse, remaining, utilization) => {
    expect(room(capacity, inUse)).toEqual({ remaining, utilization })
  })

  test('without limit there is no share', () => {
    expect(room('unlimited', 12)).toEqual({ remaining: 'unlimited', utilization: null })
  })

  test('never less than nothing left; the share is rounded half up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.nat(3_000_000), (capacity, inUse) => {
        const { remaining, utilization } = room(capacity, inUse)
        expect(remaining).toBe(inUse > capacity ? 0 : capacity - inUse)
        const halfUp = (BigInt(inUse) * 200n + BigInt(capacity)) / (2n * BigInt(capacity))
        expect(utilization).toBe(Number(halfUp))
      }),
      { numRuns: 1000 },
    )
  })
})

test.each([
  [[], 0],
  [[1, 2, 3], 6],
  [[1, 'unlimited', 3] as const, 'unlimited'],
  [['unlimited', 'unlimited'] as const, 'unlimited'],
  [[0], 0],
])('the sum of %j is %s', (limits, total) => {
  expect(sum(limits)).toBe(total)
})

describe('features', () => {
  const TRIAL: LicenseOverrides = { type: 'TRIAL', term: 'trial' }
  const merged = (...given: LicenseOverrides[]) => granted(licensed(...given)).features

  test.each<[string, LicenseOverrides[], Record<string, unknown>]>([
    [
      'a switch is on if any license has it on',
      [{ features: { a: false } }, { features: { a: true } }],
      { a: true },
    ],
    ['whichever comes first', [{ features: { a: true } }, { features: { a: false } }], { a: true }],
    ['and off if all have it off', [{ features: { a: false } }, { features: { a: false } }], { a: false }],
    [
      'a number is the highest',
      [{ features: { n: 3 } }, { features: { n: 12 } }, { features: { n: 5 } }],
      { n: 12 },
    ],
    ['also below zero', [{ features: { n: -3 } }, { features: { n: -12 } }], { n: -3 }],
    [
      'a text is that of the license ending last',
      [
        { features: { edition: 'basic' }, expiresAt: '2027-01-01T00:00:00Z' },
        { features: { edition: 'campus' }, expiresAt: '2028-01-01T00:00:00Z' },
        { features: { edition: 'school' }, expiresAt: '2026-12-01T00:00:00Z' },
      ],
      { edition: 'campus' },
    ],
    [
      'whatever its type',
      [
        { features: { edition: 'basic' }, expiresAt: '2027-01-01T00:00:00Z' },
        { ...TRIAL, features: { edition: 'campus' }, expiresAt: '2028-01-01T00:00:00Z' },
      ],
      { edition: 'campus' },
    ],
    [
      'never ends after every date',
      [
        { features: { edition: 'basic' }, expiresAt: '9999-12-31T23:59:59Z' },
        { features: { edition: 'campus' }, term: 'perpetual', expiresAt: undefined, duration: undefined },
      ],
      { edition: 'campus' },
    ],
    [
      'of those ending together, that of the first in order',
      [{ ...TRIAL, features: { edition: 'trial' } }, { features: { edition: 'basic' } }],
      { edition: 'basic' },
    ],
    ['all are kept', [{ features: { b: true } }, { features: { a: 1, c: 'x' } }], { a: 1, b: true, c: 'x' }],
  ])('%s', (_, given, expected) => {
    expect(merged(...given)).toEqual(expected)
  })

  test('that are named like something every object inherits are off until a license gives them', () => {
    const flag = (features: Record<string, boolean>) => {
      const held = holdingsOf(licensed({ features }))
      const all = [...standings(held, NOW, () => true).values()]
      return evaluateFlag(
        { code: 'constructor', type: 'boolean' },
        'edu',
        entitlement(held, all).features,
        all,
      )
    }
    expect(flag({})).toMatchObject({ value: false, variant: 'not-licensed', metadata: { product: 'edu' } })
    expect(flag({ constructor: true })).toMatchObject({ value: true, metadata: { licenses: licenseId(1) } })
  })

  test('are listed alphabetically', () => {
    expect(Object.keys(merged({ features: { z: 1, b: 1 } }, { features: { c: 1, A: 1 } }))).toEqual([
      'A',
      'b',
      'c',
      'z',
    ])
  })

  test('a license extended by another ends when that one does', () => {
    const validity = aLicense({
      id: licenseId(9),
      type: 'VALIDITY',
      extends: licenseId(1),
      limits: {},
      expiresAt: '2029-01-01T00:00:00Z',
    })
    const two = licensed(
      { features: { edition: 'basic' } },
      { features: { edition: 'campus' }, expiresAt: '2028-01-01T00:00:00Z' },
    )
    expect(granted(two).features).toEqual({ edition: 'campus' })
    expect(granted([...two, validity]).features).toEqual({ edition: 'basic' })
  })
})

describe('when it ends', () => {
  const ends = (...given: LicenseOverrides[]) => granted(licensed(...given)).expiresAt
  const PERPETUAL: LicenseOverrides = { term: 'perpetual', expiresAt: undefined, duration: undefined }

  test('with the last license in force', () => {
    expect(ends({}, { expiresAt: '2028-01-01T00:00:00Z' }, { expiresAt: '2026-08-01T00:00:00Z' })).toBe(
      '2028-01-01T00:00:00.000Z',
    )
  })
  test('never, if one never does', () => {
    expect(ends({}, PERPETUAL)).toBeUndefined()
  })
  test('regardless of those not in force', () => {
    expect(ends({}, { ...PERPETUAL, suspendedAt: '2026-01-01T00:00:00Z' })).toBe('2027-01-01T00:00:00.000Z')
  })
  test.each<[string, LicenseOverrides]>([
    ['later', { expiresAt: '2028-01-01T00:00:00Z' }],
    ['never', PERPETUAL],
  ])('with the base of what adds to it and ends %s: it counts no longer than that', (_, later) => {
    expect(ends({}, { ...later, type: 'TOPUP', extends: licenseId(1) })).toBe('2027-01-01T00:00:00.000Z')
  })
  test('with its extensions', () => {
    const validity: LicenseOverrides = {
      type: 'VALIDITY',
      extends: licenseId(1),
      validFrom: '2027-01-01T00:00:00Z',
      expiresAt: '2027-06-01T00:00:00Z',
    }
    expect(ends({}, validity)).toBe('2027-06-01T00:00:00.000Z')
  })
})

describe('whatever the licenses', () => {
  const metrics = ['users', 'departments', 'constructor'].map((code) => Code.parse(code))
  const limit = fc.oneof(
    { weight: 8, arbitrary: fc.nat(1000) },
    { weight: 1, arbitrary: fc.constant('unlimited' as const) },
  )
  const license = fc.record({
    type: fc.constantFrom<License['type'][]>('NORMAL', 'TOPUP', 'FEATURE', 'TRIAL'),
    state: fc.constantFrom<LicenseOverrides[]>(
      {},
      {},
      GRACE,
      { appliedAt: undefined },
      { expiresAt: '2026-02-01T00:00:00Z' },
    ),
    limits: fc.dictionary(fc.constantFrom(...metrics), limit),
    features: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(fc.boolean(), fc.integer())),
  })
  const licenses = fc
    .array(license, { maxLength: 7 })
    .map((drawn) => licensed(...drawn.map(({ state, ...rest }) => ({ ...rest, ...state }))))
  const usage = fc
    .uniqueArray(fc.tuple(fc.constantFrom(...metrics), fc.nat(5000)), { selector: ([metric]) => metric })
    .map((rows) => rows.map(([metric, value]) => used(metric, value)))

  test('the sources add up to the capacity, and each is a license in force', () => {
    fc.assert(
      fc.property(licenses, usage, (held, reported) => {
        const found = Entitlement.parse(granted(held, reported))
        const inForce = held.filter(
          (one) => one.appliedAt && (one.graceEndsAt ?? one.expiresAt ?? 'never') > NOW,
        )
        for (const { metric, capacity, sources, used: inUse, ...shown } of found.pools) {
          const giving = inForce.filter((one) => Object.hasOwn(one.limits, metric))
          expect(new Set(sources.map((source) => source.licenseId))).toEqual(
            new Set(giving.map(({ id }) => id)),
          )
          const amounts = giving.map((one) => one.limits[metric])
          const total = amounts.includes('unlimited')
            ? 'unlimited'
            : amounts.reduce<number>((all, amount) => all + Number(amount), 0)
          expect(capacity).toBe(total)
          expect(sum(sources.map((source) => source.amount))).toBe(capacity)
          expect(inUse).toBe(reported.find((one) => one.metric === metric)?.value ?? 0)
          expect(shown).toEqual(room(capacity, inUse))
        }
        expect(found.inForce).toBe(inForce.length > 0)
      }),
      { numRuns: 300 },
    )
  })

  test('their order does not matter', () => {
    const shuffled = licenses.chain((held) =>
      fc.tuple(fc.constant(held), fc.shuffledSubarray(held, { minLength: held.length })),
    )
    fc.assert(
      fc.property(shuffled, usage, ([held, turned], reported) => {
        expect(granted(turned, reported)).toEqual(granted(held, reported))
      }),
      { numRuns: 300 },
    )
  })
})
