import { describe, expect, test } from 'vitest'
import type { AddCount } from '../../shared/platform/auth/counter.ts'
import { type Attempt, FAILURE_LIMIT, failureGuard, network } from '../../shared/platform/auth/failures.ts'
import { Instant, plusMilliseconds } from '../../shared/platform/time.ts'

// Four minutes into a window of ten.
const NOW = Instant.parse('2026-03-01T12:04:00.000Z')

/** The count that all functions share, in memory. */
function sharedCount() {
  const totals = new Map<string, number>()
  const writes: string[] = []
  const addCount: AddCount = async (subject, window, amount) => {
    writes.push(subject)
    const total = (totals.get(`${subject} ${window}`) ?? 0) + amount
    totals.set(`${subject} ${window}`, total)
    return total
  }
  return { addCount, writes }
}

async function fail(
  guard: ReturnType<typeof failureGuard>,
  attempt: Attempt,
  times: number,
  how: 'malformed' | 'unknown' = 'unknown',
): Promise<void> {
  for (let failed = 0; failed < times; failed += 1) await guard.failed(attempt, how, NOW)
}

describe('the network an attempt counts for', () => {
  test.each([
    ['an IPv4 address is itself', '203.0.113.7', '203.0.113.7'],
    ['an IPv4 address mapped into IPv6 is that address', '::ffff:203.0.113.7', '203.0.113.7'],
    ['of an IPv6 address the first 64 bits', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['zeros left out behind them', '2001:db8:1:2::6', '2001:db8:1:2'],
    ['zeros left out among them', '2001:db8::6', '2001:db8:0:0'],
    ['zeros left out across them', '2001:db8:1::3:4:5:6', '2001:db8:1:0'],
    ['zeros left out in front', '::1', '0:0:0:0'],
    ['nothing but zeros', '::', '0:0:0:0'],
    ['zeros left out at the end', '2001:db8:1:2:3::', '2001:db8:1:2'],
  ])('%s: %s', (_, address, expected) => {
    expect(network(address)).toBe(expected)
  })

  test('two addresses of one subscriber count together, those of two apart', () => {
    expect(network('2001:db8:1:2::1')).toBe(network('2001:db8:1:2:ffff:ffff:ffff:ffff'))
    expect(network('2001:db8:1:2::1')).not.toBe(network('2001:db8:1:3::1'))
  })
})

describe('failures from an address', () => {
  const attempt = { address: '203.0.113.7' }

  test('are refused once there are too many, until the window is over', async () => {
    const guard = failureGuard(sharedCount().addCount)
    await fail(guard, attempt, FAILURE_LIMIT.address - 1)
    expect(guard.refused(attempt, NOW)).toBeUndefined()
    await fail(guard, attempt, 1)
    expect(guard.refused(attempt, NOW)).toMatchObject({ refused: 'TOO_MANY_FAILURES', retryAfter: 360 })
    expect(guard.refused(attempt, plusMilliseconds(NOW, 360_000))).toBeUndefined()
  })

  test('do not hold up another address', async () => {
    const guard = failureGuard(sharedCount().addCount)
    await fail(guard, attempt, FAILURE_LIMIT.address)
    expect(guard.refused({ address: '203.0.113.8' }, NOW)).toBeUndefined()
  })

  test('that were seen by another function count with the next failure here', async () => {
    const { addCount } = sharedCount()
    const [one, other] = [failureGuard(addCount), failureGuard(addCount)]
    await fail(one, attempt, FAILURE_LIMIT.address - 1)
    expect(other.refused(attempt, NOW)).toBeUndefined()
    await fail(other, attempt, 1)
    expect(other.refused(attempt, NOW)).toBeDefined()
  })

  test('of malformed credentials count too, at a write for five of them', async () => {
    const { addCount, writes } = sharedCount()
    const guard = failureGuard(addCount)
    await fail(guard, attempt, FAILURE_LIMIT.address - 1, 'malformed')
    expect(guard.refused(attempt, NOW)).toBeUndefined()
    await fail(guard, attempt, 1, 'malformed')
    expect(guard.refused(attempt, NOW)).toBeDefined()
    expect(writes).toHaveLength(FAILURE_LIMIT.address / 5)
  })
})

describe('failures against a product', () => {
  test('from many addresses are refused once there are too many, for that product alone', async () => {
    const guard = failureGuard(sharedCount().addCount)
    for (let host = 0; host < FAILURE_LIMIT.product; host += 1) {
      const address = `10.0.${Math.floor(host / 256)}.${host % 256}`
      await guard.failed({ address, product: 'edu' }, 'unknown', NOW)
    }
    const fresh = { address: '203.0.113.7' }
    expect(guard.refused({ ...fresh, product: 'edu' }, NOW)).toMatchObject({ refused: 'TOO_MANY_FAILURES' })
    expect(guard.refused({ ...fresh, product: 'cad' }, NOW)).toBeUndefined()
    expect(guard.refused(fresh, NOW)).toBeUndefined()
  })
})
