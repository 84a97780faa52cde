import type { Caller } from '../../domain/access.ts'
import type { Refusal } from '../../domain/refusal.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import type { Allowance, RateLimit } from '../auth/rate-limit.ts'
import type { Log } from '../log.ts'
import type { EdgeCountry } from '../places/edge.ts'
import type { Instant } from '../time.ts'
import type { Call, Replayed, Route } from './contract.ts'
import type { HttpEvent } from './event.ts'
import type { Parts } from './parse.ts'

/** A call whose parts its operation's schemas have parsed, for code that serves every operation alike. */
export type ParsedCall = Omit<Call<Route>, keyof Parts> & Parts

/** An operation with its handler behind it. */
export type Bound = Route & {
  readonly operationId: string
  readonly handle: (call: ParsedCall) => Promise<unknown>
}

/** What the pipeline needs of the world. */
export type Ports = {
  readonly clock: () => Instant
  readonly log: Log
  readonly authenticate: Authenticate
  readonly rateLimit: RateLimit
  /** The country that the configured edge saw a request come from. */
  readonly edgeCountry: EdgeCountry
  /** The reply to an identical earlier request, or the refusal of a reused key. */
  readonly replay: (call: ParsedCall) => Promise<Replayed | Refusal | undefined>
}

/** One request on its way through the pipeline, and what has become known of it. */
export type Exchange = {
  readonly event: HttpEvent
  readonly operation: Bound
  readonly now: Instant
  readonly requestId: string
  /** Network address of the caller. */
  readonly address: string
  readonly edgeCountry: string | undefined
  readonly remaining: () => number
  caller: Caller
  licenseKey?: string
  allowance?: Allowance
  call?: ParsedCall
}
