import { REFUSALS, type RefusalCode } from '../../domain/refusal.ts'
import type { Route } from './contract.ts'

/** Headers of responses, besides those of HTTP itself that say what the content is and who may keep it. */
export const HEADERS = {
  'X-Request-Id': {
    schema: { type: 'string' },
    description: 'Names this request when you ask about it.',
    required: true,
  },
  RateLimit: {
    schema: { type: 'string' },
    description: 'What is left of the limit, and for how many seconds.',
  },
  'RateLimit-Policy': { schema: { type: 'string' }, description: 'Requests in so many seconds.' },
  ETag: { schema: { type: 'string' }, description: 'Of what was answered: for If-Match, or If-None-Match.' },
  Location: { schema: { type: 'string' }, description: 'Where the resource is.' },
  Link: { schema: { type: 'string' }, description: 'Where the next page is (RFC 8288, `rel="next"`).' },
  'Retry-After': {
    schema: { type: 'integer', minimum: 0 },
    description: 'Seconds until another try makes sense.',
  },
  'WWW-Authenticate': { schema: { type: 'string' }, description: 'How to come in.', required: true },
} as const
type HeaderName = keyof typeof HEADERS

const EVERYWHERE: readonly HeaderName[] = ['X-Request-Id']
/** Once it is known who asks. */
const LIMITS: readonly HeaderName[] = ['RateLimit', 'RateLimit-Policy']

const headersOf = (...names: readonly (readonly HeaderName[])[]) =>
  Object.fromEntries(names.flat().map((name) => [name, { $ref: `#/components/headers/${name}` }]))

/** Of the answer to a request that succeeds. */
export function successHeaders(route: Route) {
  const isScim = route.dialect === 'scim'
  return headersOf(
    EVERYWHERE,
    LIMITS,
    isScim || route.versioned || route.conditional ? ['ETag'] : [],
    isScim ? ['Location'] : [],
    'media' in route.success ? ['Link'] : [],
  )
}

export const NOT_MODIFIED = {
  description: 'What If-None-Match names is still what would be answered.',
  headers: headersOf(EVERYWHERE, LIMITS, ['ETag']),
}

/** Of the refusals that a status stands for: those of one status differ in nothing else. */
export function problemHeaders(codes: readonly RefusalCode[]) {
  const statuses = codes.map((code) => REFUSALS[code].status)
  return headersOf(
    EVERYWHERE,
    LIMITS,
    statuses.some((status) => status === 429 || status === 503) ? ['Retry-After'] : [],
    statuses.includes(401) ? ['WWW-Authenticate'] : [],
  )
}
