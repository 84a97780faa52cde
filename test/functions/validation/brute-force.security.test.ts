import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatLicenseKey } from '../../../shared/domain/license-key.ts'
import { MINUTE } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { costOf } from '../../support/cost.ts'
import { createScenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const { issue, validate, product } = await createScenario(api)

const guess = () => formatLicenseKey(randomBytes(17))
const ask = (address: string, body: object, headers = {}): Promise<Answer> =>
  api.call('POST', '/v1/validate', { body, address, headers })

/** Keys that nobody has, one after the other, as a guesser sends them. */
async function guessFrom(address: string, times: number, header = false): Promise<string[]> {
  const outcomes: string[] = []
  for (let time = 0; time < times; time += 1) {
    const answer = await (header
      ? ask(address, {}, { authorization: `License ${guess()}` })
      : ask(address, { key: guess(), product: product.code }))
    outcomes.push(outcome(answer))
  }
  return outcomes
}

// Failures are counted in windows of ten minutes: none may end within a test.
beforeEach(() => stopClock())
afterEach(() => {
  vi.useRealTimers()
})

describe('keys that cannot be', () => {
  test('cost no read, and a write for five of them', async () => {
    const { key } = await issue()
    const wrong = [
      '',
      'x',
      '00000-00000',
      key.slice(0, -1),
      `${key}0`,
      key.replace(/.$/, 'U'),
      `${key.slice(0, -1)}*`,
    ]
    const address = '203.0.113.20'
    await validate({ key })
    const four = await costOf(api, async () => {
      for (const key of wrong.slice(0, 4)) await ask(address, { key })
    })
    const more = await costOf(api, async () => {
      for (const key of wrong.slice(4)) await ask(address, { key })
    })
    expect([wrong.length, four, more]).toEqual([7, {}, { UpdateItem: 1 }])
  })

  test('are answered like keys that are nobody’s', async () => {
    const [malformed, unknown] = [await validate({ key: 'x' }), await validate({ key: guess() })]
    const { checkedAt: _, nextCheckAfter: __, ...one } = malformed
    const { checkedAt: ___, nextCheckAfter: ____, ...other } = unknown
    expect(one).toEqual(other)
    expect(one.code).toBe('NOT_FOUND')
  })
})

describe('30 keys that are nobody’s', () => {
  test('from one address are answered, more are not; known keys still are, and other addresses', async () => {
    const [attacker, neighbor] = ['203.0.113.30', '203.0.113.31']
    const { key } = await issue()
    const { key: unseen } = await issue()
    await validate({ key })

    const answered = await guessFrom(attacker, 30)
    const refused = await ask(attacker, { key: guess() })

    expect(answered).toEqual(Array(30).fill('200'))
    expect(outcome(refused)).toBe('429 TOO_MANY_FAILURES')
    const wait = Number(refused.headers['retry-after'])
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(600)
    expect(await costOf(api, () => ask(attacker, { key: guess() }))).toEqual({})
    expect((await ask(attacker, { key })).body).toMatchObject({ valid: true, license: expect.anything() })
    expect(outcome(await ask(attacker, { key: 'x' }))).toBe('429 TOO_MANY_FAILURES')
    expect(outcome(await ask(neighbor, { key: guess() }))).toBe('200')
    // A right key that this function has not seen cannot be told from a guess without looking.
    expect(outcome(await ask(attacker, { key: unseen }))).toBe('429 TOO_MANY_FAILURES')
    expect((await ask(neighbor, { key: unseen })).body).toMatchObject({ valid: true })
    expect((await ask(attacker, { key: unseen })).body).toMatchObject({ valid: true })
    advanceClock(10 * MINUTE)
    expect(await guessFrom(attacker, 1)).toEqual(['200'])
  })

  test('in the Authorization header count as much', async () => {
    const address = '203.0.113.40'
    expect(await guessFrom(address, 30, true)).toEqual(Array(30).fill('200'))
    expect(await guessFrom(address, 1, true)).toEqual(['429 TOO_MANY_FAILURES'])
    expect(await guessFrom(address, 1)).toEqual(['429 TOO_MANY_FAILURES'])
  })

  test('from addresses of one IPv6 network are from one subscriber', async () => {
    const outcomes: string[] = []
    for (let host = 1; host <= 31; host += 1)
      outcomes.push(...(await guessFrom(`2001:db8:7:7::${host.toString(16)}`, 1)))
    expect(outcomes).toEqual([...Array(30).fill('200'), '429 TOO_MANY_FAILURES'])
    expect(await guessFrom('2001:db8:7:8::1', 1)).toEqual(['200'])
  })

  test('at the same time are counted each', async () => {
    const address = '203.0.113.50'
    await Promise.all(Array.from({ length: 30 }, () => ask(address, { key: guess() })))
    expect(await guessFrom(address, 1)).toEqual(['429 TOO_MANY_FAILURES'])
  })
})

test('a rotated key that a function remembers is no way around', async () => {
  const { license, key } = await issue()
  await validate({ key })
  const token = await api.token('vendor:issuer')
  const body = { reason: 'leaked' }
  await api.call('POST', `/v1/licenses/${license.id}/rotate-key`, { token, body })
  const [old, unknown] = [await validate({ key }), await validate({ key: guess() })]
  expect([Object.keys(old), old.findings]).toEqual([Object.keys(unknown), unknown.findings])
})
