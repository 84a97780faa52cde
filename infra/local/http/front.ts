import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { readClock } from '../../../shared/platform/time.ts'
import { FunctionError } from '../functions/sandbox.ts'
import { LOOPBACK, listen } from '../port.ts'
import { newRequestId, toEvent } from './event.ts'
import { gatewayAnswer, type HttpAnswer, toAnswer } from './response.ts'
import type { RouteTable } from './routes.ts'

/** Payload quota of HTTP APIs: 10 MB. */
const MAX_BODY = 10 * 1024 * 1024
/** Quota of HTTP APIs for the request line and header values together. */
const MAX_HEADERS = 10_240
/** Longer ones Node itself refuses, and may cut the connection before its answer is read. */
const MAX_READ_HEADERS = 1024 * 1024
/** What Lambda takes and returns at most in a synchronous call: 6 MB. */
const MAX_PAYLOAD = 6 * 1024 * 1024
/** How long requests under way may take when the stack is closed. */
const DRAIN_MILLISECONDS = 2_000

const TOO_LARGE = gatewayAnswer(413, 'Request Entity Too Large')
const TOO_LONG = gatewayAnswer(431, 'Request Header Fields Too Large')
const FAULT = gatewayAnswer(500, 'Internal Server Error')

export type HttpFront = {
  readonly url: string
  /** Answers from now on what the routes say; before, everything is "Service Unavailable". */
  serve(apiId: string, routes: RouteTable): void
  close(): Promise<void>
}

/**
 * API Gateway's part: HTTP in, events of format 2.0 to the functions, their answers out.
 *
 * @throws LocalStackError when the port is busy
 */
export async function startFront(port: number): Promise<HttpFront> {
  let api: { apiId: string; routes: RouteTable } | undefined
  const server = createServer({ maxHeaderSize: MAX_READ_HEADERS }, async (request, response) => {
    const requestId = newRequestId()
    const answer = api
      ? await handle(request, requestId, api.apiId, api.routes)
      : gatewayAnswer(503, 'Service Unavailable')
    // Closing: a connection that stays open would hold it up.
    if (!server.listening) response.setHeader('connection', 'close')
    send(response, requestId, answer)
  })
  const used = await listen(server, port)
  return {
    url: `http://${LOOPBACK}:${used}`,
    serve: (apiId, routes) => {
      api = { apiId, routes }
    },
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MILLISECONDS)
      await closed
      clearTimeout(cut)
    },
  }
}

async function handle(
  request: IncomingMessage,
  requestId: string,
  apiId: string,
  routes: RouteTable,
): Promise<HttpAnswer> {
  try {
    const body = await read(request)
    if (headersLength(request) > MAX_HEADERS) return TOO_LONG
    if (body === undefined) return TOO_LARGE
    const [path = '', query = ''] = splitOnce(request.url ?? '', '?')
    const match = routes.match(request.method ?? '', path)
    if (match === undefined) return gatewayAnswer(404, 'Not Found')
    const received = { request, body, path, query, apiId, requestId, now: readClock() }
    const event = JSON.stringify(toEvent(received, match))
    if (Buffer.byteLength(event) > MAX_PAYLOAD) return TOO_LARGE
    const payload = await within(match.target.timeoutMilliseconds, match.target.invoke(event))
    if (payload === undefined) return gatewayAnswer(503, 'Service Unavailable')
    return (Buffer.byteLength(payload) <= MAX_PAYLOAD && toAnswer(payload)) || FAULT
  } catch (error) {
    // Who asked has hung up.
    if (!request.complete) return gatewayAnswer(400, 'Bad Request')
    // A path with a broken percent-encoding.
    if (error instanceof URIError) return gatewayAnswer(400, 'Bad Request')
    // The function has printed its own failure.
    if (!(error instanceof FunctionError)) console.error(error)
    return FAULT
  }
}

/** Reads to the end, so that the connection stays usable. @returns undefined when the body is over the limit */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length <= MAX_BODY) chunks.push(chunk)
  }
  return length <= MAX_BODY ? Buffer.concat(chunks) : undefined
}

/** Bytes of the request line and of the values of headers. */
function headersLength({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): number {
  const line = `${method} ${url} HTTP/${httpVersion}`
  return rawHeaders.reduce((sum, text, index) => sum + (index % 2 === 1 ? text.length : 0), line.length)
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

async function within(milliseconds: number, work: Promise<string>): Promise<string | undefined> {
  const stop = new AbortController()
  const timeout = delay(milliseconds, undefined, { signal: stop.signal }).catch(() => undefined)
  try {
    return await Promise.race([work, timeout])
  } finally {
    stop.abort()
  }
}

function send(response: ServerResponse, requestId: string, { status, headers, body }: HttpAnswer): void {
  if (response.destroyed) return
  try {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('apigw-requestid', requestId)
    response.writeHead(status)
    response.end(body)
  } catch (error) {
    console.error('The answer of the function cannot be sent:', error)
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    if (!response.headersSent) send(response, requestId, FAULT)
  }
}
