import { type Refusal, refuse } from '../../domain/refusal.ts'
import { Remembered } from '../remembered.ts'
import { type Instant, MINUTE } from '../time.ts'
import { type AddCount, windowOf } from './counter.ts'

const WINDOW = 10 * MINUTE

/** Failed attempts in ten minutes before more are refused: from one address, and against one product from anywhere. */
export const FAILURE_LIMIT = { address: 30, product: 3_000 } as const

// A malformed key cannot be a guess that came close; such failures are counted in memory and told in blocks.
const MALFORMED_BLOCK = 5

/** Who failed: an address, and where the caller named it, the product the attempt was against. */
export type Attempt = { readonly address: string; readonly product?: string | undefined }

export type FailureGuard = {
  /** A refusal while too many attempts have failed. Costs nothing: it is known from the failures themselves. */
  refused(attempt: Attempt, now: Instant): Refusal | undefined
  failed(attempt: Attempt, how: 'malformed' | 'unknown', now: Instant): Promise<void>
}

/**
 * Slows down guessing of keys and tokens. Only failures cost a write; its answer tells the function the shared total.
 * Credentials that were found before do not pass here, so a flood of guesses locks out nobody who is known.
 */
export function failureGuard(addCount: AddCount): FailureGuard {
  const totals = new Remembered<string, { window: string; total: number; untold: number }>(10_000)

  function subjects({ address, product }: Attempt): [name: string, limit: number][] {
    const own: [string, number] = [`failures address ${network(address)}`, FAILURE_LIMIT.address]
    return product === undefined ? [own] : [own, [`failures product ${product}`, FAILURE_LIMIT.product]]
  }

  return {
    refused(attempt, now) {
      const window = windowOf(now, WINDOW)
      const over = subjects(attempt).some(([name, limit]) => {
        const known = totals.get(name)
        return known?.window === window.name && known.total + known.untold >= limit
      })
      if (!over) return undefined
      return refuse('TOO_MANY_FAILURES', 'Too many attempts with keys or tokens that do not exist.', {
        retryAfter: window.secondsLeft,
      })
    },
    async failed(attempt, how, now) {
      const window = windowOf(now, WINDOW)
      for (const [name] of subjects(attempt)) {
        const last = totals.get(name)
        const state = last?.window === window.name ? last : { window: window.name, total: 0, untold: 0 }
        totals.set(name, state)
        state.untold += 1
        if (how === 'malformed' && state.untold < MALFORMED_BLOCK) continue
        const told = state.untold
        state.untold = 0
        const total = await addCount(name, window.name, told, window.ttl)
        // Answers to failures at the same time may come in any order.
        state.total = Math.max(state.total, total)
      }
    },
  }
}

/** An IPv4 address, or the /64 of an IPv6 address: what one subscriber has. */
export function network(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address.replace('::ffff:', '')
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter((group) => group !== '')
  const right = tail === undefined ? [] : tail.split(':').filter((group) => group !== '')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':')
}
