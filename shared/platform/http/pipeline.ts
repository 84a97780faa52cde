import middy from '@middy/core'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { createLog } from '../log.ts'
import { once } from '../remembered.ts'
import type { Call, Handlers, Route, RouteTable } from './contract.ts'
import { HttpEvent, type HttpResult } from './event.ts'
import type { Bound, Exchange, ParsedCall, Ports } from './exchange.ts'
import { commonHeaders, problem, succeed } from './respond.ts'
import { isReadOnlyScimPath, isScimPath, isScimSearch } from './scim.ts'
import { authenticate, authorize, type Context, demand, limitRate, observe, parse } from './steps.ts'

/** A Lambda function behind API Gateway (HTTP API, payload format 2.0). */
export type HttpHandler = (event: unknown, context: Context) => Promise<HttpResult>

/**
 * The one way of every request: request id and log, operation, authentication, authorization, rate limit, body limit
 * and parsing, replay of an idempotent request, handler, response parsed, problem documents.
 */
export function serve<T extends RouteTable, Services>(
  table: T,
  handlers: Handlers<T, Services>,
  services: () => Promise<Services>,
  ports: () => Promise<Ports>,
): HttpHandler {
  const operations = bind(table, handlers, services)
  const pipeline = once(async () => {
    const world = await ports()
    const run = middy<Exchange, HttpResult, Error, Context>()
      .use(observe(world))
      .use(authenticate(world))
      .use(authorize())
      .use(limitRate(world))
      .use(parse())
      .handler((exchange) => handle(exchange, world))
    return { run, world }
  })
  return async (raw, context) => {
    const event = HttpEvent.parse(raw)
    const { requestId, http } = event.requestContext
    // A route may be for any method of its path.
    const operation = operations.get(event.routeKey.replace(/^ANY /, `${http.method} `))
    if (operation === undefined) {
      return nowhere(event)
    }
    const ready = await pipeline().catch((cause: unknown) => {
      // KMS or the table could not be reached at a cold start; the next request tries again.
      createLog('error')(
        'error',
        'fault',
        { requestId, operationId: operation.operationId, status: 500 },
        cause,
      )
      return undefined
    })
    if (ready === undefined)
      return answer(refuse('FAULT', 'Something failed on our side.'), requestId, operation.dialect)
    const { run, world } = ready
    const exchange: Exchange = {
      event,
      operation,
      now: world.clock(),
      requestId,
      address: http.sourceIp,
      edgeCountry: world.edgeCountry(event.headers),
      remaining: () => context.getRemainingTimeInMillis(),
      caller: { kind: 'anonymous' },
    }
    return run(exchange, context)
  }
}

/** There is no such operation; said in SCIM's words where that is spoken. */
function nowhere({ rawPath, requestContext: { requestId, http } }: HttpEvent): HttpResult {
  if (!isScimPath(rawPath))
    return answer(refuse('NOT_FOUND', `There is no ${http.method} ${rawPath}.`), requestId)
  const isNotMade = http.method === 'POST' && isScimSearch(rawPath)
  const isRead = isReadOnlyScimPath(rawPath) && http.method !== 'GET'
  const code = isNotMade ? 'NOT_IMPLEMENTED' : isRead ? 'METHOD_NOT_ALLOWED' : 'NOT_FOUND'
  const response = answer(refuse(code, `There is no ${http.method} ${rawPath}.`), requestId, 'scim')
  // RFC 9110, section 15.5.6.
  return isRead ? { ...response, headers: { ...response.headers, allow: 'GET' } } : response
}

/** A refusal before the pipeline runs. */
function answer(refusal: Refusal, requestId: string, dialect?: Route['dialect']): HttpResult {
  const response = problem(refusal, requestId, dialect)
  return { ...response, headers: { ...response.headers, ...commonHeaders(requestId, undefined) } }
}

async function handle({ operation, call, event }: Exchange, { replay }: Ports): Promise<HttpResult> {
  if (call === undefined) throw new Error('the request was not parsed')
  const first = call.idempotencyKey === undefined ? undefined : demand(await replay(call))
  const own = first ?? (await operation.handle(call))
  // A request that is refused because its own twin was faster is answered like the twin.
  const twin = isRefusal(own) && call.idempotencyKey !== undefined ? demand(await replay(call)) : undefined
  const reply = twin ?? demand(own)
  return succeed(operation, isReplayed(reply) ? reply.replayed : reply, event.headers['if-none-match'])
}

const isReplayed = (reply: unknown): reply is { replayed: unknown } =>
  typeof reply === 'object' && reply !== null && 'replayed' in reply

/** Puts each handler behind its route, found by API Gateway's route key. */
function bind<T extends RouteTable, Services>(
  table: T,
  handlers: Handlers<T, Services>,
  services: () => Promise<Services>,
): Map<string, Bound> {
  const bound = new Map<string, Bound>()
  for (const operationId in table) {
    const route = table[operationId]
    const handler = handlers[operationId]
    if (route === undefined) continue
    bound.set(`${route.method} ${route.path}`, {
      ...route,
      operationId,
      handle: async (call: ParsedCall) => {
        // biome-ignore lint/nursery/noUnsafeTypeAssertion: parsed by this very route's schemas; a loop cannot tell TypeScript so
        return handler(call as Call<T[typeof operationId]>, await services())
      },
    })
  }
  return bound
}
