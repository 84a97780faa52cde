import { createHash } from 'node:crypto'
import * as z from 'zod'
import { fieldErrors, notFound, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Route } from './contract.ts'
import type { HttpEvent } from './event.ts'
import { SCIM_TYPE } from './scim.ts'

const BODY_LIMIT = 256 * 1024
const JSON_TYPE = 'application/json'
/** Printable ASCII. */
export const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,128}$/

/** What an operation takes that declares no path parameters, or no query. */
const NOTHING = z.strictObject({})

/** The parts of a request as its operation declares them. */
export type Parts = { params: unknown; query: unknown; body: unknown }

/** Parses path, query and body; unknown fields are refused, and every wrong field is named. */
export function parseParts(route: Route, event: HttpEvent, body: string): Parts | Refusal {
  const params = (route.params ?? NOTHING).safeParse(event.pathParameters)
  // An id that cannot exist is answered like one that does not.
  if (!params.success) return notFound
  const query = (route.query ?? NOTHING).safeParse(event.queryStringParameters)
  if (!query.success) {
    return refuse('INVALID_REQUEST', 'The query is not valid.', {
      errors: fieldErrors(query.error, '/query'),
    })
  }
  const parsed = parseBody(route, event, body)
  return 'refused' in parsed ? parsed : { params: params.data, query: query.data, body: parsed.body }
}

function parseBody(route: Route, event: HttpEvent, text: string): { body: unknown } | Refusal {
  if (route.body === undefined) {
    if (text === '' || text === '{}') return { body: undefined }
    return refuse('INVALID_REQUEST', 'This operation takes no body.', {
      errors: [{ field: '/body', message: 'must be absent' }],
    })
  }
  const raw = readBody(route, event, text)
  if ('refused' in raw) return raw
  const parsed = route.body.safeParse(raw.body)
  if (parsed.success) return { body: parsed.data }
  return refuse('INVALID_REQUEST', 'The body is not valid.', { errors: fieldErrors(parsed.error, '/body') })
}

function readBody(route: Route, event: HttpEvent, text: string): { body: unknown } | Refusal {
  if (text === '') return { body: undefined }
  const type = event.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? JSON_TYPE
  if (route.textBody?.includes(type)) return { body: text }
  const taken = [JSON_TYPE, ...(route.dialect === 'scim' ? [SCIM_TYPE] : [])]
  if (!taken.includes(type)) {
    return refuse(
      'UNSUPPORTED_MEDIA_TYPE',
      `Expected ${[...taken, ...(route.textBody ?? [])].join(' or ')}, got ${type}.`,
    )
  }
  try {
    return { body: parseJson(text) }
  } catch {
    return refuse('INVALID_REQUEST', 'The body is not JSON.', {
      errors: [{ field: '/body', message: 'is not JSON' }],
    })
  }
}

/** Half of a character outside the basic plane can only come in as an escape: the text itself was UTF-8. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/

/** JSON whose strings are Unicode (RFC 7493, section 2.1): others would not be stored, and signed, as they were sent. */
function parseJson(text: string): unknown {
  if (!SURROGATE_ESCAPE.test(text)) return JSON.parse(text)
  return JSON.parse(text, (key, value: unknown) => {
    if (key.isWellFormed() && (typeof value !== 'string' || value.isWellFormed())) return value
    throw new SyntaxError('half a surrogate pair')
  })
}

/** What decoders put in the place of bytes that are not UTF-8; API Gateway has decoded most bodies before us. */
const REPLACEMENT = '\u{FFFD}'

/** The body as text, within the operation's limit. What is not UTF-8 would not be stored as it was sent. */
export function bodyText(route: Route, event: HttpEvent): string | Refusal {
  const limit = route.bodyLimit ?? BODY_LIMIT
  const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
  if (bytes.length > limit)
    return refuse('BODY_TOO_LARGE', `The body has ${bytes.length} bytes, at most ${limit} are taken.`)
  const coding = event.headers['content-encoding'] ?? 'identity'
  if (route.body !== undefined && coding.toLowerCase() !== 'identity')
    return refuse('UNSUPPORTED_MEDIA_TYPE', `Expected a body as it is, not in the content coding ${coding}.`)
  const text = bytes.toString('utf8')
  if (!text.includes(REPLACEMENT)) return text
  return refuse('INVALID_REQUEST', 'The body is not UTF-8.', {
    errors: [{ field: '/body', message: 'is not UTF-8' }],
  })
}

/** Does the operation change anything, and so take an Idempotency-Key? */
export function isMutation(route: Route): boolean {
  return route.method !== 'GET' && route.safe !== true
}

export function idempotencyKey(route: Route, event: HttpEvent): string | undefined | Refusal {
  const key = event.headers['idempotency-key']
  if (key === undefined || !isMutation(route)) return undefined
  return IDEMPOTENCY_KEY.test(key)
    ? key
    : refuse('INVALID_IDEMPOTENCY_KEY', 'It holds characters that are not allowed, or too many.')
}

/** Does the answer have an entity tag with which it is asked for again, and 304 if it is still the same? */
export function isConditional(route: Route): boolean {
  return route.conditional === true || (route.dialect === 'scim' && route.method === 'GET')
}

/** Must, or may, the revision that is to be changed be named in If-Match? */
export function ifMatchOf(route: Route): 'required' | 'optional' | undefined {
  if (route.versioned && route.method === 'PATCH') return 'required'
  return route.dialect === 'scim' && isMutation(route) && route.params ? 'optional' : undefined
}

/** The revision in If-Match; 0 where none is named or the operation takes none. */
export function revision(route: Route, event: HttpEvent): number | Refusal {
  const match = ifMatchOf(route)
  const header = event.headers['if-match']
  if (match === undefined) return 0
  if (match === 'optional' && (header === undefined || header.trim() === '*')) return 0
  if (header === undefined) return refuse('REVISION_REQUIRED', 'An edit names the revision it was made on.')
  const [, digits] = /^(?:W\/)?"([1-9]\d{0,14})"$/.exec(header.trim()) ?? []
  return digits === undefined
    ? refuse('REVISION_OUTDATED', `${header} is no ETag of this resource.`)
    : Number(digits)
}

/** Tells one request from another under the same idempotency key. */
export function fingerprint(event: HttpEvent, body: string): string {
  const query = JSON.stringify(Object.entries(event.queryStringParameters).toSorted())
  const parts = [
    event.requestContext.http.method,
    event.rawPath,
    query,
    event.headers['if-match'] ?? '',
    body,
  ]
  return createHash('sha256').update(parts.join('\n')).digest('base64url')
}
