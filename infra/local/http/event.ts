import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { epochMilliseconds, epochSeconds, type Instant } from '../../../shared/platform/time.ts'
import { ACCOUNT } from '../template/resolve.ts'
import type { RouteMatch } from './routes.ts'

/** API Gateway hands over these as text and everything else as base64, forms and JSON dialects included. */
const TEXT_TYPES = /^(text\/.*|application\/(json|javascript|xml))$/
/** Headers that do not reach the function: cookies go apart, the others are about this connection alone. */
const LEFT_OUT = new Set([
  'cookie',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'expect',
  'te',
])
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

type Received = {
  readonly request: IncomingMessage
  readonly body: Buffer
  /** Percent-encoded, as it came. */
  readonly path: string
  readonly query: string
  readonly apiId: string
  readonly requestId: string
  readonly now: Instant
}

/** The form of API Gateway's request ids: 16 characters of base64. */
export const newRequestId = (): string => randomBytes(11).toString('base64')

/**
 * The event of an HTTP API, payload format 2.0, for a stage `$default` (API Gateway developer guide, "Create AWS Lambda
 * proxy integrations for HTTP APIs"). As there, paths arrive decoded, the query as it was, and cookies apart.
 */
export function toEvent(received: Received, match: RouteMatch) {
  const { request, body, query, apiId, requestId, now } = received
  const path = decodeURIComponent(received.path)
  const sourceIp = request.socket.remoteAddress ?? ''
  const headers = headersOf(request, sourceIp, now)
  const cookies = request.headersDistinct['cookie']?.flatMap((line) => line.split(/;\s*/)).filter(Boolean)
  const domainName = headers['host']?.replace(/:\d+$/, '') ?? ''
  return {
    version: '2.0',
    routeKey: match.routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookies && { cookies }),
    headers,
    ...(query && { queryStringParameters: queryParameters(query) }),
    requestContext: {
      accountId: ACCOUNT,
      apiId,
      domainName,
      domainPrefix: domainName.split('.')[0] ?? '',
      http: {
        method: request.method ?? '',
        path,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: match.routeKey,
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: epochMilliseconds(now),
    },
    ...(match.pathParameters && { pathParameters: match.pathParameters }),
    ...bodyOf(body, request.headers),
  }
}

/** Names in lower case, values of the same name joined with commas, and what API Gateway adds. */
function headersOf(request: IncomingMessage, sourceIp: string, now: Instant): Record<string, string> {
  const sent = Object.entries(request.headersDistinct)
    .filter(([name]) => !LEFT_OUT.has(name))
    .map(([name, values = []]) => [name, values.join(',')] as const)
  const headers = Object.fromEntries(sent)
  const forwarded = headers['x-forwarded-for']
  return {
    ...headers,
    'x-amzn-trace-id': `Root=1-${epochSeconds(now).toString(16)}-${randomBytes(12).toString('hex')}`,
    'x-forwarded-for': forwarded ? `${forwarded}, ${sourceIp}` : sourceIp,
    'x-forwarded-port': String(request.socket.localPort ?? ''),
    'x-forwarded-proto': 'http',
  }
}

function queryParameters(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query)
  return Object.fromEntries(
    [...new Set(parameters.keys())].map((name) => [name, parameters.getAll(name).join(',')]),
  )
}

function bodyOf(body: Buffer, headers: IncomingHttpHeaders): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? ''
  const isText = TEXT_TYPES.test(type) && headers['content-encoding'] === undefined
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText }
}

/** `21/Nov/2026:10:00:00 +0000` */
function commonLogTime(now: Instant): string {
  const [year, month, day] = now.slice(0, 10).split('-')
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${now.slice(11, 19)} +0000`
}
