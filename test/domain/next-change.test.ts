import { expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import { changeAhead } from '../../shared/domain/next-change.ts'
import type { Usage } from '../../shared/domain/usage.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const NOW = at('2026-06-10T12:00:00Z')

function ahead(licenses: readonly LicenseOverrides[], usage: readonly Usage[] = []) {
  const all = licenses.map((one, index) => aLicense({ id: licenseId(index + 1), ...one }))
  return changeAhead([...standings(holdingsOf(all, usage), NOW, () => true).values()], usage)
}

const END = { expiresAt: '2026-07-01T00:00:00.000Z' }
const LATER = { validFrom: '2026-07-01T00:00:00.000Z', expiresAt: '2026-09-01T00:00:00.000Z' }

test.each<[string, LicenseOverrides[], string | undefined]>([
  ['the first end', [END, {}], '2026-07-01T00:00:00.000Z'],
  ['not that of a suspended license', [{ ...END, suspendedAt: NOW }, {}], '2027-01-01T00:00:00.000Z'],
  ['not that of a revoked one', [{ ...END, revokedAt: NOW }], undefined],
  [
    'of one that is extended, the beginning of what extends it',
    [END, { ...LATER, type: 'VALIDITY', extends: licenseId(1) }],
    '2026-07-01T00:00:00.000Z',
  ],
  [
    'not an end that is covered by another term',
    [END, { ...LATER, validFrom: '2026-06-01T00:00:00.000Z', type: 'VALIDITY', extends: licenseId(1) }],
    '2026-09-01T00:00:00.000Z',
  ],
])('time changes something next at %s', (_, licenses, instant) => {
  expect(ahead(licenses)).toBe(instant)
})

test('an allowance of which something is used begins anew', () => {
  const rules = {
    metering: { calls: { period: 'P1M', overage: 'refuse' } },
  } satisfies LicenseOverrides['rules']
  const metered = { limits: { calls: 5 }, rules }
  const used = (month: number): Usage => ({
    kind: 'counter',
    metric: 'calls',
    value: 2,
    at: NOW,
    from: at(`2026-0${month}-01T00:00:00Z`),
    until: at(`2026-0${month + 1}-01T00:00:00Z`),
  })
  expect(ahead([metered], [used(6)])).toBe('2026-07-01T00:00:00.000Z')
  expect(ahead([metered], [used(5)])).toBe('2027-01-01T00:00:00.000Z')
  expect(ahead([metered])).toBe('2027-01-01T00:00:00.000Z')
})
