import * as z from 'zod'
import type { Allowance } from '../auth/rate-limit.ts'
import type { Route } from './contract.ts'
import type { HttpResult } from './event.ts'

const Versioned = z.object({ revision: z.int() })

/** A success, its body parsed against what the operation declares: nothing else leaves. */
export function succeed(route: Route, reply: unknown): HttpResult {
  const { success } = route
  if (!('body' in success))
    return { statusCode: success.status, headers: { 'cache-control': 'no-store' }, body: '' }
  const body: unknown = success.body.parse(reply)
  return {
    statusCode: success.status,
    headers: {
      'content-type': 'application/json',
      'cache-control':
        route.cacheSeconds === undefined ? 'no-store' : `public, max-age=${route.cacheSeconds}`,
      ...(route.versioned && { etag: `"${Versioned.parse(body).revision}"` }),
    },
    body: JSON.stringify(body),
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
