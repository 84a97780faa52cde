import { expect, test } from 'vitest'
import { isLive, Token, TokenView, tokenView } from '../../shared/domain/token.ts'
import { at } from '../support/licenses.ts'

const token = (more: object = {}) =>
  Token.parse({
    id: 'tok_00000000000000000000000001',
    name: 'issuing desk',
    role: 'vendor:issuer',
    secretHash: 'hash-of-the-secret',
    createdAt: '2026-01-01T00:00:00Z',
    createdBy: 'first start',
    ...more,
  })

test.each<[string, object, string, boolean]>([
  ['without an end', {}, '2099-01-01T00:00:00.000Z', true],
  ['before its end', { expiresAt: '2026-07-01T00:00:00Z' }, '2026-06-30T23:59:59.999Z', true],
  ['at its end', { expiresAt: '2026-07-01T00:00:00Z' }, '2026-07-01T00:00:00.000Z', false],
  ['revoked', { revokedAt: '2026-03-01T00:00:00Z' }, '2026-03-02T00:00:00.000Z', false],
  [
    'revoked before its end',
    { revokedAt: '2026-03-01T00:00:00Z', expiresAt: '2026-07-01T00:00:00Z' },
    '2026-03-02T00:00:00.000Z',
    false,
  ],
])('a token %s', (_, more, now, live) => {
  expect(isLive(token(more), at(now))).toBe(live)
})

test('a token is shown without the hash of its secret', () => {
  const { secretHash, ...rest } = token()
  expect(TokenView.parse(tokenView(token()))).toEqual(rest)
  expect(JSON.stringify(tokenView(token()))).not.toContain(secretHash)
})
