import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { TenantId, type TokenId, TokenId as TokenIdSchema } from '../../../shared/platform/ids.ts'
import { type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { tally, times } from '../../support/parallel.ts'
import { createTenant } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const admin = await api.token('vendor:admin')
const tenant = await createTenant(api)
const other = await createTenant(api)
const gone = await createTenant(api)
const tenantAdmin = await api.token('tenant:admin', tenant.id)
const goneAdmin = await make({ name: 'Old', role: 'tenant:admin', tenantId: gone.id })
await api.call('POST', `/v1/tenants/${gone.id}/archive`, { token: admin })
const narrow = await make({
  name: 'Narrow',
  role: 'vendor:admin',
  scopes: ['createToken', 'rotateToken', 'listTokens'],
})
const foreign = await make({ name: 'Foreign', role: 'tenant:app', tenantId: other.id })
const ofVendor = await make({ name: 'Vendor', role: 'vendor:support' })
const revoked = await make({ name: 'Revoked', role: 'vendor:support' })
await api.call('DELETE', `/v1/tokens/${revoked.id}`, { token: admin })
const unknownTenant = TenantId.parse(`ten_${'0'.repeat(26)}`)
const unknownToken = TokenIdSchema.parse(`tok_${'0'.repeat(26)}`)

async function make(body: object): Promise<{ id: TokenId; token: string }> {
  const answer = await api.call('POST', '/v1/tokens', { token: admin, body })
  return z.object({ id: TokenIdSchema, token: z.string() }).parse(answer.body)
}

const order = (role: string, more: object = {}) => ({ body: { name: 'CI', role, ...more } })
const as = (token: string) => ({ token })
const invalid = '400 INVALID_REQUEST'
type Case = [
  name: string,
  method: string,
  path: string,
  options: CallOptions,
  said: string,
  fields?: string[],
]
const cases: Case[] = [
  ['an unknown role', 'POST', '/v1/tokens', order('vendor:owner'), invalid, ['/body/role']],
  [
    'a vendor role with a tenant',
    'POST',
    '/v1/tokens',
    order('vendor:admin', { tenantId: tenant.id }),
    invalid,
    ['/body/tenantId'],
  ],
  ['a tenant role without one', 'POST', '/v1/tokens', order('tenant:app'), invalid, ['/body/tenantId']],
  [
    'an unknown tenant',
    'POST',
    '/v1/tokens',
    order('tenant:app', { tenantId: unknownTenant }),
    '404 NOT_FOUND',
  ],
  ['an archived tenant', 'POST', '/v1/tokens', order('tenant:app', { tenantId: gone.id }), '409 ARCHIVED'],
  [
    'an archived tenant, by its own administrator',
    'POST',
    '/v1/tokens',
    { ...order('tenant:app'), ...as(goneAdmin.token) },
    '409 ARCHIVED',
  ],
  [
    'an end in the past',
    'POST',
    '/v1/tokens',
    order('vendor:admin', { expiresAt: '2020-01-01T00:00:00Z' }),
    invalid,
    ['/body/expiresAt'],
  ],
  [
    'an end that is no instant',
    'POST',
    '/v1/tokens',
    order('vendor:admin', { expiresAt: 'tomorrow' }),
    invalid,
    ['/body/expiresAt'],
  ],
  [
    'a scope that is no operation',
    'POST',
    '/v1/tokens',
    order('vendor:admin', { scopes: ['listTokens', 'everything'] }),
    invalid,
    ['/body/scopes/1'],
  ],
  ['no scope at all', 'POST', '/v1/tokens', order('vendor:admin', { scopes: [] }), invalid, ['/body/scopes']],
  [
    'a vendor role, by a tenant',
    'POST',
    '/v1/tokens',
    { ...order('vendor:admin'), ...as(tenantAdmin) },
    '403 FORBIDDEN',
  ],
  [
    'another tenant, by a tenant',
    'POST',
    '/v1/tokens',
    { ...order('tenant:app', { tenantId: other.id }), ...as(tenantAdmin) },
    '404 NOT_FOUND',
  ],
  [
    'an unknown tenant, by a tenant',
    'POST',
    '/v1/tokens',
    { ...order('tenant:app', { tenantId: unknownTenant }), ...as(tenantAdmin) },
    '404 NOT_FOUND',
  ],
  [
    'all rights, by a token with few',
    'POST',
    '/v1/tokens',
    { ...order('vendor:admin'), ...as(narrow.token) },
    '403 FORBIDDEN',
  ],
  [
    'a right of others, by a token with few',
    'POST',
    '/v1/tokens',
    { ...order('vendor:admin', { scopes: ['revokeToken'] }), ...as(narrow.token) },
    '403 FORBIDDEN',
  ],
  [
    'an operation beyond the scopes',
    'DELETE',
    `/v1/tokens/${ofVendor.id}`,
    as(narrow.token),
    '403 FORBIDDEN',
  ],
  [
    "rotating a token with more rights than one's own",
    'POST',
    `/v1/tokens/${ofVendor.id}/rotate`,
    { body: {}, ...as(narrow.token) },
    '403 FORBIDDEN',
  ],
  [
    'the list of another tenant',
    'GET',
    '/v1/tokens',
    { query: { tenantId: other.id }, ...as(tenantAdmin) },
    '404 NOT_FOUND',
  ],
  ['rotating an unknown token', 'POST', `/v1/tokens/${unknownToken}/rotate`, { body: {} }, '404 NOT_FOUND'],
  [
    "rotating another tenant's token",
    'POST',
    `/v1/tokens/${foreign.id}/rotate`,
    { body: {}, ...as(tenantAdmin) },
    '404 NOT_FOUND',
  ],
  [
    "rotating a vendor's token, by a tenant",
    'POST',
    `/v1/tokens/${ofVendor.id}/rotate`,
    { body: {}, ...as(tenantAdmin) },
    '404 NOT_FOUND',
  ],
  [
    'rotating a revoked token',
    'POST',
    `/v1/tokens/${revoked.id}/rotate`,
    { body: {} },
    '409 TRANSITION_NOT_ALLOWED',
  ],
  [
    'rotating for an archived tenant',
    'POST',
    `/v1/tokens/${goneAdmin.id}/rotate`,
    { body: {} },
    '409 ARCHIVED',
  ],
  [
    'an overlap of nothing',
    'POST',
    `/v1/tokens/${ofVendor.id}/rotate`,
    { body: { overlap: 'PT0S' } },
    invalid,
    ['/body/overlap'],
  ],
  [
    'an overlap beyond the calendar',
    'POST',
    `/v1/tokens/${ofVendor.id}/rotate`,
    { body: { overlap: 'P9999999Y' } },
    invalid,
    ['/body/overlap'],
  ],
  ['revoking an unknown token', 'DELETE', `/v1/tokens/${unknownToken}`, {}, '404 NOT_FOUND'],
  ["revoking another tenant's token", 'DELETE', `/v1/tokens/${foreign.id}`, as(tenantAdmin), '404 NOT_FOUND'],
  [
    "revoking a vendor's token, by a tenant",
    'DELETE',
    `/v1/tokens/${ofVendor.id}`,
    as(tenantAdmin),
    '404 NOT_FOUND',
  ],
]

test.each(cases)('%s is refused', async (_, method, path, options, said, fields) => {
  const answer = await api.call(method, path, { token: admin, ...options })

  expect(outcome(answer)).toBe(said)
  if (fields) expect(wrongFields(answer)).toEqual(fields)
})

test('what was refused changed nothing', async () => {
  expect(typesOf(await eventsOf(api.table, ofVendor.id))).toEqual(['token.created'])
  expect(typesOf(await eventsOf(api.table, foreign.id, other.id))).toEqual(['token.created'])
})

test('a token with few rights passes those on, and rotates itself', async () => {
  const body = { name: 'Narrower', role: 'vendor:admin', scopes: ['listTokens'] }
  expect(outcome(await api.call('POST', '/v1/tokens', { token: narrow.token, body }))).toBe('201')
  const rotated = await api.call('POST', `/v1/tokens/${narrow.id}/rotate`, { token: narrow.token, body: {} })
  expect(outcome(rotated)).toBe('201')
})

test('of a line of tokens at most two live', async () => {
  const { id } = await make({ name: 'App', role: 'vendor:support' })
  const rotate = (tokenId: string) =>
    api.call('POST', `/v1/tokens/${tokenId}/rotate`, { token: admin, body: {} })

  const answers = await times(6, () => rotate(id))

  expect(tally(answers.map(outcome))).toEqual({ '201': 1, '409 TOKEN_ROTATED': 5 })
  const successor = answers.flatMap(({ status, body }) => (status === 201 ? [String(Object(body).id)] : []))
  expect(outcome(await rotate(successor[0] ?? ''))).toBe('409 TOKEN_ROTATED')
  expect(typesOf(await eventsOf(api.table, id))).toEqual(['token.created', 'token.rotated'])
})

test('five revocations at once are one', async () => {
  const { id } = await make({ name: 'App', role: 'vendor:support' })
  const answers = await times(5, () => api.call('DELETE', `/v1/tokens/${id}`, { token: admin }))
  expect(tally(answers.map(outcome))).toEqual({ '204': 5 })
  expect(typesOf(await eventsOf(api.table, id))).toEqual(['token.created', 'token.revoked'])
})
