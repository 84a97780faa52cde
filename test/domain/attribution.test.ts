import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute, byPrecedence } from '../../shared/domain/entitlement.ts'
import { type Standing, standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')
const NEVER_ENDS: LicenseOverrides = { term: 'perpetual', expiresAt: undefined, duration: undefined }
const inGrace = (until: string): LicenseOverrides => ({
  expiresAt: '2026-06-20T00:00:00Z',
  graceDays: 30,
  graceEndsAt: until,
})

const stand = (licenses: readonly License[]): Standing[] => [
  ...standings(holdingsOf(licenses), NOW, () => true).values(),
]

describe('the order in which use is attributed', () => {
  // Written in that order; what decides between neighbours is named beside the second.
  const inOrder: LicenseOverrides[] = [
    { id: licenseId(30), type: 'NORMAL', ...NEVER_ENDS },
    { id: licenseId(31), type: 'NORMAL', ...NEVER_ENDS }, // id
    { id: licenseId(20), type: 'NORMAL', expiresAt: '9999-12-31T23:59:59.999Z' }, // never ends after every date
    { id: licenseId(19), type: 'NORMAL', expiresAt: '2028-01-01T00:00:00Z' }, // ends earlier
    { id: licenseId(18), type: 'NORMAL', expiresAt: '2027-12-31T23:59:59.999Z' }, // ends earlier
    { id: licenseId(17), type: 'NORMAL', ...inGrace('2026-07-20T00:00:00Z') }, // grace after active
    { id: licenseId(16), type: 'TOPUP', ...NEVER_ENDS }, // type before everything
    { id: licenseId(15), type: 'TOPUP', ...inGrace('2026-07-20T00:00:00Z') },
    { id: licenseId(14), type: 'FEATURE', ...NEVER_ENDS },
    { id: licenseId(13), type: 'VALIDITY', ...NEVER_ENDS },
    { id: licenseId(12), type: 'TRIAL', ...NEVER_ENDS },
    { id: licenseId(11), type: 'TRIAL', expiresAt: '2026-07-02T00:00:00Z' },
  ]
  const sorted = stand(inOrder.map(aLicense))

  test('each comes before all that follow it', () => {
    for (const [index, first] of sorted.entries()) {
      expect(byPrecedence(first, first)).toBe(0)
      for (const second of sorted.slice(index + 1)) {
        expect(byPrecedence(first, second)).toBeLessThan(0)
        expect(byPrecedence(second, first)).toBeGreaterThan(0)
      }
    }
  })

  test('sorting any order of them gives this one', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(sorted, { minLength: sorted.length }), (shuffled) => {
        expect(shuffled.toSorted(byPrecedence)).toEqual(sorted)
      }),
    )
  })

  describe('with an extension', () => {
    const validity = (from: string) =>
      aLicense({
        id: licenseId(3),
        type: 'VALIDITY',
        extends: licenseId(1),
        limits: {},
        validFrom: from,
        expiresAt: '2027-12-01T00:00:00Z',
      })
    const order = (...licenses: License[]) =>
      stand(licenses)
        .filter((one) => one.counts && one.license.type !== 'VALIDITY')
        .toSorted(byPrecedence)
        .map(({ license }) => license.id)

    test('an end that was put off counts as put off', () => {
      const earlier = aLicense({ id: licenseId(1), expiresAt: '2027-01-01T00:00:00Z' })
      const later = aLicense({ id: licenseId(2), expiresAt: '2027-06-01T00:00:00Z' })
      expect(order(earlier, later)).toEqual([licenseId(2), licenseId(1)])
      expect(order(earlier, later, validity('2027-01-01T00:00:00Z'))).toEqual([licenseId(1), licenseId(2)])
    })

    test('grace comes after active even if an extension still to come ends last', () => {
      const grace = aLicense({ id: licenseId(1), ...inGrace('2026-07-20T00:00:00Z') })
      const active = aLicense({ id: licenseId(2), expiresAt: '2027-01-01T00:00:00Z' })
      expect(order(grace, active, validity('2026-07-10T00:00:00Z'))).toEqual([licenseId(2), licenseId(1)])
    })
  })
})

