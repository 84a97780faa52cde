import { type Refusal, refuse } from '../../domain/refusal.ts'
import { Remembered } from '../remembered.ts'
import { type Instant, MINUTE } from '../time.ts'
import { type AddCount, windowOf } from './counter.ts'

/** Requests a minute. A credential may be a whole back end, an address may be a whole office. */
const LIMIT = { credential: 30_000, address: 6_000 } as const

// A function grants itself this many in each minute without asking, so that a quiet caller never costs a write; beyond
// it takes tokens from the shared count in blocks: 0.004 writes per request (performance.md, technique 5, has 0.02).
const FREE = 250
const BLOCK = 250

export type Allowance = { readonly limit: number; readonly remaining: number; readonly resetSeconds: number }
export type RateLimit = (
  kind: keyof typeof LIMIT,
  subject: string,
  now: Instant,
) => Promise<Allowance | Refusal>

/** What a function knows of a subject's minute; `spent`: the shared count is at its limit. */
type State = { window: string; used: number; granted: number; spent: boolean }

/** Limits the requests of each credential or address, over all running functions. */
export function rateLimit(addCount: AddCount): RateLimit {
  const known = new Remembered<string, State>(10_000)

  return async (kind, subject, now) => {
    const limit = LIMIT[kind]
    const window = windowOf(now, MINUTE)
    const name = `requests ${kind} ${subject}`
    const last = known.get(name)
    const state: State =
      last?.window === window.name ? last : { window: window.name, used: 0, granted: FREE, spent: false }
    known.set(name, state)
    if (state.used >= state.granted) {
      // Once it is spent nobody gets more of it, so that refusing costs nothing.
      state.spent ||= (await addCount(name, window.name, BLOCK, window.ttl)) > limit
      if (state.spent) {
        return refuse('RATE_LIMITED', `At most ${limit} requests a minute.`, {
          retryAfter: window.secondsLeft,
        })
      }
      state.granted += BLOCK
    }
    state.used += 1
    return { limit, remaining: Math.max(0, limit - state.used), resetSeconds: window.secondsLeft }
  }
}
