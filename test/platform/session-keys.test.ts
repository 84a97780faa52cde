import { createSign, verify } from 'node:crypto'
import { KMSClient } from '@aws-sdk/client-kms'
import { calculateJwkThumbprint, createLocalJWKSet, errors, importJWK, jwtVerify, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { sessionKeys } from '../../shared/platform/signing/session-keys.ts'
import { DAY, fromEpochMilliseconds, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { clientSettings } from '../support/dynamodb.ts'

const PERIOD = 7 * DAY
const START: Instant = fromEpochMilliseconds(2_900 * PERIOD)
const END = plusMilliseconds(START, PERIOD - 1)
const NEXT = plusMilliseconds(START, PERIOD)

let kms: KMSClient
/** As a warm function has them: its own instance, its own memory. */
const aFunction = () => sessionKeys(kms, inject('kmsKeys').sessions)

beforeAll(() => {
  kms = new KMSClient(clientSettings(inject('kmsEndpoint')))
})
afterAll(() => kms.destroy())

const jwks = (keys: Awaited<ReturnType<ReturnType<typeof aFunction>['published']>>) =>
  createLocalJWKSet({ keys: keys.map(({ kid, jwk }) => ({ ...jwk, kid, alg: 'ES256', use: 'sig' })) })

async function tokenOf({ kid, privateKey }: { kid: string; privateKey: Parameters<SignJWT['sign']>[0] }) {
  return new SignJWT({ said: 'yes' }).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
}

describe('the key of a period', () => {
  test('is the same in every function, from its first to its last millisecond', async () => {
    const [first, last] = await Promise.all([aFunction().current(START), aFunction().current(END)])
    expect(first.kid).toBe(last.kid)
    expect(first.privateKey.equals(last.privateKey)).toBe(true)
  })

  test('is not that of the next period', async () => {
    const keys = aFunction()
    const [now, later] = [await keys.current(END), await keys.current(NEXT)]
    expect(later.kid).not.toBe(now.kid)
    expect(later.privateKey.equals(now.privateKey)).toBe(false)
  })

  test('is named by its RFC 7638 thumbprint and is a key of P-256 whose halves belong together', async () => {
    const keys = aFunction()
    const { kid, privateKey } = await keys.current(START)
    const own = (await keys.published(START)).find((key) => key.kid === kid)
    if (own === undefined) throw new Error('the key that signs is not published')
    expect(await calculateJwkThumbprint(own.jwk, 'sha256')).toBe(kid)
    expect(privateKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
    // The import checks that the point lies on the curve.
    await expect(importJWK(own.jwk, 'ES256')).resolves.toBeDefined()
    const signature = createSign('sha256').update('text').sign(privateKey)
    expect(verify('sha256', Buffer.from('text'), own.key, signature)).toBe(true)
  })

  test('asks KMS once for as long as the function lives', async () => {
    const asked: string[] = []
    const client = new KMSClient(clientSettings(inject('kmsEndpoint')))
    client.middlewareStack.add(
      (next, { commandName }) =>
        (args) => {
          asked.push(String(commandName))
          return next(args)
        },
      { step: 'initialize' },
    )
    const keys = sessionKeys(client, inject('kmsKeys').sessions)
    await Promise.all([keys.current(START), keys.current(END)])
    await keys.current(START)
    expect(asked).toEqual(['GenerateMacCommand'])
    client.destroy()
  })

  test('is asked for again after KMS failed', async () => {
    const client = new KMSClient({ ...clientSettings(inject('kmsEndpoint')), maxAttempts: 1 })
    let failures = 1
    client.middlewareStack.add(
      (next) => (args) => {
        if (failures > 0) {
          failures -= 1
          throw new Error('KMS is away')
        }
        return next(args)
      },
      { step: 'build' },
    )
    const keys = sessionKeys(client, inject('kmsKeys').sessions)
    await expect(keys.current(START)).rejects.toThrow('KMS is away')
    const { kid } = await keys.current(START)
    expect(kid).toBe((await aFunction().current(START)).kid)
    client.destroy()
  })
})

describe('the published keys', () => {
  test('are those of the previous, this and the next period', async () => {
    const keys = aFunction()
    const published = await keys.published(NEXT)
    const kids = await Promise.all(
      [START, NEXT, plusMilliseconds(NEXT, PERIOD)].map(async (at) => (await keys.current(at)).kid),
    )
    expect(published.map(({ kid }) => kid)).toEqual(kids)
  })

  test('hold public halves only', async () => {
    for (const { jwk, key } of await aFunction().published(START)) {
      expect(Object.keys(jwk).toSorted()).toEqual(['crv', 'kty', 'x', 'y'])
      expect(key.type).toBe('public')
    }
  })

  test('verify what was signed just before and just after a change of period, with jose', async () => {
    const keys = aFunction()
    const before = await tokenOf(await keys.current(END))
    const after = await tokenOf(await keys.current(NEXT))
    // Whoever has the JWKS of either side of the change, as caches do, can verify both.
    for (const seen of [END, NEXT]) {
      const set = jwks(await aFunction().published(seen))
      for (const token of [before, after]) {
        const { payload } = await jwtVerify(token, set, { algorithms: ['ES256'] })
        expect(payload['said']).toBe('yes')
      }
    }
  })

  test('do not verify what was signed two periods ago', async () => {
    const old = await tokenOf(await aFunction().current(START))
    const set = jwks(await aFunction().published(plusMilliseconds(NEXT, PERIOD)))
    await expect(jwtVerify(old, set)).rejects.toThrow(errors.JWKSNoMatchingKey)
  })
})
