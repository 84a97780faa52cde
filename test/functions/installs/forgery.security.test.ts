import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { newLicenseId, newProductId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { byKey, byKms, bySecret, forge, partsOf, withLetterChanged } from '../../support/forge.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const { issue, upload, validate } = await createScenario(api)
const { file, key } = await issue({ applyOn: 'upload' })
const { header, payload } = partsOf(file.license)
const [ourKeyId = ''] = api.kmsKeys.signing

const Jwk = z.looseObject({ kid: z.string(), x: z.string() })
const Jwks = z.object({ keys: z.array(Jwk) })
const published = Jwks.parse((await api.call('GET', '/.well-known/jwks.json')).body).keys
const ours = Jwk.parse(published.find(({ kid }) => kid === header['kid']))
const ourPem = createPublicKey({ key: ours, format: 'jwk' }).export({ format: 'pem', type: 'spki' })
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const strangerJwk = stranger.publicKey.export({ format: 'jwk' })
const strangerKid = await calculateJwkThumbprint(strangerJwk)
const byStranger = byKey(stranger.privateKey)
const byUs = byKms(ourKeyId)
const { signed: verdict } = await validate({ key, nonce: 'a nonce of mine' })
const facts = z.record(z.string(), z.unknown()).parse(payload['license'])

/** Uploading and validating the file refuse it alike, and uploading it changes nothing. */
async function refusalOf(forged: unknown): Promise<string> {
  const before = await allRows(api.table)
  const uploaded = await upload(forged)
  const { code, findings, ...answer } = await validate({ file: forged })
  expect(await allRows(api.table)).toEqual(before)
  expect([answer.valid, findings.length, answer.license]).toEqual([false, 1, undefined])
  expect(outcome(uploaded)).toBe(`422 ${code}`)
  return code
}

describe('a file that was not made by us', () => {
  const url = 'https://attacker.example/keys'
  const forgeries: [string, string, () => Promise<unknown>][] = [
    ['alg none, no signature', 'FILE_MALFORMED', () => forge({ ...header, alg: 'none' }, payload, () => '')],
    ['alg none, our signature', 'FILE_MALFORMED', () => forge({ ...header, alg: 'none' }, payload, byUs)],
    [
      'HS256 with our PEM as secret',
      'FILE_MALFORMED',
      () => forge({ ...header, alg: 'HS256' }, payload, bySecret(ourPem)),
    ],
    [
      'HS256 with our x as secret',
      'FILE_MALFORMED',
      () => forge({ ...header, alg: 'HS256' }, payload, bySecret(ours.x)),
    ],
    ['HS256 that says ES256', 'FILE_FORGED', () => forge(header, payload, bySecret(ourPem))],
    ['no kid', 'FILE_MALFORMED', async () => forge({ ...header, kid: undefined }, payload, byUs)],
    ['an unknown kid', 'FILE_FOREIGN', () => forge({ ...header, kid: strangerKid }, payload, byStranger)],
    ['our kid, another key', 'FILE_FORGED', () => forge(header, payload, byStranger)],
    ['the kid of our next key', 'FILE_FORGED', () => forge({ ...header, kid: nextKid() }, payload, byUs)],
    ['its own key in jwk', 'FILE_FORGED', () => forge({ ...header, jwk: strangerJwk }, payload, byStranger)],
    [
      'its own key in jwk and kid',
      'FILE_FOREIGN',
      () => forge({ ...header, kid: strangerKid, jwk: strangerJwk }, payload, byStranger),
    ],
    ['its own keys at jku', 'FILE_FORGED', () => forge({ ...header, jku: url }, payload, byStranger)],
    [
      'its own keys at x5u',
      'FILE_FORGED',
      () => forge({ ...header, x5u: url, x5c: ['MIIB'] }, payload, byStranger),
    ],
    [
      'a critical extension',
      'FILE_MALFORMED',
      () => forge({ ...header, crit: ['b64'], b64: false }, payload, byUs),
    ],
    ['a verdict of ours', 'FILE_MALFORMED', async () => verdict],
    ['another typ', 'FILE_MALFORMED', () => forge({ ...header, typ: 'JWT' }, payload, byUs)],
    ['no typ', 'FILE_MALFORMED', () => forge({ ...header, typ: undefined }, payload, byUs)],
    [
      'another issuer',
      'FILE_FOREIGN',
      () => forge(header, { ...payload, iss: 'https://other.example' }, byUs),
    ],
    ['other claims', 'FILE_MALFORMED', () => forge(header, { ...payload, ver: 2 }, byUs)],
    ['a payload that is no JSON', 'FILE_MALFORMED', () => forgeText('hello')],
  ]
  test.each(forgeries)('%s is %s', async (_, code, make) => {
    expect(await refusalOf(await make())).toBe(code)
  })

  function nextKid(): string {
    // Two license keys come first: the active one and the next.
    return published[1]?.kid ?? ''
  }

  async function forgeText(text: string): Promise<string> {
    const input = [JSON.stringify(header), text]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.')
    return `${input}.${await byUs(input)}`
  }
})

describe('what is no file', () => {
  const nested = JSON.stringify({ ...file, license: JSON.stringify(file) })
  test.each([
    [null],
    [7],
    [true],
    [''],
    ['hello'],
    ['{'],
    ['a.b.c'],
    ['..'],
    ['{"format":"latchkey-license-file/1"}'],
    [[]],
    [{}],
    [[file]],
    [nested],
    [JSON.stringify(JSON.stringify(file))],
    [{ ...file, more: 1 }],
    [{ ...file, license: undefined }],
    [{ ...file, format: 'latchkey-license-file/2' }],
    [{ ...file, license: 'x'.repeat(70_000) }],
  ])('%j', async (text) => {
    expect(await refusalOf(text)).toBe('FILE_MALFORMED')
  })
})

describe('a file with one letter changed', () => {
  const jws = file.license
  const positions = (from: number, to: number, step: number) =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step)
  const endOfHeader = jws.indexOf('.')
  const endOfPayload = jws.lastIndexOf('.')
  test.each([
    ['header', positions(0, endOfHeader, 1)],
    ['payload', [...positions(endOfHeader + 1, endOfPayload, 23), endOfPayload - 1]],
    ['signature', positions(endOfPayload + 1, jws.length, 1)],
    ['dots', [endOfHeader, endOfPayload]],
  ])('in its %s is refused, wherever it is', async (_, places) => {
    const accepted: number[] = []
    for (const place of places) {
      const { code } = await validate({ file: withLetterChanged(jws, place) })
      if (!/^FILE_(FORGED|FOREIGN|MALFORMED)$/.test(code)) accepted.push(place)
    }
    expect(accepted).toEqual([])
  })

  test.each([
    ['header', 3],
    ['payload', endOfHeader + 90],
    ['signature', endOfPayload + 20],
    ['last letter', jws.length - 1],
  ])('in its %s changes nothing when uploaded', async (_, place) => {
    expect(await refusalOf(withLetterChanged(jws, place))).toMatch(/^FILE_(FORGED|MALFORMED)$/)
    expect(await refusalOf({ ...file, license: withLetterChanged(jws, place) })).toMatch(
      /^FILE_(FORGED|MALFORMED)$/,
    )
  })

  test.each([
    { issuer: 'https://licensing.example.tesu' },
    { licenseId: newLicenseId(readClock()) },
    { revision: 2 },
    { product: 'other' },
    { customer: 'Somebody else' },
    { type: 'TRIAL' },
    { validFrom: '2020-01-01T00:00:00.000Z' },
    { expiresAt: '2099-01-01T00:00:00.000Z' },
    { expiresAt: null },
  ])('in its readable part is forged: %j', async (change) => {
    expect(await refusalOf({ ...file, ...change })).toBe('FILE_FORGED')
  })
})

describe('a file that we signed for what is not here', () => {
  test.each([
    ['license', { id: newLicenseId(readClock()) }],
    [
      'product',
      { id: newLicenseId(readClock()), productId: newProductId(readClock()), productCode: 'other' },
    ],
  ])('an unknown %s', async (_, change) => {
    const license = { ...facts, ...change }
    const forged = await forge(header, { ...payload, license }, byUs)
    const before = await allRows(api.table)
    expect(outcome(await upload(forged))).toBe('422 FILE_UNKNOWN_PRODUCT')
    expect(await validate({ file: forged })).toMatchObject({ valid: false, code: 'NOT_FOUND' })
    expect(await allRows(api.table)).toEqual(before)
  })
})

test('the file as it was received is taken after all that', async () => {
  expect(outcome(await upload(file))).toBe('200')
})
