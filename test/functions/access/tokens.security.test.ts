import { randomUUID } from 'node:crypto'
import { ScanCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { newTokenSecret, parseToken } from '../../../shared/platform/auth/token-format.ts'
import { TokenId } from '../../../shared/platform/ids.ts'
import { outcome, startApi } from '../../support/api.ts'
import { createTenant } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const admin = await api.token('vendor:admin')
const tenant = await createTenant(api)
const NewToken = z.looseObject({ id: TokenId, token: z.string() })

async function make(body: object, headers = {}) {
  const options = { token: admin, body: { name: 'CI', role: 'vendor:admin', ...body }, headers }
  return NewToken.parse((await api.call('POST', '/v1/tokens', options)).body)
}
const use = async (token: string, path = '/v1/tokens') => outcome(await api.call('GET', path, { token }))

describe('the secret of a token', () => {
  test('is nowhere: not in the table, not in lists, not in events, not even for replays', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const of = { role: 'tenant:admin', tenantId: tenant.id }
    const made = await make(of, headers)
    const again = await make(of, headers)
    const rotated = NewToken.parse(
      (
        await api.call('POST', `/v1/tokens/${made.id}/rotate`, {
          token: admin,
          body: {},
          headers: { 'idempotency-key': randomUUID() },
        })
      ).body,
    )
    const secrets = [made.token, rotated.token].map((token) => parseToken(token)?.secret ?? '')

    const { Items = [] } = await api.table.client.send(new ScanCommand({ TableName: api.table.name }))
    const lists = await Promise.all(
      ['/v1/tokens', `/v1/tenants/${tenant.id}/events`].map((path) =>
        api.call('GET', path, { token: admin }),
      ),
    )

    expect(again.token).toBe(made.token)
    // Without this the search below could find nothing whatever is there.
    expect(JSON.stringify(Items)).toContain(made.id)
    for (const secret of secrets) {
      expect(secret).toHaveLength(32)
      expect(JSON.stringify(Items)).not.toContain(secret)
      expect(JSON.stringify(lists)).not.toContain(secret)
    }
    expect(JSON.stringify(lists)).not.toMatch(/hash/i)
  })

  test('is checked, and so is its checksum', async () => {
    const { token, id } = await make({})
    const [, secret = ''] = /([^_]{32})[^_]{6}$/.exec(token) ?? []
    const guessed = token.replace(secret, newTokenSecret())
    const damaged = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`

    expect(await use(token)).toBe('200')
    for (const wrong of [
      guessed,
      damaged,
      token.toUpperCase(),
      `${token}0`,
      id,
      token.replace('test', 'prod'),
    ]) {
      expect(await use(wrong)).toBe('401 UNAUTHENTICATED')
    }
  })
})

test.each([
  ['no scheme', (token: string) => token],
  ['another scheme', (token: string) => `Basic ${token}`],
  ['the scheme of license keys', (token: string) => `License ${token}`],
  ['nothing', () => 'Bearer '],
])('a token with %s is none', async (_, header) => {
  const headers = { authorization: header(admin) }
  const answer = await api.call('GET', '/v1/tokens', { headers })
  expect(outcome(answer)).toBe('401 UNAUTHENTICATED')
  expect(answer.headers['www-authenticate']).toBe('Bearer, License')
})

test('scopes narrow a token to operations, in every function', async () => {
  const { token } = await make({ scopes: ['listProducts', 'getTenant'] })

  expect(await use(token, '/v1/products')).toBe('200')
  expect(await use(token, `/v1/tenants/${tenant.id}`)).toBe('200')
  expect(await use(token, '/v1/tenants')).toBe('403 FORBIDDEN')
  expect(await use(token, '/v1/tokens')).toBe('403 FORBIDDEN')
  const options = { token, body: { code: 'x', name: 'x' } }
  const refused = await api.call('POST', '/v1/products', options)
  expect(outcome(refused)).toBe('403 FORBIDDEN')
  const detail = 'This needs the scope createProduct, which the token does not have.'
  expect(refused.body).toMatchObject({ detail })
})

test('scopes give no role what it may not do', async () => {
  const { token } = await make({ role: 'vendor:support', scopes: ['listTokens', 'createToken'] })
  expect(await use(token)).toBe('403 FORBIDDEN')
})