describe('attribute', () => {
  const users = (...limits: (number | 'unlimited' | undefined)[]) =>
    stand(
      limits.map((limit, index) =>
        aLicense({ id: licenseId(index + 1), limits: limit === undefined ? {} : { users: limit } }),
      ),
    )

  test.each<[string, number, (number | 'unlimited' | undefined)[], number[], number]>([
    ['the first takes all it can', 63, [100, 10], [63, 0], 0],
    ['the next takes the rest', 105, [100, 10], [100, 5], 0],
    ['exactly full', 110, [100, 10], [100, 10], 0],
    ['what nobody covers is excess', 117, [100, 10], [100, 10], 7],
    ['unlimited takes everything left', 500, [100, 'unlimited', 10], [100, 400, 0], 0],
    ['a license without the metric has no share', 5, [undefined, 3], [3], 2],
    ['a limit of 0 takes nothing', 5, [0, 3], [0, 3], 2],
    ['nothing used', 0, [100, 10], [0, 0], 0],
    ['no license', 4, [], [], 4],
  ])('%s', (_, used, limits, shares, excess) => {
    const found = attribute('users', used, users(...limits))
    expect(found.shares.map((share) => share.used)).toEqual(shares)
    expect(found.excess).toBe(excess)
    expect(found.shares.map((share) => share.limit)).toEqual(limits.filter((limit) => limit !== undefined))
  })

  test('names the license and the metric', () => {
    expect(attribute('users', 3, users(5)).shares).toEqual([
      { licenseId: licenseId(1), metric: 'users', used: 3, limit: 5 },
    ])
  })

  test.each<[string, LicenseOverrides]>([
    ['suspended', { suspendedAt: '2026-02-01T00:00:00Z' }],
    ['expired', { expiresAt: '2026-07-01T00:00:00Z' }],
    ['not applied', { appliedAt: undefined }],
    ['without its base', { type: 'TOPUP', extends: licenseId(7) }],
  ])('a license %s carries nothing', (_, overrides) => {
    const counting = aLicense({ id: licenseId(2), limits: { users: 10 } })
    expect(attribute('users', 15, stand([aLicense(overrides), counting]))).toEqual({
      shares: [{ licenseId: licenseId(2), metric: 'users', used: 10, limit: 10 }],
      excess: 5,
    })
  })

  test('a metric named like something inherited is only carried by who grants it', () => {
    expect(attribute('constructor', 5, users(100))).toEqual({ shares: [], excess: 5 })
  })

  const license = fc.record({
    type: fc.constantFrom<License['type'][]>('NORMAL', 'TOPUP', 'FEATURE', 'TRIAL'),
    state: fc.constantFrom<LicenseOverrides[]>(
      {},
      { expiresAt: '2028-01-01T00:00:00Z' },
      NEVER_ENDS,
      inGrace('2026-07-20T00:00:00Z'),
      { appliedAt: undefined },
    ),
    limits: fc.constantFrom<LicenseOverrides['limits'][]>(
      {},
      { users: 0 },
      { users: 3 },
      { users: 10 },
      { users: 500 },
      { users: 'unlimited' },
    ),
  })
  const held = fc
    .array(license, { maxLength: 8 })
    .map((drawn) =>
      stand(
        drawn.map(({ state, ...rest }, index) => aLicense({ id: licenseId(index + 1), ...rest, ...state })),
      ),
    )

  test('no share exceeds its limit, nothing is lost or invented, and each is full before the next begins', () => {
    fc.assert(
      fc.property(held, fc.nat(1500), (all, used) => {
        const { shares, excess } = attribute('users', used, all)
        expect(shares.reduce((total, share) => total + share.used, excess)).toBe(used)
        for (const [index, share] of shares.entries()) {
          const capacity = share.limit === 'unlimited' ? Number.POSITIVE_INFINITY : share.limit
          const later = shares.slice(index + 1).reduce((total, next) => total + next.used, excess)
          expect(share.used).toBeGreaterThanOrEqual(0)
          expect(share.used).toBeLessThanOrEqual(capacity)
          if (later > 0) expect(share.used).toBe(capacity)
        }
        const carrying = all.filter((one) => one.counts && 'users' in one.license.limits)
        expect(shares.map((share) => share.licenseId)).toEqual(
          carrying.toSorted(byPrecedence).map((one) => one.license.id),
        )
      }),
      { numRuns: 500 },
    )
  })

  test('the order in which the licenses are given changes nothing', () => {
    const shuffled = held.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    )
    fc.assert(
      fc.property(shuffled, fc.nat(1500), ([all, turned], used) => {
        expect(attribute('users', used, turned)).toEqual(attribute('users', used, all))
      }),
    )
  })
})
