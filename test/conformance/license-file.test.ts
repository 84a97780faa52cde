import { spawnSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { SignedFacts } from '../../shared/domain/license.ts'
import { LicenseClaims } from '../../shared/domain/license-file.ts'
import { epochSeconds } from '../../shared/platform/time.ts'
import { startApi } from '../support/api.ts'
import { createTenant } from '../support/resources.ts'
import { createScenario, type Issued, inDays } from '../support/scenario.ts'

// A license file has to verify with libraries that know nothing of this service, given the published keys alone.
const api = await startApi()
afterAll(api.stop)
const ISSUER = 'https://licensing.example.test'
const { issue, product } = await createScenario(api)
const tenant = await createTenant(api, { name: 'Universität Zürich 教育 🎓 "\\' })
const full = await issue({
  tenantId: tenant.id,
  limits: { users: 110, signatures: 'unlimited' },
  features: { edition: 'größte', 'storage-gb': 1.5 },
  fingerprints: ['fingerprint-1', 'fingerprint-2'],
  reference: 'PO 2026/7',
})
const inGrace = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 5 })
const over = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 })

const Jwk = z.object({ kty: z.literal('EC'), crv: z.string(), x: z.string(), y: z.string(), kid: z.string() })
const jwks = z.object({ keys: z.array(Jwk) }).parse((await api.call('GET', '/.well-known/jwks.json')).body)

/** The JWS with a byte of its payload changed. */
function altered({ file }: Issued): string {
  const [header = '', payload = '', signature = ''] = file.license.split('.')
  const letter = payload[40] === 'A' ? 'B' : 'A'
  return [header, `${payload.slice(0, 40)}${letter}${payload.slice(41)}`, signature].join('.')
}

const Facts = SignedFacts.omit({ signedAt: true }).strip()

/** What any verifier finds in the file. */
function checkClaims(claims: unknown, { license }: Issued): void {
  const { license: facts, ...registered } = LicenseClaims.parse(claims)
  const { expiresAt = license.validFrom, graceEndsAt = expiresAt } = license
  expect(registered).toMatchObject({
    iss: ISSUER,
    aud: product.code,
    sub: license.id,
    jti: `${license.id}.1`,
    nbf: epochSeconds(license.validFrom),
    exp: epochSeconds(graceEndsAt),
  })
  expect({ ...Facts.parse(license), signedAt: facts.signedAt }).toEqual(facts)
}

describe('jose (JavaScript), with the key set', () => {
  const verify = (jws: string) =>
    jwtVerify(jws, createLocalJWKSet(jwks), {
      issuer: ISSUER,
      audience: product.code,
      algorithms: ['ES256'],
      typ: 'license+jwt',
    })

  test.each([
    ['with everything in it', full],
    ['in grace', inGrace],
  ])('takes a file %s', async (_, issued) => {
    const { payload, protectedHeader } = await verify(issued.file.license)
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'license+jwt', kid: expect.any(String) })
    checkClaims(payload, issued)
  })

  test('refuses one that is over, and one that was changed', async () => {
    await expect(verify(over.file.license)).rejects.toThrow(/"exp" claim/)
    await expect(verify(altered(full))).rejects.toThrow(/signature verification failed/)
  })
})

describe('jsonwebtoken (JavaScript, over OpenSSL), with the PEM of the key', () => {
  function verify(jws: string): unknown {
    const jwk = jwks.keys.find(({ kid }) => kid === decodeProtectedHeader(jws).kid)
    if (jwk === undefined) throw new Error('the key set lacks the key of the file')
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
    return jsonwebtoken.verify(jws, pem, { algorithms: ['ES256'], issuer: ISSUER, audience: product.code })
  }

  test('takes a file, refuses one that is over, and one that was changed', () => {
    checkClaims(verify(full.file.license), full)
    expect(() => verify(over.file.license)).toThrow(/jwt expired/)
    expect(() => verify(altered(full))).toThrow(/invalid signature/)
  })
})

const SCRIPT = `
import json, sys
from joserfc import jwt
from joserfc.jwk import KeySet
asked = json.load(sys.stdin)
token = jwt.decode(asked['jws'], KeySet.import_key_set(asked['jwks']), algorithms=['ES256'])
jwt.JWTClaimsRegistry(iss={'essential': True, 'value': asked['iss']}).validate(token.claims)
print(json.dumps(token.claims))
`
const python = (script: string, input = '') =>
  spawnSync('python3', ['-c', script], { input, encoding: 'utf8', timeout: 20_000 })
const found = python('import joserfc')
const missing =
  found.error?.message ?? (found.status === 0 ? undefined : found.stderr.trim().split('\n').at(-1))
if (missing === undefined) describe('joserfc (Python), with the key set', joserfc)
else console.warn(`joserfc (Python) was not asked about license files: ${missing}`)

function joserfc(): void {
  const verify = (jws: string) => python(SCRIPT, JSON.stringify({ jws, jwks, iss: ISSUER }))

  test('takes a file', () => {
    const { stdout, stderr } = verify(full.file.license)
    expect(stderr).toBe('')
    checkClaims(JSON.parse(stdout), full)
  })

  test('refuses one that is over, and one that was changed', () => {
    expect(verify(over.file.license).stderr).toMatch(/ExpiredTokenError/)
    expect(verify(altered(full)).stderr).toMatch(/BadSignatureError/)
  })
}
