import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { DAY } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { costOf } from '../../support/cost.ts'
import { createScenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { issue, validate } = await createScenario(api)

const Jwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().length(43),
  y: z.string().length(43),
  kid: z.string(),
  alg: z.literal('ES256'),
  use: z.literal('sig'),
})
const read = () => api.call('GET', '/.well-known/jwks.json')
const keys = async () => z.object({ keys: z.array(Jwk) }).parse((await read()).body).keys
const kids = async () => (await keys()).map(({ kid }) => kid)

describe('the published keys', () => {
  test('are the active and the next license key, three session keys, the active and the next activation key, public halves alone', async () => {
    const published = await keys()
    const thumbprints = await Promise.all(published.map((jwk) => calculateJwkThumbprint(jwk)))
    expect(published).toHaveLength(2 + 3 + 2)
    expect(new Set(thumbprints).size).toBe(7)
    expect(published.map(({ kid }) => kid)).toEqual(thumbprints)
  })

  test('may be kept for five minutes by anybody, and cost nothing to serve', async () => {
    expect((await read()).headers['cache-control']).toBe('public, max-age=300')
    expect(await costOf(api, read)).toEqual({})
  })

  test('have the next key before anything is signed with it', async () => {
    const [active, next, ...others] = await kids()
    const { file, key } = await issue()
    const { signed = '' } = await validate({ key, nonce: 'a nonce of mine' })
    expect(decodeProtectedHeader(file.license).kid).toBe(active)
    expect(decodeProtectedHeader(signed).kid).toBe(others[1])
    expect(next).not.toBe(active)
  })

  test('bring each session key a week before its first use, and keep it a week after its last', async () => {
    stopClock()
    const { key } = await issue()
    const kidNow = async () =>
      decodeProtectedHeader((await validate({ key, nonce: 'a nonce of mine' })).signed ?? '').kid
    const [first, signer] = [(await kids()).slice(2, 5), await kidNow()]
    advanceClock(7 * DAY)
    const [second, successor] = [(await kids()).slice(2, 5), await kidNow()]
    expect(second.slice(0, 2)).toEqual(first.slice(1))
    expect([signer, successor]).toEqual([first[1], first[2]])
    expect(first).not.toContain(second[2])
  })
})
