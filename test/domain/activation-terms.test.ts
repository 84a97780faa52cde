import { expect, test } from 'vitest'
import { machineTerms } from '../../shared/domain/activation-terms.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-07-01T00:00:00Z')

/** Within what the components of a machine are unique, asked without a license key. */
function scopeOf(...licenses: LicenseOverrides[]): string {
  const rules = { fingerprints: { match: 'any', unique: 'license' } } as const
  const all = licenses.map((one, index) =>
    aLicense({
      ...{ id: licenseId(index + 1), allocation: 'node-locked', limits: { machines: 5 }, rules },
      ...one,
    }),
  )
  const terms = machineTerms(holdingsOf(all), undefined, NOW, () => true)
  return isRefusal(terms) ? terms.refused : terms.scope
}

test('the renewal of one of several licenses leaves a machine where it is', () => {
  const [sooner, later] = [{ expiresAt: '2027-01-01T00:00:00Z' }, { expiresAt: '2028-01-01T00:00:00Z' }]
  const own = `license:${licenseId(1)}`
  expect([scopeOf(sooner, sooner), scopeOf(sooner, later), scopeOf(later, sooner)]).toEqual([own, own, own])
  const inGrace = { expiresAt: '2026-06-20T00:00:00Z', graceDays: 30, graceEndsAt: '2026-07-20T00:00:00Z' }
  expect(scopeOf(inGrace, later)).toBe(own)
  expect(scopeOf({ ...later, type: 'TRIAL', term: 'trial' }, sooner)).toBe(`license:${licenseId(2)}`)
})
