import { createHash } from 'node:crypto'
import * as z from 'zod'
import { REFUSALS, type Refusal } from '../../domain/refusal.ts'
import type { Allowance } from '../auth/rate-limit.ts'
import type { Route } from './contract.ts'
import type { HttpResult } from './event.ts'
import { isConditional } from './parse.ts'
import type { Problem } from './problem.ts'
import { CODE_HEADER, namesEtag, SCIM_TYPE, scimError } from './scim.ts'

const Versioned = z.object({ revision: z.int() })
const ScimResource = z.object({
  meta: z.object({ version: z.string().optional(), location: z.string().optional() }).optional(),
})

/**
 * A success, its body parsed against what the operation declares: nothing else leaves. `known` is the If-None-Match of
 * the request.
 */
export function succeed(route: Route, reply: unknown, known?: string): HttpResult {
  const { success } = route
  if (!('body' in success))
    return { statusCode: success.status, headers: { 'cache-control': 'no-store' }, body: '' }
  const body: unknown = success.body.parse(reply)
  if (success.media !== undefined) return raw(Raw.parse(body), success.status, route, known)
  const text = JSON.stringify(body)
  const isScim = route.dialect === 'scim'
  const meta = isScim ? ScimResource.parse(body).meta : undefined
  const etag = isScim ? meta?.version : etagOf(route, body, text)
  if (etag !== undefined && isConditional(route) && namesEtag(known, etag))
    return { statusCode: 304, headers: { etag, 'cache-control': 'no-cache' }, body: '' }
  return {
    statusCode: success.status,
    headers: {
      'content-type': isScim ? SCIM_TYPE : 'application/json',
      'cache-control': cacheControl(route.cacheSeconds),
      ...(etag && { etag }),
      ...(meta?.location && { location: meta.location }),
    },
    body: text,
  }
}

const Raw = z.object({ type: z.string(), content: z.string(), next: z.string().optional() })

/** An answer that is no JSON; see shapes.ts. */
function raw(
  { type, content, next }: z.infer<typeof Raw>,
  statusCode: number,
  { cacheSeconds, conditional }: Route,
  known: string | undefined,
): HttpResult {
  const etag = conditional ? tagOf(content) : undefined
  // Whoever may ask again with its tag may keep it, and nobody between.
  const kept = etag ? { etag, 'cache-control': 'private, no-cache' } : undefined
  if (kept && namesEtag(known, kept.etag)) return { statusCode: 304, headers: kept, body: '' }
  return {
    statusCode,
    headers: {
      'content-type': type,
      ...(kept ?? { 'cache-control': cacheControl(cacheSeconds) }),
      ...(type.startsWith('text/html') && HTML_HEADERS),
      ...(next !== undefined && { link: `<${next}>; rel="next"` }),
    },
    body: content,
    ...(type === 'application/octet-stream' && { isBase64Encoded: true }),
  }
}

/** Of pages, which have forms that lead back here, and a token in their address. */
export const HTML_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
}

const cacheControl = (seconds: number | undefined) =>
  seconds === undefined ? 'no-store' : `public, max-age=${seconds}`

/** The revision of an editable resource, or a hash of a conditional answer's content. */
function etagOf(route: Route, body: unknown, text: string): string | undefined {
  if (route.versioned) return `"${Versioned.parse(body).revision}"`
  return route.conditional ? tagOf(text) : undefined
}

const tagOf = (content: string) => `"${createHash('sha256').update(content).digest('base64url')}"`

/** A refusal, as its problem document; in the words of the route's dialect if it has one. */
export function problem(refusal: Refusal, requestId: string, dialect?: Route['dialect']): HttpResult {
  const { status, title, next } = REFUSALS[refusal.refused]
  const headers = {
    'cache-control': 'no-store',
    ...(refusal.retryAfter !== undefined && { 'retry-after': String(refusal.retryAfter) }),
    ...(status === 401 && { 'www-authenticate': 'Bearer, License' }),
  }
  if (dialect === 'scim')
    return {
      statusCode: status,
      headers: { 'content-type': SCIM_TYPE, [CODE_HEADER]: refusal.refused, ...headers },
      body: JSON.stringify(scimError(refusal)),
    }
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
    headers: { 'content-type': 'application/problem+json', ...headers },
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
