import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Standing, standings } from '../../shared/domain/holdings.ts'
import type { License } from '../../shared/domain/license.ts'
import type { Status } from '../../shared/domain/status.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')
const genuine = () => true

/** How each license stands now, by its number. */
function stand(licenses: readonly License[], isGenuine: (license: License) => boolean = genuine) {
  const found = standings(holdingsOf(licenses), NOW, isGenuine)
  return (number: number): Standing => {
    const standing = found.get(licenseId(number))
    if (standing === undefined) throw new Error(`license ${number} has no standing`)
    return standing
  }
}

const base = (more: LicenseOverrides = {}) => aLicense(more)
const topup = (more: LicenseOverrides = {}) =>
  aLicense({ id: licenseId(2), type: 'TOPUP', extends: licenseId(1), limits: { users: 10 }, ...more })
const validity = (more: LicenseOverrides = {}) =>
  aLicense({
    id: licenseId(3),
    type: 'VALIDITY',
    extends: licenseId(1),
    limits: {},
    validFrom: '2026-06-01T00:00:00Z',
    expiresAt: '2026-12-01T00:00:00Z',
    ...more,
  })

const ended: LicenseOverrides = { expiresAt: '2026-06-01T00:00:00Z' }
const inGrace: LicenseOverrides = { ...ended, graceDays: 60, graceEndsAt: '2026-07-31T00:00:00Z' }
const cases: Record<string, [LicenseOverrides, Status, Standing['because'] | undefined]> = {
  active: [{}, 'ACTIVE', undefined],
  'in grace': [inGrace, 'GRACE', undefined],
  expired: [ended, 'EXPIRED', 'STATUS'],
  pending: [{ validFrom: '2026-08-01T00:00:00Z' }, 'PENDING', 'STATUS'],
  suspended: [{ suspendedAt: '2026-03-01T00:00:00Z' }, 'SUSPENDED', 'STATUS'],
  revoked: [{ revokedAt: '2026-03-01T00:00:00Z' }, 'REVOKED', 'STATUS'],
  'not applied': [{ appliedAt: undefined }, 'ACTIVE', 'NOT_APPLIED'],
  'deleted by the customer': [
    { appliedAt: undefined, deletedAt: '2026-02-01T00:00:00Z' },
    'ACTIVE',
    'NOT_APPLIED',
  ],
  'expired and not applied': [{ ...ended, appliedAt: undefined }, 'EXPIRED', 'STATUS'],
}

describe('a base license', () => {
  test.each(Object.entries(cases))('%s', (_, [overrides, status, because]) => {
    const standing = stand([base(overrides)])(1)
    expect(standing).toMatchObject({
      status,
      counts: because === undefined,
      lacksBase: false,
      extensions: [],
    })
    expect(standing.because).toBe(because)
    expect(standing.base).toBeUndefined()
  })

  test.each(Object.entries(cases))('%s, and not what was signed: TAMPERED', (_, [overrides, status]) => {
    expect(stand([base(overrides)], () => false)(1)).toMatchObject({
      status,
      counts: false,
      because: 'TAMPERED',
    })
  })
})

describe('a license that extends another', () => {
  test.each(Object.entries(cases))('counts only if its base does: base %s', (_, [overrides, , because]) => {
    const licenses = [base(overrides), topup()]
    for (const listed of [licenses, licenses.toReversed()]) {
      const standing = stand(listed)(2)
      expect(standing).toMatchObject({
        status: 'ACTIVE',
        counts: because === undefined,
        lacksBase: because !== undefined,
      })
      expect(standing.because).toBe(because && 'BASE_NOT_IN_FORCE')
      expect(standing.base?.id).toBe(licenseId(1))
    }
  })

  test('does not count beside a tampered base', () => {
    const standing = stand([base(), topup()], (license) => license.id !== licenseId(1))
    expect(standing(1).because).toBe('TAMPERED')
    expect(standing(2)).toMatchObject({ counts: false, because: 'BASE_NOT_IN_FORCE' })
  })

  test('does not count without its base', () => {
    expect(stand([topup()])(2)).toMatchObject({
      counts: false,
      because: 'BASE_NOT_IN_FORCE',
      lacksBase: true,
      base: undefined,
    })
  })

  test('does not count on top of one that extends another itself', () => {
    const third = aLicense({ id: licenseId(3), type: 'TOPUP', extends: licenseId(2) })
    const standing = stand([base(), topup(), third])
    expect(standing(2).counts).toBe(true)
    expect(standing(3)).toMatchObject({ counts: false, because: 'BASE_NOT_IN_FORCE' })
  })

  test('its own status comes first, and the base is missed all the same', () => {
    expect(stand([topup(ended)])(2)).toMatchObject({ because: 'STATUS', lacksBase: true })
    expect(stand([topup({ appliedAt: undefined })])(2)).toMatchObject({
      because: 'NOT_APPLIED',
      lacksBase: true,
    })
  })

  test('leaves its base as it is, whatever its own state', () => {
    const standing = stand([base(), topup(ended)])
    expect(standing(1).counts).toBe(true)
    expect(standing(2)).toMatchObject({ because: 'STATUS', lacksBase: false })
  })

  test('two that extend each other, and one that extends itself, do not count and come to an end', () => {
    const standing = stand([
      aLicense({ id: licenseId(1), extends: licenseId(2) }),
      aLicense({ id: licenseId(2), type: 'TOPUP', extends: licenseId(1) }),
      aLicense({ id: licenseId(3), type: 'TOPUP', extends: licenseId(3) }),
    ])
    expect([1, 2, 3].map((number) => standing(number).because)).toEqual(Array(3).fill('BASE_NOT_IN_FORCE'))
  })
})

