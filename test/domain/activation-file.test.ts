import { describe, expect, test } from 'vitest'
import { endOfPlaces } from '../../shared/domain/activation-file.ts'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')
const LOCKED: LicenseOverrides = { allocation: 'node-locked', limits: { machines: 5 } }
const NEVER: LicenseOverrides = { term: 'perpetual', expiresAt: undefined, duration: undefined }

/** Until when a machine that is activated by file works. */
function end(...licenses: LicenseOverrides[]): string | undefined {
  const all = licenses.map((one, index) => aLicense({ id: licenseId(index + 1), ...LOCKED, ...one }))
  const terms = machineTerms(holdingsOf(all), undefined, NOW, () => true)
  return isRefusal(terms) ? terms.refused : endOfPlaces(terms)?.slice(0, 10)
}

describe('an offline activation ends with', () => {
  const until = (day: string) => ({ expiresAt: `${day}T00:00:00Z` })
  const grace = { graceDays: 31, graceEndsAt: '2027-02-01T00:00:00Z' }
  const topUp: LicenseOverrides = { type: 'TOPUP', extends: licenseId(1) }
  test.each<[string, LicenseOverrides[], string | undefined]>([
    ['its license', [{}], '2027-01-01'],
    ['the grace of its license', [grace], '2027-02-01'],
    ['the last of several', [{}, until('2028-01-01')], '2028-01-01'],
    ['nothing where one never ends', [{}, NEVER], undefined],
    [
      'the one that gives machines, whatever a feature lasts',
      [{}, { ...NEVER, type: 'FEATURE', limits: {} }],
      '2027-01-01',
    ],
    ['a base, though its top-up never ends', [{}, { ...topUp, ...NEVER }], '2027-01-01'],
    [
      'a top-up, though its base gives no machines and never ends',
      [{ ...NEVER, limits: {} }, topUp],
      '2027-01-01',
    ],
    ['what is in force, where nothing gives machines any more', [{ limits: {} }], '2027-01-01'],
  ])('%s', (_, licenses, expected) => {
    expect(end(...licenses)).toBe(expected)
  })
})
