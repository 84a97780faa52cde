import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { ActivationClaims, ActivationFile } from '../../../shared/domain/activation-file.ts'
import {
  DAY,
  epochSeconds,
  MINUTE,
  plusMilliseconds,
  readClock,
  toDate,
} from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { partsOf, withLetterChanged } from '../../support/forge.ts'
import { expected } from '../../support/scenario.ts'
import { Activated, activatedBy, fingerprints, openShop, type Shop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const NONCE = 'nonce-of-the-machine-1'
const Answered = z.object({ ...Activated.shape, file: ActivationFile })
const Jwks = z.custom<JSONWebKeySet>(
  (value) => z.object({ keys: z.array(z.unknown()) }).safeParse(value).success,
)

const requestOf = (shop: Shop, parts: readonly string[], more: object = {}) => ({
  format: 'latchkey-activation-request/1',
  product: shop.product,
  fingerprints: fingerprints(...parts),
  nonce: NONCE,
  ...more,
})
const ask = (shop: Shop, request: object, more: object = {}) =>
  api.call('POST', '/v1/activations/offline', {
    headers: { authorization: `License ${shop.key}` },
    body: { request, ...more },
  })
const granted = async (shop: Shop, parts: readonly string[], more?: object) =>
  Answered.parse(expected(200, await ask(shop, requestOf(shop, parts, more))))

/** As a machine does that has nothing but a copy of the published keys. */
async function verified(file: ActivationFile, product: string, now = readClock()) {
  const jwks = Jwks.parse((await api.call('GET', '/.well-known/jwks.json')).body)
  const { payload } = await jwtVerify(file.activation, createLocalJWKSet(jwks), {
    issuer: file.issuer,
    audience: product,
    typ: 'activation+jwt',
    algorithms: ['ES256'],
    currentDate: toDate(now),
  })
  return ActivationClaims.parse(payload)
}

describe('an offline activation', () => {
  test('answers a file that verifies with the published keys and is bound to machine and request', async () => {
    const shop = await openShop(api, 1)
    const { activation, created, file } = await granted(shop, ['mac:a', 'disk:a'])
    expect([created, activation.offline, activation.state]).toEqual([true, true, 'NOT_STARTED'])
    const claims = await verified(file, shop.product)
    expect(claims).toMatchObject({
      sub: activation.id,
      nonce: NONCE,
      tenantId: shop.tenantId,
      licenses: [shop.license.id],
      match: 'any',
    })
    const own = fingerprints('mac:a', 'disk:a').map(({ component, value }) => ({
      component,
      sha256: createHash('sha256').update(`${NONCE}\n${component}\n${value}`).digest('base64url'),
    }))
    expect(claims.fingerprints).toEqual(own)
    expect(JSON.stringify(partsOf(file.activation))).not.toContain('machine-a')
    expect(await shop.faults()).toEqual([])
  })

  test('is refused for the same reasons as any other', async () => {
    const rules = { fingerprints: { match: 'most' }, deactivations: { allowed: 0, period: 'P1Y' } }
    const shop = await openShop(api, 1, rules)
    const said = async (...parts: string[]) => outcome(await ask(shop, requestOf(shop, parts)))
    const { activation } = await granted(shop, ['mac:1', 'disk:1', 'board:1'])
    expect(await said('mac:1', 'disk:2', 'board:2')).toBe('409 FINGERPRINT_TAKEN')
    await shop.deactivate(activation.id)
    expect(await said('mac:3')).toBe('409 MOVES_EXHAUSTED')
    await shop.act(shop.license.id, 'suspend')
    expect(await said('mac:1', 'disk:1', 'board:1')).toBe('409 LICENSE_NOT_IN_FORCE')
  })

  test('is signed with a key of its own, which stays published, and not with one for licenses', async () => {
    const shop = await openShop(api, 1)
    const { file } = await granted(shop, ['a'])
    const licenseFile = await api.call('GET', `/v1/licenses/${shop.license.id}/file`, {
      token: await api.token('vendor:issuer'),
    })
    const { license } = z.object({ license: z.string() }).parse(licenseFile.body)
    const { keys } = Jwks.parse((await api.call('GET', '/.well-known/jwks.json')).body)
    const kids = keys.map(({ kid }) => kid)
    expect(kids.indexOf(decodeProtectedHeader(license).kid)).toBe(0)
    // After the next license key and three session keys.
    expect(kids.indexOf(decodeProtectedHeader(file.activation).kid)).toBe(5)
  })

  test('ends with the licenses, grace included, and never if one never ends', async () => {
    const shop = await openShop(api, 1)
    const { graceEndsAt } = shop.license
    const first = await granted(shop, ['a'])
    expect(first.file.expiresAt).toBe(graceEndsAt)
    const claims = await verified(first.file, shop.product)
    expect(claims.exp).toBe(graceEndsAt && epochSeconds(graceEndsAt))
    const end = graceEndsAt ?? readClock()
    await expect(verified(first.file, shop.product, plusMilliseconds(end, DAY))).rejects.toThrow(/exp/)

    const plan = await api.call('POST', '/v1/plans', {
      token: await api.token('vendor:admin'),
      body: {
        productId: shop.productId,
        name: 'For ever',
        term: 'perpetual',
        allocation: 'node-locked',
        limits: { machines: 1 },
      },
    })
    const { id } = z.object({ id: z.string() }).parse(plan.body)
    await shop.issue({ planId: id, type: 'TOPUP', extends: shop.license.id })
    // What is added for good counts no longer than what it is added to.
    expect((await granted(shop, ['a'])).file.expiresAt).toBe(graceEndsAt)
    await shop.issue({ planId: id })
    const endless = await granted(shop, ['b'])
    expect(endless.file.expiresAt).toBeNull()
    expect(await verified(endless.file, shop.product)).not.toHaveProperty('exp')
  })

  test('asked twice is one activation; a changed file is none', async () => {
    const shop = await openShop(api, 1)
    const first = await granted(shop, ['a'])
    const again = await granted(shop, ['a'], { nonce: 'another-nonce-of-it' })
    expect([again.created, again.activation.id]).toEqual([false, first.activation.id])
    expect((await verified(again.file, shop.product)).nonce).toBe('another-nonce-of-it')
    const text = again.file.activation
    const forged = { ...again.file, activation: withLetterChanged(text, text.indexOf('.') + 20) }
    await expect(verified(forged, shop.product)).rejects.toThrow()
    await expect(verified(again.file, 'another-product')).rejects.toThrow(/aud/)
    expect(await shop.pool()).toMatchObject({ used: 1 })
  })

  test('waits for no heartbeat, also of a machine that sent some before', async () => {
    const rules = { heartbeat: { window: 'PT10M', required: true, revive: 'never' } }
    const shop = await openShop(api, 2, rules)
    stopClock()
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.beat(id)
    await granted(shop, ['a'])
    await granted(shop, ['b'])
    advanceClock(60 * MINUTE)
    expect((await shop.list()).map(({ state, offline }) => [state, offline])).toEqual([
      ['NOT_STARTED', true],
      ['NOT_STARTED', true],
    ])
    expect(said(await shop.activate(['c']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    expect(await shop.faults()).toEqual([])
  })

  test('is refused for what is no request, another product, or a full pool', async () => {
    const shop = await openShop(api, 1)
    const other = await openShop(api, 1)
    expect(outcome(await ask(shop, requestOf(shop, ['a'], { nonce: 'short' })))).toBe('400 INVALID_REQUEST')
    expect(outcome(await ask(shop, requestOf(shop, ['a'], { format: 'x' })))).toBe('400 INVALID_REQUEST')
    expect(outcome(await ask(shop, requestOf(other, ['a'])))).toBe('404 NOT_FOUND')
    await granted(shop, ['a'])
    expect(outcome(await ask(shop, requestOf(shop, ['b'])))).toBe('409 ACTIVATIONS_EXHAUSTED')
  })
})
