import { describe, expect, test } from 'vitest'
import { refuse } from '../../shared/domain/refusal.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { rawBody } from '../../shared/platform/http/shapes.ts'
import { fakePorts, type Line, NOT_HERE, problemOf, REQUEST_ID, send, smallService } from './small-service.ts'
import { json, PATH, routes, things } from './things.ts'

describe('a refusal', () => {
  test('of a handler is its problem document, logged without a cause', async () => {
    const lines: Line[] = []
    const { readThing } = routes
    const handler = smallService({ readThing }, { readThing: async () => NOT_HERE }, fakePorts(lines))
    const response = await send(handler, 'GET /things/{thingId}', PATH)
    expect(response.statusCode).toBe(404)
    expect(problemOf(response).code).toBe('NOT_FOUND')
    expect(lines).toMatchObject([{ level: 'info', message: 'request', fields: { code: 'NOT_FOUND' } }])
    expect(lines[0]?.cause).toBeUndefined()
  })

  test('of an operation that does not exist names its path', async () => {
    const response = await send(things().handler, 'GET /unheard-of')
    expect(response.statusCode).toBe(404)
    expect(problemOf(response).detail).toBe('There is no GET /unheard-of.')
    expect(response.headers['x-request-id']).toBe(REQUEST_ID)
  })

  test.each([
    [refuse('NOT_FOUND', 'There is no such link.'), 404, 'Open the one in the mail again.'],
    [refuse('CONTENDED', 'Others write at once.'), 503, 'Open the link again in a minute.'],
    [refuse('RATE_LIMITED', 'Too many requests.'), 429, 'Open the link again in a minute.'],
  ])(
    'of a page is a page for a browser, and a problem document for everybody else',
    async (refusal, status, says) => {
      const page = {
        method: 'GET',
        path: '/page',
        access: ['vendor:admin'],
        success: { status: 200, body: rawBody('text/html; charset=utf-8'), media: ['text/html'] },
        errors: [refusal.refused],
        summary: 'A page',
      } as const
      const handler = smallService({ page }, { page: async () => refusal })
      const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
      const seen = await send(handler, 'GET /page', { headers: { accept } })
      expect([seen.statusCode, seen.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8'])
      expect(seen.headers['content-security-policy']).toContain("default-src 'none'")
      expect(seen.headers['x-request-id']).toBe(REQUEST_ID)
      expect(seen.body).toContain(says)
      const told = await send(handler, 'GET /page', { headers: { accept: '*/*' } })
      expect([told.statusCode, problemOf(told).code]).toEqual([status, refusal.refused])
      const { readThing } = routes
      const thing = smallService({ readThing }, { readThing: async () => NOT_HERE })
      const other = await send(thing, 'GET /things/{thingId}', { ...PATH, headers: { accept } })
      expect(problemOf(other).code).toBe('NOT_FOUND')
    },
  )

  test.each([
    ['POST /scim/v2/.search', 501, 'NOT_IMPLEMENTED', undefined],
    ['DELETE /scim/v2/Schemas/any', 405, 'METHOD_NOT_ALLOWED', 'GET'],
    ['GET /scim/v2/Nothing', 404, 'NOT_FOUND', undefined],
  ])('of %s is said in the words of SCIM', async (routeKey, status, code, allow) => {
    const { statusCode, headers } = await send(things().handler, routeKey)
    expect([statusCode, headers['x-problem-code'], headers['allow']]).toEqual([status, code, allow])
    expect(headers['content-type']).toBe('application/scim+json')
  })

  test.each([
    ['text that is not JSON', '{"name":', 400, 'INVALID_REQUEST', '/body'],
    ['no body', '', 400, 'INVALID_REQUEST', '/body'],
    ['a wrong type', '{"name":7}', 400, 'INVALID_REQUEST', '/body/name'],
    ['half a character', '{"name":"\\ud800"}', 400, 'INVALID_REQUEST', '/body'],
    ['101 bytes', JSON.stringify({ name: 'x'.repeat(90) }), 413, 'BODY_TOO_LARGE', undefined],
    // 50 characters of three bytes each.
    [
      '158 bytes in 66 characters',
      JSON.stringify({ name: '€'.repeat(50) }),
      413,
      'BODY_TOO_LARGE',
      undefined,
    ],
  ])('of a body with %s', async (_, body, status, code, field) => {
    const { handler, made } = things()
    const response = await send(handler, 'POST /things', { body })
    expect(response.statusCode).toBe(status)
    const problem = problemOf(response)
    expect(problem.code).toBe(code)
    expect(problem.errors?.map((error) => error.field)).toEqual(field && [field])
    expect(made).toEqual([])
  })

  test('of a body that came encoded counts its bytes, not its characters', async () => {
    const { handler, made } = things()
    const encoded = (name: string) => ({
      body: Buffer.from(JSON.stringify({ name })).toString('base64'),
      base64: true,
    })
    // 100 bytes are 136 characters of base 64.
    expect((await send(handler, 'POST /things', encoded('x'.repeat(89)))).statusCode).toBe(201)
    expect((await send(handler, 'POST /things', encoded('x'.repeat(90)))).statusCode).toBe(413)
    expect(made).toHaveLength(1)
  })

  test.each([
    ['text/plain', 415],
    ['application/x-www-form-urlencoded', 415],
    ['application/json; charset=utf-8', 201],
    ['APPLICATION/JSON', 201],
  ])('of the media type %s: %i', async (type, status) => {
    const sent = { ...json({ name: 'Lamp' }), headers: { 'content-type': type } }
    expect((await send(things().handler, 'POST /things', sent)).statusCode).toBe(status)
  })

  test('of a query names the field, and of an unknown one too', async () => {
    const { handler, made } = things()
    const response = await send(handler, 'POST /things', { ...json({ name: 'Lamp' }), query: { quiet: '1' } })
    expect(problemOf(response).errors).toEqual([{ field: '/query/quiet', message: 'is not known here' }])
    expect(made).toEqual([])
  })

  test.each(['', 'with space', 'tab\t', 'é', 'x'.repeat(129)])('of the Idempotency-Key %j', async (key) => {
    const { handler, made } = things()
    const response = await send(handler, 'POST /things', {
      ...json({ name: 'Lamp' }),
      headers: { 'idempotency-key': key },
    })
    expect(problemOf(response).code).toBe('INVALID_IDEMPOTENCY_KEY')
    expect(made).toEqual([])
  })

  test('with a time says in Retry-After when to come back', async () => {
    const limited: Ports = {
      ...fakePorts(),
      rateLimit: async () => refuse('RATE_LIMITED', 'Slowly.', { retryAfter: 17 }),
    }
    const { handler, made } = things(limited)
    const response = await send(handler, 'POST /things', json({ name: 'Lamp' }))
    expect(response.statusCode).toBe(429)
    expect(response.headers['retry-after']).toBe('17')
    expect(made).toEqual([])
  })

  test('for want of a credential says which kinds there are', async () => {
    const refusing: Ports = {
      ...fakePorts(),
      authenticate: async () => refuse('UNAUTHENTICATED', 'Unknown.'),
    }
    const response = await send(things(refusing).handler, 'GET /things/{thingId}', PATH)
    expect(response.statusCode).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Bearer, License')
  })
})

describe('an edit', () => {
  const edit = (match?: string) =>
    send(things().handler, 'PATCH /things/{thingId}', {
      ...PATH,
      ...json({}),
      ...(match !== undefined && { headers: { 'if-match': match } }),
    })

  test.each([undefined, '*', '"1x"', '1', '""', '"1", "2"'])('with If-Match %j is refused', async (match) => {
    const { statusCode } = await edit(match)
    expect(statusCode).toBe(match === undefined ? 428 : 412)
  })

  test.each(['"7"', 'W/"7"', ' "7" '])('with If-Match %j goes to its handler', async (match) => {
    const response = await edit(match)
    expect(response.headers['etag']).toBe('"8"')
  })
})
