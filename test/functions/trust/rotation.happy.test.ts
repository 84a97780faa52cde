import { KMSClient } from '@aws-sdk/client-kms'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { createServices } from '../../../functions/services.ts'
import { type VerifyingServices, withVerifier } from '../../../functions/verified.ts'
import { KeyStore } from '../../../infra/local/kms/key-store.ts'
import { startKms } from '../../../infra/local/kms/start-kms.ts'
import { type License, signedFacts } from '../../../shared/domain/license.ts'
import { licenseSigner } from '../../../shared/platform/signing/license-signer.ts'
import { clientSettings } from '../../support/dynamodb.ts'
import { aLicense } from '../../support/licenses.ts'

// Signing keys over the years, oldest first as configured: the last is next, the one before it signs.
const store = KeyStore.inMemory()
const server = await startKms({ store })
const kms = new KMSClient(clientSettings(server.endpoint))
afterAll(async () => {
  kms.destroy()
  await server.close()
})

const P256 = { keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY', enabled: true } as const
const HMAC = { keySpec: 'HMAC_256', keyUsage: 'GENERATE_VERIFY_MAC', enabled: true } as const
const [first = '', second = '', third = ''] = ['1', '2', '3'].map((name) => store.keyFor(name, P256).id)
const ISSUER = 'https://licensing.example.test'

/** The services of a function that is configured with these keys. */
async function configured(...keyIds: string[]): Promise<VerifyingServices> {
  const { createClients } = await import('../../../functions/services.ts')
  const common = await createServices(
    {
      STAGE: 'test',
      TABLE_NAME: 'none',
      ISSUER,
      CREDENTIAL_KEY_ID: store.keyFor('credentials', HMAC).id,
      OIDC_ISSUERS: [],
      EDGE: null,
      LOG_LEVEL: 'error',
    },
    { ...createClients(), kms },
  )
  return withVerifier(common, kms, keyIds)
}

async function signed({ publicKeys, issuer }: VerifyingServices, number: number): Promise<License> {
  const license = aLicense({
    validFrom: '2026-01-01T00:00:00Z',
    expiresAt: '2999-01-01T00:00:00Z',
    revision: number,
  })
  return { ...license, signature: await licenseSigner(kms, publicKeys, issuer)(signedFacts(license)) }
}

const before = await configured(first, second)
const after = await configured(first, second, third)
const [old, young] = [await signed(before, 1), await signed(after, 2)]

describe('after a rotation', () => {
  test('the key that was next signs, and another is next', () => {
    const states = ({ publicKeys }: VerifyingServices) => publicKeys.map(({ keyId, state }) => [keyId, state])
    expect(states(before)).toEqual([
      [first, 'active'],
      [second, 'next'],
    ])
    expect(states(after)).toEqual([
      [first, 'retired'],
      [second, 'active'],
      [third, 'next'],
    ])
    expect(old.signature.kid).toBe(after.publicKeys[0]?.kid)
    expect(young.signature.kid).toBe(after.publicKeys[1]?.kid)
  })

  test('old rows and files are as good as new ones', async () => {
    for (const license of [old, young]) {
      expect(after.verifier.isGenuine(license)).toBe(true)
      expect(await after.verifier.open(after.verifier.fileOf(license))).toMatchObject({
        claims: { iss: ISSUER },
      })
    }
  })

  test('functions that are not updated yet take new files: their key was published before it signed', async () => {
    expect(before.verifier.isGenuine(young)).toBe(true)
    expect(await before.verifier.open(after.verifier.fileOf(young))).toHaveProperty('claims')
  })

  test('offline, old files verify with the new key set, and new ones with the old', async () => {
    for (const [license, { publicKeys }] of [
      [old, after],
      [young, before],
    ] as const) {
      const keys = publicKeys.map(({ jwk, kid }) => ({ ...jwk, kid, alg: 'ES256' }))
      const { payload } = await jwtVerify(after.verifier.fileOf(license), createLocalJWKSet({ keys }))
      expect(payload.sub).toBe(license.id)
    }
  })
})

describe('a key', () => {
  test('that is configured no more makes its licenses tampered and its files foreign: retired keys stay', async () => {
    const { verifier } = await configured(second, third)
    expect(verifier.isGenuine(old)).toBe(false)
    expect(await verifier.open(after.verifier.fileOf(old))).toEqual({ fault: 'foreign' })
    expect(verifier.isGenuine(young)).toBe(true)
  })

  test('signs for its own issuer alone', async () => {
    const other = { ...after, issuer: 'https://other.example.test' }
    const license = await signed(other, 3)
    expect(after.verifier.isGenuine(license)).toBe(false)
  })

  test('alone is none to sign with: the next one has to be known before', async () => {
    const { publicKeys } = await configured(first)
    expect(() => licenseSigner(kms, publicKeys, ISSUER)).toThrow(/at least two have to be configured/)
  })
})
