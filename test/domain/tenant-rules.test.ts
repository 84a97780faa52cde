import { expect, test } from 'vitest'
import { checkUnused } from '../../shared/domain/tenant-rules.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const now = at('2026-06-01T00:00:00Z')
const over = { expiresAt: '2026-05-01T00:00:00.000Z' }

const cases: [status: string, license: LicenseOverrides, refused: boolean][] = [
  ['ACTIVE', {}, true],
  ['ACTIVE, deleted by the tenant', { appliedAt: undefined, deletedAt: now }, true],
  ['GRACE', { ...over, graceDays: 60, graceEndsAt: '2026-06-30T00:00:00.000Z' }, true],
  ['PENDING', { validFrom: '2026-07-01T00:00:00.000Z' }, true],
  ['SUSPENDED', { ...over, suspendedAt: '2026-04-01T00:00:00.000Z' }, true],
  ['EXPIRED', over, false],
  ['REVOKED', { revokedAt: '2026-04-01T00:00:00.000Z' }, false],
]
test.each(cases)('a license that is %s keeps its tenant from being archived: %#', (_, license, refused) => {
  const holdings = [holdingsOf([]), holdingsOf([aLicense({ ...over, id: licenseId(2) }), aLicense(license)])]
  const refusal = checkUnused(holdings, now)
  expect(refusal?.refused).toBe(refused ? 'IN_USE' : undefined)
  if (refusal) expect(refusal.detail).toContain(licenseId(1))
})

test('an extension keeps the license it extends in use', () => {
  const base = aLicense(over)
  const extension = aLicense({ id: licenseId(2), type: 'VALIDITY', extends: base.id, limits: {} })
  expect(checkUnused([holdingsOf([base, extension])], now)?.refused).toBe('IN_USE')
})
