import { expect, test } from 'vitest'
import { isAllowedAt } from '../../shared/domain/seat-terms.ts'
import { aLicense } from '../support/licenses.ts'

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
