import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { Token } from '../../shared/domain/token.ts'
import { authenticator, type Credentials } from '../../shared/platform/auth/authenticate.ts'
import { FAILURE_LIMIT, failureGuard } from '../../shared/platform/auth/failures.ts'
import { mintToken } from '../../shared/platform/auth/mint-token.ts'
import { HOUR, Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { licenseId, PRODUCT, TENANT } from '../support/licenses.ts'

const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const ADDRESS = '203.0.113.7'
const KEY = { tenantId: TENANT, productId: PRODUCT, licenseId: licenseId(1), keyHash: 'hash of KEY-1' }

const minted = mintToken(
  { name: 'A token', role: 'tenant:app', tenantId: TENANT, createdAt: NOW, createdBy: 'tok_staff' },
  'test',
  (secret) => `hash of ${secret}`,
)

/** Knows the token above, and the key KEY-1; notes what it is asked. */
function world(stored: Partial<Token> = {}) {
  const asked: string[] = []
  let failures = 0
  const state = { token: Token.parse({ ...minted.token, ...stored }), keyIsCurrent: true }
  const credentials: Credentials = {
    readToken: async (id) => {
      asked.push('read token')
      return id === state.token.id ? state.token : undefined
    },
    touchToken: async () => {
      asked.push('touch token')
    },
    tokenHash: (secret) => `hash of ${secret}`,
    staffAlias: (subject) => `alias of ${subject}`,
    keys: {
      remembered: () => undefined,
      locate: async (text) => (text === 'KEY-1' ? KEY : text.startsWith('KEY') ? 'unknown' : 'malformed'),
    },
    isCurrentKey: async () => state.keyIsCurrent,
    oidc: async () => undefined,
    guard: failureGuard(async (_, __, amount) => {
      failures += amount
      return failures
    }),
  }
  return { authenticate: authenticator(credentials), asked, state }
}

const codeOf = (outcome: unknown) => (isRefusal(outcome) ? outcome.refused : outcome)

describe('a token', () => {
  test.each(['Bearer', 'bearer', 'BEARER'])('is taken behind %s', async (scheme) => {
    const { authenticate } = world()
    expect(await authenticate(`${scheme} ${minted.text}`, ADDRESS, NOW)).toEqual({
      kind: 'tenant',
      role: 'tenant:app',
      tenantId: TENANT,
      subject: minted.token.id,
    })
  })

  test.each([
    ['that was revoked', { revokedAt: NOW }],
    ['that expires now', { expiresAt: NOW }],
    ['with another secret', { secretHash: 'hash of another' }],
  ])('%s is unknown', async (_, stored) => {
    const { authenticate } = world(stored)
    expect(codeOf(await authenticate(`Bearer ${minted.text}`, ADDRESS, NOW))).toBe('UNAUTHENTICATED')
  })

  test('that is malformed costs no read', async () => {
    const { authenticate, asked } = world()
    for (const header of [`Bearer ${minted.text}x`, `Bearer ${minted.text.slice(0, -1)}!`, 'Bearer lk_', 'x'])
      expect(codeOf(await authenticate(header, ADDRESS, NOW))).toBe('UNAUTHENTICATED')
    expect(asked).toEqual([])
  })

  test('is noted as used once an hour', async () => {
    const fresh = world({ lastUsedAt: plusMilliseconds(NOW, -HOUR) })
    await fresh.authenticate(`Bearer ${minted.text}`, ADDRESS, NOW)
    expect(fresh.asked).toEqual(['read token'])
    const stale = world({ lastUsedAt: plusMilliseconds(NOW, -HOUR - 1) })
    await stale.authenticate(`Bearer ${minted.text}`, ADDRESS, NOW)
    expect(stale.asked).toEqual(['read token', 'touch token'])
  })
})

describe('a license key', () => {
  test('is its license', async () => {
    const { keyHash: _, ...address } = KEY
    expect(await world().authenticate('License KEY-1', ADDRESS, NOW)).toEqual({
      kind: 'license',
      subject: KEY.licenseId,
      ...address,
    })
  })

  test('that was replaced, or never was, is unknown; behind Bearer it is none', async () => {
    const { authenticate, state } = world()
    state.keyIsCurrent = false
    for (const header of ['License KEY-1', 'License KEY-2', 'License nonsense', 'Bearer KEY-1'])
      expect(codeOf(await authenticate(header, ADDRESS, NOW))).toBe('UNAUTHENTICATED')
  })
})

describe('while an address has failed too often', () => {
  const failing = async () => {
    const made = world()
    await made.authenticate(`Bearer ${minted.text}`, ADDRESS, NOW)
    for (let failed = 0; failed < FAILURE_LIMIT.address; failed += 1)
      await made.authenticate(`License KEY-${failed + 2}`, ADDRESS, NOW)
    return made
  }

  test('more guesses are refused without a read', async () => {
    const { authenticate, asked } = await failing()
    asked.length = 0
    expect(codeOf(await authenticate('License KEY-1', ADDRESS, NOW))).toBe('TOO_MANY_FAILURES')
    expect(asked).toEqual([])
  })

  test('who was known before is let in, until their credential is no longer good', async () => {
    const { authenticate, state } = await failing()
    expect(await authenticate(`Bearer ${minted.text}`, ADDRESS, NOW)).toMatchObject({ kind: 'tenant' })
    state.token = { ...state.token, revokedAt: NOW }
    expect(codeOf(await authenticate(`Bearer ${minted.text}`, ADDRESS, NOW))).toBe('UNAUTHENTICATED')
    expect(codeOf(await authenticate(`Bearer ${minted.text}`, ADDRESS, NOW))).toBe('TOO_MANY_FAILURES')
  })
})
