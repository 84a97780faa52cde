import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { AddCount } from '../../shared/platform/auth/counter.ts'
import { rateLimit } from '../../shared/platform/auth/rate-limit.ts'
import { epochSeconds, Instant, plusMilliseconds } from '../../shared/platform/time.ts'

// Ten seconds into a minute.
const NOW = Instant.parse('2026-03-01T12:00:10.000Z')
const NEXT_MINUTE = Instant.parse('2026-03-01T12:01:00.000Z')
const FREE = 250
const BLOCK = 250
const LIMIT = { credential: 30_000, address: 6_000 }

/** The count that all functions share, in memory; `left`: how many of a credential's requests others have left over. */
function sharedCount(left = LIMIT.credential) {
  const totals = new Map<string, number>()
  const writes: { subject: string; window: string; amount: number; ttl: number }[] = []
  const addCount: AddCount = async (subject, window, amount, ttl) => {
    writes.push({ subject, window, amount, ttl })
    const total = (totals.get(`${subject} ${window}`) ?? LIMIT.credential - left) + amount
    totals.set(`${subject} ${window}`, total)
    return total
  }
  return { addCount, writes }
}

type Limiter = ReturnType<typeof rateLimit>

/** Asks so often; how many were let through. */
async function ask(limiter: Limiter, times: number, subject = 'tok_1', now = NOW): Promise<number> {
  let through = 0
  for (let asked = 0; asked < times; asked += 1)
    if (!isRefusal(await limiter('credential', subject, now))) through += 1
  return through
}

describe('the allowance of one function', () => {
  test('costs no write', async () => {
    const { addCount, writes } = sharedCount()
    expect(await ask(rateLimit(addCount), FREE)).toBe(FREE)
    expect(writes).toEqual([])
  })

  test('is extended by blocks, one write each', async () => {
    const { addCount, writes } = sharedCount()
    const limiter = rateLimit(addCount)
    await ask(limiter, FREE + 1)
    expect(writes).toEqual([
      {
        subject: 'requests credential tok_1',
        window: '2026-03-01T12:00:00.000Z',
        amount: BLOCK,
        // TTL deletes it an hour after its minute at the earliest, when nobody counts in it any more.
        ttl: epochSeconds(plusMilliseconds(NOW, 60_000 + 3_600_000)),
      },
    ])
    await ask(limiter, BLOCK - 1)
    expect(writes).toHaveLength(1)
    await ask(limiter, 1)
    expect(writes).toHaveLength(2)
  })

  test('is told with what remains of it and when it begins again', async () => {
    const limiter = rateLimit(sharedCount().addCount)
    expect(await limiter('credential', 'tok_1', NOW)).toEqual({
      limit: LIMIT.credential,
      remaining: LIMIT.credential - 1,
      resetSeconds: 50,
    })
    expect(await limiter('credential', 'tok_1', NOW)).toMatchObject({ remaining: LIMIT.credential - 2 })
    expect(await limiter('address', '203.0.113.7', NOW)).toMatchObject({ limit: LIMIT.address })
  })
})

describe('beyond the limit', () => {
  const LEFT = 4 * BLOCK

  test('a credential is refused until the minute is over', async () => {
    const limiter = rateLimit(sharedCount(LEFT).addCount)
    expect(await ask(limiter, LEFT + FREE + 100)).toBe(LEFT + FREE)
    expect(await limiter('credential', 'tok_1', NOW)).toEqual({
      refused: 'RATE_LIMITED',
      detail: `At most ${LIMIT.credential} requests a minute.`,
      retryAfter: 50,
    })
    expect(await ask(limiter, 1, 'tok_1', NEXT_MINUTE)).toBe(1)
  })

  test('others are not', async () => {
    const limiter = rateLimit(sharedCount(LEFT).addCount)
    await ask(limiter, LEFT + FREE + 1)
    expect(await ask(limiter, 1, 'tok_2')).toBe(1)
    expect(isRefusal(await limiter('address', 'tok_1', NOW))).toBe(false)
  })

  test('refusing costs no write for each request', async () => {
    const { addCount, writes } = sharedCount(LEFT)
    const limiter = rateLimit(addCount)
    await ask(limiter, LEFT + FREE)
    const before = writes.length
    expect(await ask(limiter, 100)).toBe(0)
    expect(writes.length - before).toBe(1)
  })

  test('several functions share one limit, apart from what each grants itself', async () => {
    const { addCount } = sharedCount(LEFT)
    const functions = [rateLimit(addCount), rateLimit(addCount), rateLimit(addCount)]
    let through = 0
    for (const limiter of functions) through += await ask(limiter, LEFT)
    expect(through).toBe(LEFT + functions.length * FREE)
  })
})
