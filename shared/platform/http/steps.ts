import type { MiddlewareObj } from '@middy/core'
import { type Caller, mayCall, seesTenant } from '../../domain/access.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../domain/refusal.ts'
import { TenantId } from '../ids.ts'
import { epochMilliseconds } from '../time.ts'
import type { HttpResult } from './event.ts'
import type { Bound, Exchange, Ports } from './exchange.ts'
import { bodyText, fingerprint, idempotencyKey, isMutation, parseParts, revision } from './parse.ts'
import { problemFor } from './problem-page.ts'
import { RefusedError } from './refused.ts'
import { commonHeaders, problem } from './respond.ts'

export type Context = { getRemainingTimeInMillis(): number }
type Step = MiddlewareObj<Exchange, HttpResult, Error, Context>

/** Ends the request here if the value is a refusal. */
export function demand<T>(value: T | Refusal): T {
  if (isRefusal(value)) throw new RefusedError(value)
  return value
}

/** Outermost: turns errors into problem documents, adds the common headers, writes the one log line. */
export function observe({ log, clock }: Ports): Step {
  function finish(exchange: Exchange, response: HttpResult, code: string | undefined, cause?: unknown): void {
    Object.assign(response.headers, commonHeaders(exchange.requestId, exchange.allowance))
    const { caller } = exchange
    log(
      cause === undefined ? 'info' : 'error',
      cause === undefined ? 'request' : 'fault',
      {
        requestId: exchange.requestId,
        operationId: exchange.operation.operationId,
        status: response.statusCode,
        code,
        milliseconds: epochMilliseconds(clock()) - epochMilliseconds(exchange.now),
        callerKind: caller.kind,
        ...('tenantId' in caller && { tenantId: caller.tenantId }),
        ...('subject' in caller && { subject: caller.subject }),
      },
      cause,
    )
  }
  return {
    after: ({ event, response }) => {
      if (response) finish(event, response, undefined)
    },
    onError: (request) => {
      const { event, error } = request
      const refusal =
        error instanceof RefusedError ? error.refusal : refuse('FAULT', 'Something failed on our side.')
      const { operation, requestId } = event
      const { accept } = event.event.headers
      const response = problemFor(accept, operation, problem(refusal, requestId, operation.dialect))
      request.response = response
      finish(event, response, refusal.refused, error instanceof RefusedError ? undefined : error)
    },
  }
}

/** Who is calling? A public operation looks at a license key itself and takes any other credential if it is good. */
export function authenticate({ authenticate }: Ports): Step {
  return {
    before: async ({ event: exchange }) => {
      const header = exchange.event.headers['authorization']
      const { operation } = exchange
      if (header === undefined) {
        if (operation.access !== 'public')
          throw new RefusedError(refuse('UNAUTHENTICATED', 'This operation needs a credential.'))
        return
      }
      const [, licenseKey] = /^license +(\S+) *$/i.exec(header) ?? []
      if (operation.access === 'public' && licenseKey !== undefined) {
        exchange.licenseKey = licenseKey
        return
      }
      exchange.caller = demand(await authenticate(header, exchange.address, exchange.now))
    },
  }
}

/** May this caller do this, and may it know of the tenant in the path? */
export function authorize(): Step {
  return {
    before: ({ event: { event, operation, caller } }) => {
      if (!mayCall(operation.access, caller, operation.operationId)) {
        throw new RefusedError(refuse('FORBIDDEN', `This needs ${needOf(operation, caller)}.`))
      }
      const named = event.pathParameters['tenantId']
      if (named === undefined) return
      const tenantId = TenantId.safeParse(named)
      if (!tenantId.success || !seesTenant(caller, tenantId.data)) {
        throw new RefusedError(notFound)
      }
    },
  }
}

/** What a caller lacks: the scope, where its role would do. */
function needOf({ access, operationId }: Bound, caller: Caller): string {
  const isOfRole = 'scopes' in caller && mayCall(access, { ...caller, scopes: undefined }, operationId)
  return isOfRole ? `the scope ${operationId}, which the token does not have` : [access].flat().join(', ')
}

/** Counts the request against its credential, or its address where it has none. */
export function limitRate({ rateLimit }: Ports): Step {
  return {
    before: async ({ event: exchange }) => {
      const { caller, address, now } = exchange
      exchange.allowance = demand(
        await (caller.kind === 'anonymous'
          ? rateLimit('address', address, now)
          : rateLimit('credential', caller.subject, now)),
      )
    },
  }
}

/** Body limit, then path, query and body as the operation declares them. */
export function parse(): Step {
  return {
    before: ({ event: exchange }) => {
      const { event, operation, caller, now, requestId, address, edgeCountry, remaining, licenseKey } =
        exchange
      const body = demand(bodyText(operation, event))
      const parts = demand(parseParts(operation, event, body))
      exchange.call = {
        ...parts,
        caller,
        now,
        requestId,
        address,
        edgeCountry,
        remaining,
        licenseKey,
        revision: demand(revision(operation, event)),
        idempotencyKey: demand(idempotencyKey(operation, event)),
        fingerprint: isMutation(operation) ? fingerprint(event, body) : '',
      }
    },
  }
}
