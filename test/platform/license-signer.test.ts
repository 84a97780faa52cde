import { createHash, createPublicKey, verify } from 'node:crypto'
import { GetPublicKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { compactVerify, decodeProtectedHeader, exportJWK, importSPKI } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { signedFacts } from '../../shared/domain/license.ts'
import { signingInput } from '../../shared/domain/license-file.ts'
import { licenseSigner } from '../../shared/platform/signing/license-signer.ts'
import { loadPublicKeys, type PublicKey } from '../../shared/platform/signing/public-keys.ts'
import { clientSettings } from '../support/dynamodb.ts'
import { aLicense } from '../support/licenses.ts'

const ISSUER = 'https://licensing.example.test'
const facts = signedFacts(aLicense())

let kms: KMSClient
let keyIds: readonly string[]
let publicKeys: PublicKey[]

beforeAll(async () => {
  kms = new KMSClient(clientSettings(inject('kmsEndpoint')))
  keyIds = inject('kmsKeys').signing
  publicKeys = await loadPublicKeys(kms, keyIds)
})
afterAll(() => kms.destroy())

/** The key as KMS has it, in PEM, without any code of ours. */
async function pem(keyId: string | undefined): Promise<string> {
  const { PublicKey: der } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
  const lines =
    Buffer.from(der ?? [])
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----'].join('\n')
}

/** RFC 7638, section 3: SHA-256 over the required members in lexical order. */
async function thumbprint(spki: string): Promise<string> {
  const { crv, kty, x, y } = await exportJWK(await importSPKI(spki, 'ES256', { extractable: true }))
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

describe('the signing keys', () => {
  test('are named by their RFC 7638 thumbprints', async () => {
    const expected = await Promise.all(keyIds.map(async (keyId) => thumbprint(await pem(keyId))))
    expect(publicKeys.map(({ kid }) => kid)).toEqual(expected)
    expect(new Set(expected).size).toBe(keyIds.length)
  })

  test('the last is next, the one before it active, all before that retired', async () => {
    const three = await loadPublicKeys(kms, [...keyIds, ...keyIds.slice(0, 1)])
    expect(three.map(({ state }) => state)).toEqual(['retired', 'active', 'next'])
    expect(publicKeys.map(({ state }) => state)).toEqual(['active', 'next'])
  })

  test('without an active one there is no signer', async () => {
    const only = await loadPublicKeys(kms, keyIds.slice(0, 1))
    expect(() => licenseSigner(kms, only, ISSUER)).toThrow('No signing key is active')
  })
})

describe('a signature', () => {
  test('is by the active key, r‖s in 64 bytes, over the very bytes of the file', async () => {
    const { kid, value } = await licenseSigner(kms, publicKeys, ISSUER)(facts)
    expect(kid).toBe(publicKeys[0]?.kid)
    expect(Buffer.from(value, 'base64url')).toHaveLength(64)
    const input = signingInput(facts, ISSUER, kid)
    const genuine = verify(
      'sha256',
      Buffer.from(input),
      { key: createPublicKey(await pem(keyIds[0])), dsaEncoding: 'ieee-p1363' },
      Buffer.from(value, 'base64url'),
    )
    expect(genuine).toBe(true)
  })

  test('makes a compact JWS that jose verifies, its header says license+jwt', async () => {
    const { kid, value } = await licenseSigner(kms, publicKeys, ISSUER)(facts)
    const jws = `${signingInput(facts, ISSUER, kid)}.${value}`
    expect(decodeProtectedHeader(jws)).toEqual({ alg: 'ES256', typ: 'license+jwt', kid })
    const { payload } = await compactVerify(jws, await importSPKI(await pem(keyIds[0]), 'ES256'))
    expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ iss: ISSUER, sub: facts.id })
  })

  // DER leaves out leading zeros and adds one before a high bit, so its length varies: 1 in 256 halves is short.
  test('has 64 bytes and is right whatever the length of its DER form', async () => {
    const sign = licenseSigner(kms, publicKeys, ISSUER)
    const key = createPublicKey(await pem(keyIds[0]))
    const signatures = await Promise.all(Array.from({ length: 300 }, () => sign(facts)))
    for (const { kid, value } of signatures) {
      const signature = Buffer.from(value, 'base64url')
      expect(signature).toHaveLength(64)
      const input = Buffer.from(signingInput(facts, ISSUER, kid))
      expect(verify('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
    }
  })
})
