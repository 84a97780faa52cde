import { describe, expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import { excessOf } from '../../shared/domain/seat-excess.ts'
import { TimeZone } from '../../shared/platform/time.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-06-20T00:00:00Z')

/** Of 120 seats, where 100 are licensed. */
function excess(overrides: LicenseOverrides[], size: object = {}) {
  const licenses = overrides.map((one, index) => aLicense({ id: licenseId(index + 1), ...one }))
  const all = [...standings(holdingsOf(licenses), NOW, () => true).values()]
  const cure = { cureDays: 14, timeZone: TimeZone.parse('UTC') }
  return excessOf('users', { assigned: 120, limit: 100, ...size }, all, cure, NOW)
}

const CUT: LicenseOverrides = { revision: 2, signedAt: '2026-06-19T00:00:00Z' }
const ENDED: LicenseOverrides = { validFrom: '2025-01-01T00:00:00Z', expiresAt: '2026-01-31T00:00:00Z' }

const EXTENDING: LicenseOverrides = { type: 'VALIDITY', extends: licenseId(2), limits: {} }
const DELETED: LicenseOverrides = { appliedAt: undefined, deletedAt: '2026-06-10T00:00:00Z' }

describe('the time to cure begins', () => {
  test.each<[string, LicenseOverrides[], string, boolean]>([
    ['when a license ended', [{}, ENDED], '2026-01-31', true],
    [
      'when its grace ended',
      [{}, { ...ENDED, graceDays: 30, graceEndsAt: '2026-03-02T00:00:00Z' }],
      '2026-03-02',
      true,
    ],
    ['when it was suspended', [{}, { suspendedAt: '2026-06-10T00:00:00Z' }], '2026-06-10', false],
    ['when it was revoked', [{}, { revokedAt: '2026-06-10T00:00:00Z' }], '2026-06-10', false],
    ['when it was deleted', [{}, { ...ENDED, deletedAt: '2026-06-10T00:00:00Z' }], '2026-06-10', false],
    [
      'and is over after the days it has, to the instant',
      [{ ...CUT, signedAt: '2026-06-06T00:00:00Z' }],
      '2026-06-06',
      true,
    ],
    [
      'when it was cut, whatever became of a license that gives others',
      [CUT, { ...ENDED, limits: { learners: 5 }, deletedAt: '2026-06-20T00:00:00Z' }],
      '2026-06-19',
      false,
    ],
    ['when one that counts was cut', [CUT], '2026-06-19', false],
    ['when one was cut, though another ended long ago', [CUT, ENDED], '2026-06-19', false],
    [
      'when what extended one that had ended was deleted',
      [{}, ENDED, { ...EXTENDING, ...DELETED }],
      '2026-06-10',
      false,
    ],
    [
      'when what extended it was suspended',
      [{}, ENDED, { ...EXTENDING, suspendedAt: '2026-06-10T00:00:00Z' }],
      '2026-06-10',
      false,
    ],
    [
      'when what extended it ended, though more is to come',
      [
        {},
        ENDED,
        { ...EXTENDING, expiresAt: '2026-06-10T00:00:00Z' },
        { ...EXTENDING, validFrom: '2026-07-01T00:00:00Z' },
      ],
      '2026-06-10',
      false,
    ],
    [
      'when the base of one was suspended',
      [
        { limits: {}, suspendedAt: '2026-06-10T00:00:00Z' },
        { type: 'TOPUP', extends: licenseId(1), limits: { users: 50 } },
      ],
      '2026-06-10',
      false,
    ],
    ['now, where nothing tells', [{}], '2026-06-20', false],
  ])('%s', (_, licenses, since, isOverdue) => {
    expect(excess(licenses)).toMatchObject({ seats: 20, since: at(`${since}T00:00:00Z`), isOverdue })
  })

  test('when it was first seen, where no license tells', () => {
    const seenAt = at('2026-06-18T00:00:00Z')
    expect(excess([{}], { seenAt })).toMatchObject({ since: seenAt })
    expect(excess([CUT], { seenAt })).toMatchObject({ since: at('2026-06-19T00:00:00Z') })
  })
})

test('as many seats as are licensed are none too many', () => {
  expect(excess([CUT], { assigned: 100 })).toBeUndefined()
  expect(excess([CUT], { assigned: 101 })).toMatchObject({ seats: 1 })
})
