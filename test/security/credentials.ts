import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { operations } from '../../functions/routes.ts'
import { type Access, Role } from '../../shared/domain/access.ts'
import { parseLicenseKey } from '../../shared/domain/license-key.ts'
import { formatToken, newTokenSecret, parseToken } from '../../shared/platform/auth/token-format.ts'
import { newTokenId, type TenantId } from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { tokenKey } from '../../shared/store/keys.ts'
import type { Answer, ApiClient } from '../support/api.ts'
import { expected } from '../support/scenario.ts'
import type { Tenancy } from '../world/tenancy.ts'
import { newToken } from '../world/tokens.ts'

/** Something to come with, and whom it is let in as. */
export type Credential = {
  readonly name: string
  readonly authorization: string | undefined
  /** It is nobody's, whatever is asked. */
  readonly isBad?: true
  /** How the door answers: `in`, or the status of the refusal. */
  readonly expected: (operationId: string, access: Access) => 'in' | 401 | 403
}

/** Every kind of credential there is, good and bad, all of one tenant or of the vendor. */
export async function credentials(api: ApiClient, { known, key, tokens }: Tenancy): Promise<Credential[]> {
  const revoked = await newToken(api, { role: 'vendor:admin' })
  const vendor = await api.token('vendor:admin')
  expected(204, await api.call('DELETE', `/v1/tokens/${revoked.id}`, { token: vendor }))
  const expired = await newToken(api, {
    role: 'vendor:admin',
    expiresAt: plusMilliseconds(readClock(), HOUR),
  })
  await api.table.client.send(
    new UpdateCommand({
      TableName: api.table.name,
      Key: tokenKey(expired.id),
      UpdateExpression: 'SET expiresAt = :past',
      ExpressionAttributeValues: { ':past': plusMilliseconds(readClock(), -1) },
    }),
  )
  return [
    // A public operation looks at license keys itself, so that a bad one is no bad credential there.
    bad('no credential', undefined, 'in'),
    bad('a key that is none', 'License nonsense', 'in'),
    bad('a key with a typing error', `License ${withTypo(key)}`, 'in'),
    bad('a key that was replaced', `License ${await replacedKey(api, known.licenseId, key)}`, 'in'),
    bad('a header that is none', 'nonsense'),
    bad('an empty header', ''),
    bad('another scheme', 'Basic dmVuZG9yOmFkbWlu'),
    bad('a bearer of nothing', 'Bearer '),
    bad('two tokens', `Bearer ${vendor} ${vendor}`),
    bad('a key as bearer', `Bearer ${key}`),
    bad('a token as key, behind another scheme', `Token ${vendor}`),
    bad('a JWT of nobody', `Bearer ${unsignedJwt({ iss: 'https://id.example.test', sub: 'ada' })}`),
    bad('a JWT that is none', 'Bearer eyJhbGciOiJub25lIn0.bm9uc2Vuc2U.'),
    bad('a token with a typing error', `Bearer ${withTypo(vendor)}`),
    bad('a token that never was', `Bearer ${formatToken('test', newTokenId(readClock()), newTokenSecret())}`),
    bad('the id of a token with another secret', `Bearer ${withAnotherSecret(vendor)}`),
    bad('a revoked token', `Bearer ${revoked.token}`),
    bad('an expired token', `Bearer ${expired.token}`),
    {
      name: 'a license key',
      authorization: `License ${await currentKey(api, known.licenseId)}`,
      expected: (_, access) => (access === 'public' || access.includes('license') ? 'in' : 403),
    },
    ...(await Promise.all(Role.options.map((role) => ofRole(api, role, tokens.get(role))))),
    ...(await Promise.all(scoped(api, 'vendor:admin', undefined))),
    ...(await Promise.all(scoped(api, 'tenant:admin', known.tenantId))),
  ]
}

const bad = (name: string, authorization: string | undefined, atPublic: 'in' | 401 = 401): Credential => ({
  name,
  authorization,
  isBad: true,
  expected: (_, access) => (access === 'public' ? atPublic : 401),
})

async function ofRole(api: ApiClient, role: Role, token: string | undefined): Promise<Credential> {
  return {
    name: role,
    authorization: `Bearer ${token ?? (await api.token(role))}`,
    expected: (_, access) => (access === 'public' || access.includes(role) ? 'in' : 403),
  }
}

/** Two tokens of a role, each limited to every other operation: what one may do the other may not. */
function scoped(api: ApiClient, role: Role, tenantId: TenantId | undefined): Promise<Credential>[] {
  return [0, 1].map(async (half): Promise<Credential> => {
    const scopes = operations.map(({ operationId }) => operationId).filter((_, index) => index % 2 === half)
    const { token } = await newToken(api, { role, tenantId, scopes })
    return {
      name: `${role}, limited to ${half === 0 ? 'even' : 'odd'} operations`,
      authorization: `Bearer ${token}`,
      expected: (operationId, access) => {
        if (access === 'public') return 'in'
        return access.includes(role) && scopes.includes(operationId) ? 'in' : 403
      },
    }
  })
}

/** Gives the license another key; the one it had before. */
async function replacedKey(api: ApiClient, licenseId: string, key: string): Promise<string> {
  const token = await api.token('vendor:admin')
  const body = { reason: 'a test' }
  expected(200, await api.call('POST', `/v1/licenses/${licenseId}/rotate-key`, { token, body }))
  return key
}

async function currentKey(api: ApiClient, licenseId: string): Promise<string> {
  const token = await api.token('vendor:admin')
  const answer: Answer = await api.call('POST', `/v1/licenses/${licenseId}/reveal-key`, {
    token,
    body: { reason: 'a test' },
  })
  return z.object({ key: z.string() }).parse(expected(200, answer)).key
}

/** One character changed, so that the checksum tells. */
function withTypo(text: string): string {
  const changed = `${text.slice(0, -1)}${text.endsWith('7') ? '8' : '7'}`
  if (parseToken(changed) ?? parseLicenseKey(changed)) throw new Error('the typing error makes a good one')
  return changed
}

function withAnotherSecret(token: string): string {
  const parsed = parseToken(token)
  if (parsed === undefined) throw new Error('this is no token')
  return formatToken('test', parsed.id, newTokenSecret())
}

function unsignedJwt(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode({ alg: 'RS256', kid: 'a' })}.${encode(claims)}.${Buffer.from('signature').toString('base64url')}`
}
