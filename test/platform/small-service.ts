import type { Caller } from '../../shared/domain/access.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers, RouteTable } from '../../shared/platform/http/contract.ts'
import type { HttpResult } from '../../shared/platform/http/event.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { type HttpHandler, serve } from '../../shared/platform/http/pipeline.ts'
import { Problem } from '../../shared/platform/http/problem.ts'
import type { LogFields, LogLevel } from '../../shared/platform/log.ts'
import { Instant } from '../../shared/platform/time.ts'
import { noteOutcome } from '../support/note-outcome.ts'

export const NOW = Instant.parse('2026-03-01T12:00:00.000Z')
const STAFF: Caller = { kind: 'vendor', role: 'vendor:admin', subject: 'tok_staff' }

export type Line = { level: LogLevel; message: string; fields: LogFields; cause: unknown }

/** Ports that let everybody in as `STAFF`, limit nobody, replay nothing, and keep what is logged in `lines`. */
export function fakePorts(lines: Line[] = []): Ports {
  return {
    clock: () => NOW,
    log: (level, message, fields, cause) => lines.push({ level, message, fields, cause }),
    authenticate: async () => STAFF,
    rateLimit: async () => ({ limit: 100, remaining: 99, resetSeconds: 60 }),
    edgeCountry: () => undefined,
    replay: async () => undefined,
  }
}

/** A service of some routes and handlers, behind fake ports. */
export function smallService<T extends RouteTable>(
  table: T,
  handlers: Handlers<T, undefined>,
  ports: Ports = fakePorts(),
): HttpHandler {
  return serve(
    table,
    handlers,
    async () => undefined,
    async () => ports,
  )
}

type Sent = {
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly pathParameters?: Readonly<Record<string, string>>
  readonly body?: string
  readonly base64?: boolean
}

export const REQUEST_ID = 'request-1'

/** Sends a request as API Gateway would, with a credential unless its headers say otherwise. */
export async function send(handler: HttpHandler, routeKey: string, sent: Sent = {}): Promise<HttpResult> {
  const [method = '', route = ''] = routeKey.split(' ')
  const result = await handler(
    {
      routeKey,
      rawPath: sent.path ?? route,
      headers: { authorization: 'Bearer anything', ...sent.headers },
      queryStringParameters: sent.query,
      pathParameters: sent.pathParameters,
      requestContext: { requestId: REQUEST_ID, http: { method, sourceIp: '203.0.113.7' } },
      body: sent.body,
      isBase64Encoded: sent.base64 ?? false,
    },
    { getRemainingTimeInMillis: () => 10_000 },
  )
  const code = result.headers['x-problem-code'] ?? /"code":"([A-Z_]+)"/.exec(result.body)?.[1]
  noteOutcome('a-small-service', code === undefined ? `${result.statusCode}` : `${result.statusCode} ${code}`)
  return result
}

/** The problem document of a response; fails if it is none. */
export function problemOf({ headers, body }: HttpResult) {
  if (headers['content-type'] !== 'application/problem+json') throw new Error(`not a problem: ${body}`)
  return Problem.parse(JSON.parse(body))
}

export const NOT_HERE: Refusal = refuse('NOT_FOUND', 'There is no such resource.')
