import { createHash } from 'node:crypto'
import * as z from 'zod'
import { REFUSALS, type Refusal } from '../../domain/refusal.ts'
import type { Allowance } from '../auth/rate-limit.ts'
import type { Route } from './contract.ts'
import type { HttpResult } from './event.ts'
import type { Problem } from './problem.ts'

const Versioned = z.object({ revision: z.int() })

/**
 * A success, its body parsed against what the operation declares: nothing else leaves. `known` is the If-None-Match of
 * the request.
 */
export function succeed(route: Route, reply: unknown, known?: string): HttpResult {
  const { success } = route
  if (!('body' in success))
    return { statusCode: success.status, headers: { 'cache-control': 'no-store' }, body: '' }
  const body: unknown = success.body.parse(reply)
  const text = JSON.stringify(body)
  const etag = etagOf(route, body, text)
  if (route.conditional && etag !== undefined && etag === known) {
    return { statusCode: 304, headers: { etag, 'cache-control': 'no-cache' }, body: '' }
  }
  return {
    statusCode: success.status,
    headers: {
      'content-type': 'application/json',
      'cache-control':
        route.cacheSeconds === undefined ? 'no-store' : `public, max-age=${route.cacheSeconds}`,
      ...(etag && { etag }),
    },
    body: text,
  }
}

/** The revision of an editable resource, or a hash of a conditional answer's content. */
function etagOf(route: Route, body: unknown, text: string): string | undefined {
  if (route.versioned) return `"${Versioned.parse(body).revision}"`
  if (route.conditional) return `"${createHash('sha256').update(text).digest('base64url')}"`
  return undefined
}

/** A refusal, as its problem document. */
export function problem(refusal: Refusal, requestId: string): HttpResult {
  const { status, title, next } = REFUSALS[refusal.refused]
  const document: z.infer<typeof Problem> = {
    type: `urn:latchkey:problem:${refusal.refused.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.refused,
    next,
    requestId,
    ...(refusal.errors && { errors: [...refusal.errors] }),
    ...(refusal.pool && { pool: refusal.pool }),
    ...refusal.members,
  }
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(refusal.retryAfter !== undefined && { 'retry-after': String(refusal.retryAfter) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer, License' }),
    },
    body: JSON.stringify(document),
  }
}

/** Headers of every response. Rate limits in the form of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10). */
export function commonHeaders(requestId: string, allowance: Allowance | undefined): Record<string, string> {
  return {
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    ...(allowance && {
      'ratelimit-policy': `"default";q=${allowance.limit};w=60`,
      ratelimit: `"default";r=${allowance.remaining};t=${allowance.resetSeconds}`,
    }),
  }
}