describe('a VALIDITY license', () => {
  test('extends an expired base, and what extends that base', () => {
    const standing = stand([base(ended), topup(), validity()])
    expect(standing(1)).toMatchObject({ status: 'ACTIVE', counts: true })
    expect(standing(1).extensions.map(({ id }) => id)).toEqual([licenseId(3)])
    expect(standing(2).counts).toBe(true)
    expect(standing(3).counts).toBe(true)
  })

  test.each<[string, LicenseOverrides]>([
    ['suspended', { suspendedAt: '2026-06-15T00:00:00Z' }],
    ['revoked', { revokedAt: '2026-06-15T00:00:00Z' }],
    ['over', { expiresAt: '2026-06-20T00:00:00Z' }],
    ['still to come', { validFrom: '2026-08-01T00:00:00Z' }],
    ['not applied', { appliedAt: undefined }],
    ['for another license', { extends: licenseId(7) }],
    ['of another type', { type: 'TOPUP' }],
  ])('that is %s does not save its base', (_, overrides) => {
    expect(stand([base(ended), validity(overrides)])(1)).toMatchObject({
      status: 'EXPIRED',
      counts: false,
      because: 'STATUS',
    })
  })

  test('that is tampered extends nothing', () => {
    const standing = stand([base(ended), validity()], ({ id }) => id !== licenseId(3))
    expect(standing(1)).toMatchObject({ status: 'EXPIRED', counts: false, extensions: [] })
    expect(standing(3).because).toBe('TAMPERED')
  })

  test('does not lift a suspension', () => {
    const suspended = base({ ...ended, suspendedAt: '2026-03-01T00:00:00Z' })
    expect(stand([suspended, validity()])(1).status).toBe('SUSPENDED')
  })
})

test('whatever names whatever: every license is settled, once, and counts exactly if nothing speaks against it', () => {
  const drawn = fc.record({
    state: fc.constantFrom(...Object.keys(cases)),
    type: fc.constantFrom('NORMAL', 'TOPUP', 'VALIDITY', 'TRIAL', 'FEATURE'),
    names: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
    genuine: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(drawn, { minLength: 1, maxLength: 6 }), (rows) => {
      const licenses = rows.map(({ state, type, names }, index) =>
        aLicense({
          ...cases[state]?.[0],
          id: licenseId(index + 1),
          type,
          extends: names === undefined ? undefined : licenseId(names),
        }),
      )
      const isGenuine = (license: License) => rows[licenses.indexOf(license)]?.genuine === true
      const found = standings(holdingsOf(licenses), NOW, isGenuine)

      expect([...found.keys()].toSorted()).toEqual(licenses.map(({ id }) => id))
      for (const standing of found.values()) {
        const { license } = standing
        const other = license.extends && found.get(license.extends)
        const supported =
          license.extends === undefined || (other?.counts === true && other.license.extends === undefined)
        expect(standing.lacksBase).toBe(!supported)
        expect(standing.counts).toBe(standing.because === undefined)
        expect(standing.counts).toBe(
          isGenuine(license) &&
            ['ACTIVE', 'GRACE'].includes(standing.status) &&
            license.appliedAt !== undefined &&
            supported,
        )
      }
    }),
    { numRuns: 500 },
  )
})
