import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { failureGuard } from '../../../shared/platform/auth/failures.ts'
import { formatToken, newTokenSecret } from '../../../shared/platform/auth/token-format.ts'
import { newTokenId } from '../../../shared/platform/ids.ts'
import { MINUTE, readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { at } from '../../support/licenses.ts'
import { tally, times } from '../../support/parallel.ts'

const api = await startApi()
afterAll(api.stop)

// Failures are counted in windows of ten minutes by the clock: stopped, no test straddles two.
beforeAll(() => stopClock(at('2026-11-21T10:00:00Z')))
afterAll(() => {
  vi.useRealTimers()
})

const admin = await api.token('vendor:admin')
/** A token as it should look, of nobody. */
const guess = () => formatToken('test', newTokenId(readClock()), newTokenSecret())
const get = (token: string, address: string, path = '/v1/products') =>
  api.call('GET', path, { token, address })

describe('guessing tokens', () => {
  test('ends for an address after 30 failures, for who is not known', async () => {
    const address = '198.51.100.1'
    expect(outcome(await get(admin, address))).toBe('200')
    const unused = await api.token('vendor:support')

    const failures = []
    for (let count = 0; count < 31; count++) failures.push(await get(guess(), address))

    expect(tally(failures.map(outcome))).toEqual({ '401 UNAUTHENTICATED': 30, '429 TOO_MANY_FAILURES': 1 })
    expect(failures.at(-1)?.headers['retry-after']).toBe('600')
    // A live token that this function has not seen yet could be a guess; one it knows is none.
    expect(outcome(await get(unused, address))).toBe('429 TOO_MANY_FAILURES')
    expect(outcome(await get(admin, address))).toBe('200')
    expect(outcome(await get(unused, '198.51.100.2'))).toBe('200')
    advanceClock(10 * MINUTE)
    expect(outcome(await get(guess(), address))).toBe('401 UNAUTHENTICATED')
  })

  test('is counted by the /64 for IPv6, over all functions, and costs nothing once refused', async () => {
    const [one, other] = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9']
    await times(30, () => get(guess(), one))
    const before = api.dynamoCalls()

    expect(outcome(await get(guess(), other))).toBe('429 TOO_MANY_FAILURES')
    expect(api.dynamoCalls()).toEqual(before)
    expect(outcome(await get(guess(), '2001:db8:1:3::1'))).toBe('401 UNAUTHENTICATED')
    // Another function learns of it from its own next failure.
    expect(outcome(await get(guess(), one, '/v1/tokens'))).toBe('401 UNAUTHENTICATED')
    expect(outcome(await get(guess(), one, '/v1/tokens'))).toBe('429 TOO_MANY_FAILURES')
  })

  test('with tokens that cannot be any costs no read, and ends as well', async () => {
    const address = '198.51.100.7'
    await get(admin, '198.51.100.8')
    const before = api.dynamoCalls()

    const failures = []
    for (let count = 0; count < 31; count++) failures.push(await get(`${guess().slice(0, -1)}!`, address))

    expect(tally(failures.map(outcome))).toEqual({ '401 UNAUTHENTICATED': 30, '429 TOO_MANY_FAILURES': 1 })
    const after = api.dynamoCalls()
    expect(after['GetItem']).toBe(before['GetItem'])
    // Told in blocks of five.
    expect((after['UpdateItem'] ?? 0) - (before['UpdateItem'] ?? 0)).toBe(6)
  })

  test('a credential that was good and is revoked counts again', async () => {
    const address = '198.51.100.9'
    const body = { name: 'Leaked', role: 'vendor:support' }
    const made = await api.call('POST', '/v1/tokens', { token: admin, body })
    const { id, token } = Object(made.body)
    expect(outcome(await get(token, address))).toBe('200')
    await api.call('DELETE', `/v1/tokens/${id}`, { token: admin })

    const failures = []
    for (let count = 0; count < 31; count++) failures.push(await get(token, address))

    expect(tally(failures.map(outcome))).toEqual({ '401 UNAUTHENTICATED': 30, '429 TOO_MANY_FAILURES': 1 })
  })
})

test('answers of the shared count that come in another order take back nothing', async () => {
  const answers: ((total: number) => void)[] = []
  const guard = failureGuard(() => new Promise((resolve) => answers.push(resolve)))
  const attempt = { address: '198.51.100.30' }

  const failures = [
    guard.failed(attempt, 'unknown', readClock()),
    guard.failed(attempt, 'unknown', readClock()),
  ]
  answers[1]?.(30)
  await failures[1]
  answers[0]?.(29)
  await failures[0]

  expect(guard.refused(attempt, readClock())?.refused).toBe('TOO_MANY_FAILURES')
})

describe('the rate limit', () => {
  test('is told with every answer, also refused ones', async () => {
    const token = await api.token('vendor:issuer')
    const first = await get(token, '198.51.100.20')
    const second = await api.call('GET', '/v1/products/none', { token })

    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"default";q=30000;w=60',
      ratelimit: '"default";r=29999;t=60',
    })
    expect(second.status).toBe(404)
    expect(second.headers['ratelimit']).toBe('"default";r=29998;t=60')
  })
})
