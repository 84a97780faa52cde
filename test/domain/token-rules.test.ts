import { describe, expect, test } from 'vitest'
import type { Caller } from '../../shared/domain/access.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import { Token } from '../../shared/domain/token.ts'
import {
  checkRotation,
  endOfOverlap,
  orderToken,
  seesToken,
  successorOf,
  type TokenOrder,
} from '../../shared/domain/token-rules.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { Duration } from '../../shared/platform/time.ts'
import { at, TENANT } from '../support/licenses.ts'

const now = at('2026-06-01T00:00:00Z')
const OTHER = TenantId.parse(`ten_${'2'.padStart(26, '0')}`)
const operations = new Set(['createToken', 'listTokens', 'rotateToken'])
const vendor: Caller = { kind: 'vendor', role: 'vendor:admin', subject: 'v', alias: 'staff_v' }
const tenant: Caller = { kind: 'tenant', role: 'tenant:admin', tenantId: TENANT, subject: 't' }
const scoped = (caller: typeof vendor | typeof tenant, ...scopes: string[]): Caller => ({ ...caller, scopes })

const tokenId = (number: number) => `tok_${String(number).padStart(26, '0')}`
const aToken = (overrides: object = {}): Token =>
  Token.parse({
    id: tokenId(1),
    name: 'CI',
    role: 'tenant:app',
    tenantId: TENANT,
    secretHash: 'h',
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'v',
    ...overrides,
  })

describe('a new token', () => {
  const order = (role: TokenOrder['role'], more: Partial<TokenOrder> = {}) => ({ name: 'CI', role, ...more })
  const cases: [what: string, caller: Caller, order: TokenOrder, said: string[]][] = [
    ['vendor role by the vendor', vendor, order('vendor:issuer'), []],
    ['tenant role by the vendor', vendor, order('tenant:app', { tenantId: OTHER }), []],
    ['tenant role by the tenant', tenant, order('tenant:admin'), []],
    ['tenant role by the tenant, named', tenant, order('tenant:app', { tenantId: TENANT }), []],
    [
      'vendor role with a tenant',
      vendor,
      order('vendor:admin', { tenantId: TENANT }),
      ['INVALID_REQUEST', '/body/tenantId'],
    ],
    ['tenant role without one', vendor, order('tenant:app'), ['INVALID_REQUEST', '/body/tenantId']],
    ['vendor role by a tenant', tenant, order('vendor:support'), ['FORBIDDEN']],
    ['role of another tenant by a tenant', tenant, order('tenant:app', { tenantId: OTHER }), ['NOT_FOUND']],
    [
      'unknown scope',
      vendor,
      order('vendor:admin', { scopes: ['listTokens', 'listToken'] }),
      ['INVALID_REQUEST', '/body/scopes/1'],
    ],
    [
      'an end that is over',
      vendor,
      order('vendor:admin', { expiresAt: now }),
      ['INVALID_REQUEST', '/body/expiresAt'],
    ],
    ['no scopes by a scoped caller', scoped(vendor, 'createToken'), order('vendor:admin'), ['FORBIDDEN']],
    [
      'wider scopes by a scoped caller',
      scoped(tenant, 'createToken'),
      order('tenant:app', { scopes: ['createToken', 'listTokens'] }),
      ['FORBIDDEN'],
    ],
    [
      'scopes of a scoped caller',
      scoped(tenant, 'createToken', 'listTokens'),
      order('tenant:app', { scopes: ['listTokens'] }),
      [],
    ],
  ]
  test.each(cases)('%s', (_, caller, wanted, expected) => {
    const facts = orderToken(wanted, caller, operations, now)
    const said = isRefusal(facts) ? [facts.refused, ...(facts.errors ?? []).map(({ field }) => field)] : []
    expect(said).toEqual(expected)
  })

  test('of a tenant is its own unless it says otherwise', () => {
    expect(orderToken(order('tenant:app'), tenant, operations, now)).toEqual({
      name: 'CI',
      role: 'tenant:app',
      tenantId: TENANT,
      createdAt: now,
      createdBy: 't',
    })
  })
})

test('vendors see every token, tenants their own', () => {
  const ofVendor = aToken({ tenantId: undefined, role: 'vendor:admin' })
  const all = [aToken(), aToken({ tenantId: OTHER }), ofVendor]
  expect(all.map((token) => seesToken(vendor, token))).toEqual([true, true, true])
  expect(all.map((token) => seesToken(tenant, token))).toEqual([true, false, false])
})

describe('rotation', () => {
  const live = aToken({ id: tokenId(2) })
  const dead = aToken({ id: tokenId(3), revokedAt: '2026-02-01T00:00:00.000Z' })
  const expired = aToken({ id: tokenId(4), expiresAt: now })
  const cases: [what: string, lineage: Parameters<typeof checkRotation>[0], refused: string | undefined][] = [
    ['of a live token', { token: live }, undefined],
    ['of a revoked token', { token: dead }, 'TRANSITION_NOT_ALLOWED'],
    ['of an expired token', { token: expired }, 'TRANSITION_NOT_ALLOWED'],
    ['while the successor lives', { token: aToken(), successor: live }, 'TOKEN_ROTATED'],
    ['after the successor was revoked', { token: aToken(), successor: dead }, undefined],
    ['while the predecessor lives', { token: aToken(), predecessor: live }, 'TOKEN_ROTATED'],
    ['after the predecessor has expired', { token: aToken(), predecessor: expired }, undefined],
  ]
  test.each(cases)('%s', (_, lineage, refused) => {
    expect(checkRotation(lineage, vendor, now)?.refused).toBe(refused)
  })

  test('gives nobody more than they have', () => {
    const narrow = scoped(vendor, 'rotateToken', 'listTokens')
    expect(checkRotation({ token: live }, narrow, now)?.refused).toBe('FORBIDDEN')
    expect(checkRotation({ token: aToken({ scopes: ['listTokens'] }) }, narrow, now)).toBeUndefined()
  })

  test('keeps name, role, tenant and scopes, and no end; its tenant sees the vendor by an alias', () => {
    const token = aToken({ scopes: ['listTokens'] })
    expect(successorOf({ token }, vendor, now)).toEqual({
      name: 'CI',
      role: 'tenant:app',
      tenantId: TENANT,
      scopes: ['listTokens'],
      createdAt: now,
      createdBy: 'staff_v',
      rotatedFrom: token.id,
    })
  })

  test('gives the successor as long a life', () => {
    const token = aToken({ expiresAt: '2026-07-01T00:00:00.000Z' })
    expect(successorOf({ token }, vendor, now).expiresAt).toBe('2026-11-29T00:00:00.000Z')
  })

  test('reads the life off the successor that was revoked, for its own end was moved', () => {
    const token = aToken({ expiresAt: '2026-06-02T00:00:00.000Z', rotatedTo: dead.id })
    expect(successorOf({ token, successor: dead }, vendor, now).expiresAt).toBeUndefined()
  })

  test('of a token made to live for ever stays within the years there are', () => {
    const token = aToken({ expiresAt: '9999-12-31T00:00:00.000Z' })
    expect(successorOf({ token }, vendor, now).expiresAt).toBe('9999-12-31T23:59:59.999Z')
  })

  test('ends the old token after the overlap, and never later than it would have ended', () => {
    const day = Duration.parse('P1D')
    const soon = at('2026-06-01T06:00:00Z')
    expect(endOfOverlap(aToken(), day, now)).toBe('2026-06-02T00:00:00.000Z')
    expect(endOfOverlap(aToken({ expiresAt: soon }), day, now)).toBe(soon)
  })
})
