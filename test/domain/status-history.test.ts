import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { License } from '../../shared/domain/license.ts'
import { statusAt } from '../../shared/domain/status.ts'
import { changesSince } from '../../shared/domain/status-history.ts'
import { aLicense, at, type LicenseOverrides, licenseId } from '../support/licenses.ts'
import { tick } from './arbitraries.ts'

const JANUARY = '2026-01-01T00:00:00.000Z'
const [JUNE, JULY, AUGUST] = [
  '2026-06-01T00:00:00.000Z',
  '2026-07-01T00:00:00.000Z',
  '2026-08-01T00:00:00.000Z',
]

/** From January to June, with grace until July; signed long before. */
const license = (overrides: LicenseOverrides = {}) =>
  aLicense({ validFrom: JANUARY, expiresAt: JUNE, graceEndsAt: JULY, graceDays: 30, ...overrides })

function told(
  one: License,
  seen: readonly [state: string, when: string],
  now: string,
  { extensions = [], state }: { extensions?: License[]; state?: string } = {},
) {
  const standing = { license: one, extensions, at: at(now) }
  const outcome = state ?? statusAt(one, at(now), extensions)
  return changesSince(standing, outcome, { state: seen[0], at: at(seen[1]) }).map(
    ({ before, after, since }) => `${before} ${after} ${since.slice(0, 10)}`,
  )
}

