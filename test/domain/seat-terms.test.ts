import { expect, test } from 'vitest'
import { standings } from '../../shared/domain/holdings.ts'
import { isAllowedAt, seatTerms } from '../../shared/domain/seat-terms.ts'
import { aLicense, at, holdingsOf, type LicenseOverrides, licenseId } from '../support/licenses.ts'

const inDe = { allow: ['DE'] }
const notUs = { deny: ['US'] }

/** The countries of each license that gives the seat, where the person works, and whether a seat may be had there. */
test.each<[string, (object | undefined)[], string | undefined, boolean]>([
  ['no license, so nothing that forbids', [], 'US', true],
  ['no countries', [undefined], 'US', true],
  ['no countries, nowhere known', [undefined], undefined, true],
  ['allowed', [inDe], 'DE', true],
  ['not among the allowed', [inDe], 'AT', false],
  ['denied', [notUs], 'US', false],
  ['not among the denied', [notUs], 'AT', true],
  ['allowed and denied', [{ allow: ['DE', 'US'], deny: ['US'] }], 'US', false],
  ['nowhere known, some are allowed', [inDe], undefined, false],
  ['nowhere known, some are denied', [notUs], undefined, false],
  ['nowhere known, and that is allowed', [{ ...inDe, unknown: 'allow' }], undefined, true],
  ['nowhere known, and that is allowed among denied', [{ ...notUs, unknown: 'allow' }], undefined, true],
  ['nowhere known, which is refused, but no country is', [{ unknown: 'refuse' }], undefined, true],
  ['one license of two admits it', [inDe, notUs], 'AT', true],
  ['neither license admits it', [inDe, notUs], 'US', false],
])('%s', (_, licenses, country, allowed) => {
  const given = licenses.map((countries) => aLicense({ rules: countries ? { countries } : {} }))
  expect(isAllowedAt({ licenses: given }, country)).toBe(allowed)
})

/** The licenses there are; how many seats they give, and which of them, the first in precedence first. */
test.each<[string, LicenseOverrides[], number, number[]]>([
  ['of all that are in force', [{}, {}, { expiresAt: '2026-03-01T00:00:00Z' }], 200, [1, 2]],
  ['of those for named users alone', [{}, { allocation: 'floating' }], 100, [1]],
  [
    'of what adds to one for named users',
    [{}, { type: 'TOPUP', allocation: 'floating', extends: licenseId(1), limits: { users: 5 } }],
    105,
    [1, 2],
  ],
  [
    'not of what adds to another',
    [{ allocation: 'floating' }, { type: 'TOPUP', extends: licenseId(1), limits: { users: 5 } }],
    0,
    [],
  ],
  ['not of those that give others', [{}, { limits: { teachers: 9 } }], 100, [1]],
  ['a trial last', [{ type: 'TRIAL', term: 'trial', limits: { users: 3 } }, {}], 103, [2, 1]],
])('seats are %s', (_, overrides, capacity, expected) => {
  const licenses = overrides.map((one, index) => aLicense({ id: licenseId(index + 1), ...one }))
  const all = standings(holdingsOf(licenses), at('2026-06-01T00:00:00Z'), () => true)
  const terms = seatTerms(all.values(), 'users')
  expect(terms.capacity).toBe(capacity)
  expect(terms.licenses.map(({ id }) => id)).toEqual(expected.map(licenseId))
})
