import { createHmac } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { epochSeconds, HOUR, readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf } from '../../support/events.ts'
import { type Claims, startIdentityProvider } from '../../support/oidc.ts'
import { createTenant } from '../../support/resources.ts'

const provider = await startIdentityProvider()
const stranger = await startIdentityProvider()
const broken = await startIdentityProvider()
broken.fail()
const { issuer, audience } = provider
const roles = {
  'licensing-admins': 'vendor:admin',
  'licensing-support': 'vendor:support',
  'campus-admins': 'tenant:admin',
  'campus-readers': 'tenant:reporter',
  owners: 'vendor:owner',
}
const api = await startApi({
  oidcIssuers: [
    { issuer, audience, roleClaim: 'groups', tenantClaim: 'org', roles },
    { issuer: broken.issuer, audience, roles },
  ],
})
afterAll(() => Promise.all([api.stop(), provider.stop(), stranger.stop(), broken.stop()]))
afterEach(() => {
  vi.useRealTimers()
})
const tenant = await createTenant(api)
const other = await createTenant(api)

let address = 0
/** From another address each time: failures are counted by address. */
const get = (token: string, path: string) => api.call('GET', path, { token, address: `192.0.2.${++address}` })
const vendor = { groups: ['staff', 'licensing-admins'] }
const ofTenant = { groups: 'campus-admins', org: tenant.id }
const signedIn = async (claims: Claims, path: string) => outcome(await get(await provider.sign(claims), path))

describe('an identity', () => {
  test.each([
    ['a vendor administrator reads all tenants', vendor, '/v1/tenants', '200'],
    ['a vendor supporter reads all tenants', { groups: ['licensing-support'] }, '/v1/tenants', '200'],
    ['a vendor supporter reads no tokens', { groups: ['licensing-support'] }, '/v1/tokens', '403 FORBIDDEN'],
    ['a tenant administrator reads the own tenant', ofTenant, `/v1/tenants/${tenant.id}`, '200'],
    ['a tenant administrator reads no other', ofTenant, `/v1/tenants/${other.id}`, '404 NOT_FOUND'],
    ['a tenant administrator reads not all tenants', ofTenant, '/v1/tenants', '403 FORBIDDEN'],
    [
      'of several roles the highest counts',
      { groups: ['licensing-support', 'licensing-admins'] },
      '/v1/tokens',
      '200',
    ],
    ['audiences may be several', { ...vendor, aud: ['other', 'latchkey'] }, '/v1/tenants', '200'],
  ])('%s', async (_, claims, path, said) => {
    expect(await signedIn(claims, path)).toBe(said)
  })

  test('is the actor of what it does', async () => {
    const body = { name: 'Sign-in', role: 'tenant:app' }
    const made = await api.call('POST', '/v1/tokens', { token: await provider.sign(ofTenant), body })
    const { id, createdBy } = Object(made.body)

    expect(createdBy).toBe(`${issuer}|ada`)
    const [event] = await eventsOf(api.table, id, tenant.id)
    expect(event?.actor).toEqual({ kind: 'tenant', subject: `${issuer}|ada`, role: 'tenant:admin' })
  })

  test('lasts as long as its token', async () => {
    stopClock()
    const token = await provider.sign(vendor)
    expect(outcome(await get(token, '/v1/tenants'))).toBe('200')
    advanceClock(HOUR - 1000)
    expect(outcome(await get(token, '/v1/tenants'))).toBe('200')
    advanceClock(1000)
    expect(outcome(await get(token, '/v1/tenants'))).toBe('401 UNAUTHENTICATED')
  })
})

describe('is refused:', () => {
  const past = () => epochSeconds(readClock()) - 60
  const cases: [what: string, make: () => Promise<string> | string][] = [
    ['another audience', () => provider.sign({ ...vendor, aud: 'another' })],
    ['no audience', () => provider.sign({ ...vendor, aud: undefined })],
    ['expired', () => provider.sign({ ...vendor, exp: past() })],
    ['no expiry', () => provider.sign({ ...vendor, exp: undefined })],
    ['not valid yet', () => provider.sign({ ...vendor, nbf: past() + 3600 })],
    ['nobody', () => provider.sign({ ...vendor, sub: undefined })],
    ['no role', () => provider.sign({})],
    ['a role that is not mapped', () => provider.sign({ groups: ['vendor:admin'] })],
    ['a role that is mapped to none of ours', () => provider.sign({ groups: ['owners'] })],
    ['a role that every object has', () => provider.sign({ groups: ['constructor', '__proto__'] })],
    ['a tenant role without a tenant', () => provider.sign({ groups: ['campus-admins'] })],
    ['a tenant that cannot be', () => provider.sign({ ...ofTenant, org: '*' })],
    ['another issuer', () => stranger.sign(vendor)],
    ["another issuer in this one's name", () => stranger.sign({ ...vendor, iss: issuer })],
    ['an issuer with a slash more', () => provider.sign({ ...vendor, iss: `${issuer}/` })],
    ['another key', () => provider.sign(vendor, { foreignKey: true })],
    ['an unknown key id', () => provider.sign(vendor, { kid: 'unknown', foreignKey: true })],
    ['no signature', () => unsigned(vendor)],
    ['a signature with the public key as secret', () => signedWithPublicKey(vendor)],
    [
      'a changed payload',
      async () => swapped(await provider.sign({ groups: [] }), await provider.sign(vendor)),
    ],
    [
      'a payload that is no JSON',
      () => `${base64url('{"alg":"ES256"}')}.${base64url('x')}.${base64url('x')}`,
    ],
  ]
  test.each(cases)('%s', async (_, make) => {
    const answer = await get(await make(), '/v1/tenants')
    expect(outcome(answer)).toBe('401 UNAUTHENTICATED')
  })
})

test('an issuer whose keys cannot be had is our failure, not an attempt', async () => {
  const token = await broken.sign(vendor)
  const from = (count: number) => api.call('GET', '/v1/tenants', { token, address: `198.51.100.${count}` })
  const log = vi.spyOn(console, 'error').mockReturnValue()

  for (let count = 0; count < 31; count++) expect(outcome(await from(1))).toBe('500 FAULT')
  expect(log).toHaveBeenCalled()
  log.mockRestore()
})

const base64url = (text: string) => Buffer.from(text).toString('base64url')

const payloadOf = (claims: Claims) =>
  base64url(
    JSON.stringify({
      iss: issuer,
      aud: audience,
      sub: 'ada',
      exp: epochSeconds(readClock()) + 3600,
      ...claims,
    }),
  )

const unsigned = (claims: Claims) => `${base64url('{"alg":"none"}')}.${payloadOf(claims)}.`

/** RFC 8725, section 2.1: a verifier that lets the token choose takes the published key for an HMAC secret. */
async function signedWithPublicKey(claims: Claims): Promise<string> {
  const keys = await (await fetch(`${issuer}/.well-known/jwks.json`)).text()
  const input = `${base64url('{"alg":"HS256","kid":"own"}')}.${payloadOf(claims)}`
  return `${input}.${createHmac('sha256', keys).update(input).digest('base64url')}`
}

/** The payload of one token under the signature of another. */
function swapped(signed: string, wanted: string): string {
  const [header, , signature] = signed.split('.')
  return [header, wanted.split('.')[1], signature].join('.')
}