describe('what became of a license since it was looked at', () => {
  test.each<[string, [string, string], string, string[]]>([
    ['nothing, a moment before', ['ACTIVE', JANUARY], '2026-05-31T23:59:59.999Z', []],
    ['at the very instant', ['ACTIVE', JANUARY], JUNE, ['ACTIVE GRACE 2026-06-01']],
    ['late, at its own instant', ['ACTIVE', JANUARY], '2026-06-20T00:00:00Z', ['ACTIVE GRACE 2026-06-01']],
    ['after all of it', ['ACTIVE', JANUARY], AUGUST, ['ACTIVE GRACE 2026-06-01', 'GRACE EXPIRED 2026-07-01']],
    ['the rest of it', ['GRACE', '2026-06-20T00:00:00Z'], AUGUST, ['GRACE EXPIRED 2026-07-01']],
    ['nothing again', ['EXPIRED', AUGUST], '2027-01-01T00:00:00Z', []],
    [
      'a whole life',
      ['PENDING', '2025-12-20T00:00:00Z'],
      AUGUST,
      ['PENDING ACTIVE 2026-01-01', 'ACTIVE GRACE 2026-06-01', 'GRACE EXPIRED 2026-07-01'],
    ],
  ])('%s', (_, seen, now, expected) => {
    expect(told(license(), seen, now)).toEqual(expected)
  })

  test('an extension that began in grace is told, and its own end', () => {
    const extension = aLicense({ id: licenseId(2), validFrom: '2026-06-15T00:00:00Z', expiresAt: AUGUST })
    expect(told(license(), ['ACTIVE', JANUARY], AUGUST, { extensions: [extension] })).toEqual([
      'ACTIVE GRACE 2026-06-01',
      'GRACE ACTIVE 2026-06-15',
      'ACTIVE EXPIRED 2026-08-01',
    ])
  })

  describe('an extension counts', () => {
    const extension = (overrides: LicenseOverrides) =>
      aLicense({ id: licenseId(2), validFrom: JUNE, expiresAt: AUGUST, ...overrides })
    const [TENTH, TWENTIETH] = ['2026-07-10T00:00:00Z', '2026-07-20T00:00:00Z']

    test.each<[string, LicenseOverrides, string[]]>([
      ['until it is deleted', { appliedAt: undefined, deletedAt: TENTH }, ['ACTIVE EXPIRED 2026-07-10']],
      [
        'once its file is uploaded',
        { appliedAt: TENTH },
        ['ACTIVE GRACE 2026-06-01', 'GRACE EXPIRED 2026-07-01', 'EXPIRED ACTIVE 2026-07-10'],
      ],
      ['not before it is', { appliedAt: undefined }, ['ACTIVE GRACE 2026-06-01', 'GRACE EXPIRED 2026-07-01']],
    ])('%s', (_, overrides, expected) => {
      const one = extension(overrides)
      const state = overrides.appliedAt === undefined ? 'EXPIRED' : 'ACTIVE'
      expect(told(license(), ['ACTIVE', JANUARY], TWENTIETH, { extensions: [one], state })).toEqual(expected)
    })

    test('by its present dates from its last signing on', () => {
      const reinstated = extension({ signedAt: TENTH })
      expect(told(license(), ['EXPIRED', JULY], TWENTIETH, { extensions: [reinstated] })).toEqual([
        'EXPIRED ACTIVE 2026-07-10',
      ])
      const begun = extension({ signedAt: TENTH, validFrom: '2026-07-05T00:00:00Z' })
      expect(told(license(), ['EXPIRED', JULY], TWENTIETH, { extensions: [begun] })).toEqual([
        'EXPIRED ACTIVE 2026-07-10',
      ])
    })
  })

  test('a suspension counts from itself, and hides what time does meanwhile', () => {
    const suspended = license({ suspendedAt: '2026-06-10T00:00:00Z' })
    expect(told(suspended, ['ACTIVE', JANUARY], AUGUST)).toEqual([
      'ACTIVE GRACE 2026-06-01',
      'GRACE SUSPENDED 2026-06-10',
    ])
  })

  test('a revocation counts from itself, and from the last signing if that was after', () => {
    const revoked = license({ revokedAt: '2026-06-10T00:00:00Z' })
    expect(told(revoked, ['ACTIVE', JANUARY], AUGUST)).toEqual([
      'ACTIVE GRACE 2026-06-01',
      'GRACE REVOKED 2026-06-10',
    ])
    expect(told(revoked, ['GRACE', '2026-06-05T00:00:00Z'], '2026-06-10T00:00:00Z')).toEqual([
      'GRACE REVOKED 2026-06-10',
    ])
    const signed = license({ revokedAt: '2026-06-10T00:00:00Z', signedAt: '2026-06-12T00:00:00Z' })
    expect(told(signed, ['ACTIVE', JANUARY], AUGUST)).toEqual(['ACTIVE REVOKED 2026-06-12'])
  })

  test('a renewal is no change of what it found active; what expired is active from its signing', () => {
    const renewed = license({
      expiresAt: '2027-06-01T00:00:00Z',
      graceEndsAt: '2027-07-01T00:00:00Z',
      signedAt: JULY,
    })
    expect(told(renewed, ['ACTIVE', JANUARY], AUGUST)).toEqual([])
    expect(told(renewed, ['GRACE', '2026-06-02T00:00:00Z'], AUGUST)).toEqual(['GRACE ACTIVE 2026-07-01'])
  })

  test('a row that is not what was signed has no dates to go by', () => {
    expect(told(license(), ['ACTIVE', JANUARY], AUGUST, { state: 'TAMPERED' })).toEqual([
      'ACTIVE TAMPERED 2026-08-01',
    ])
    expect(told(license(), ['TAMPERED', JANUARY], AUGUST)).toEqual(['TAMPERED EXPIRED 2026-08-01'])
  })

  test('however often and whenever one looks, the same is told', () => {
    const looks = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 8 })
    const dates = fc.uniqueArray(fc.integer({ min: 1, max: 38 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(looks, dates, (some, [a = 1, b = 2, c = 3]) => {
        const [from, end, grace] = [a, b, c].toSorted((x, y) => x - y)
        const one = license({
          validFrom: tick(from ?? 1),
          expiresAt: tick(end ?? 2),
          graceEndsAt: tick(grace ?? 3),
          signedAt: tick(0),
        })
        const inSteps: string[] = []
        let seen: readonly [string, string] = ['PENDING', tick(0)]
        for (const look of [...some.toSorted((x, y) => x - y), 40]) {
          inSteps.push(...told(one, seen, tick(look)))
          seen = [statusAt(one, tick(look)), tick(look)]
        }
        expect(inSteps).toEqual(told(one, ['PENDING', tick(0)], tick(40)))
        expect(inSteps).toHaveLength(3)
      }),
    )
  })
})
