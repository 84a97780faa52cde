import { describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { refuse } from '../../shared/domain/refusal.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { serve } from '../../shared/platform/http/pipeline.ts'
import { plusMilliseconds } from '../../shared/platform/time.ts'
import {
  fakePorts,
  type Line,
  NOT_HERE,
  NOW,
  problemOf,
  REQUEST_ID,
  send,
  smallService,
} from './small-service.ts'

const Thing = z.strictObject({ name: z.string(), revision: z.int() })
const routes = {
  readThing: {
    method: 'GET',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    success: { status: 200, body: Thing },
    errors: [],
    summary: 'Read a thing',
    versioned: true,
  },
  makeThing: {
    method: 'POST',
    path: '/things',
    access: ['vendor:admin'],
    query: z.strictObject({ loud: z.string().optional() }),
    body: z.strictObject({ name: z.string() }),
    bodyLimit: 100,
    success: { status: 201, body: Thing },
    errors: [],
    summary: 'Make a thing',
  },
  editThing: {
    method: 'PATCH',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    body: z.strictObject({ name: z.string().optional() }),
    success: { status: 200, body: Thing },
    errors: [],
    summary: 'Edit a thing',
    versioned: true,
  },
  dropThing: {
    method: 'DELETE',
    path: '/things/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    success: { status: 204 },
    errors: [],
    summary: 'Drop a thing',
  },
  readNews: {
    method: 'GET',
    path: '/news',
    access: 'public',
    success: { status: 200, body: z.strictObject({ caller: z.string(), key: z.string() }) },
    errors: [],
    summary: 'Read the news',
    cacheSeconds: 300,
  },
} as const satisfies RouteTable

const thing = { name: 'Lamp', revision: 3 }

/** The service above; `made` counts what was made. */
function things(ports: Ports = fakePorts()) {
  const made: string[] = []
  const handler = smallService(
    routes,
    {
      readThing: async () => thing,
      makeThing: async ({ body }) => {
        made.push(body.name)
        return { name: body.name, revision: 1 }
      },
      editThing: async ({ revision }) => ({ ...thing, revision: revision + 1 }),
      dropThing: async () => undefined,
      readNews: async ({ caller, licenseKey }) => ({ caller: caller.kind, key: licenseKey ?? 'none' }),
    },
    ports,
  )
  return { handler, made }
}

const json = (value: unknown) => ({ body: JSON.stringify(value) })
const PATH = { pathParameters: { thingId: 'lamp' } }

describe('a success', () => {
  test('has its declared status and body, its ETag, its request id, and is not kept by caches', async () => {
    const response = await send(things().handler, 'GET /things/{thingId}', PATH)
    expect(response.statusCode).toBe(200)
    expect(JSON.parse(response.body)).toEqual(thing)
    expect(response.headers).toEqual({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      etag: '"3"',
      'x-request-id': REQUEST_ID,
      'x-content-type-options': 'nosniff',
      'ratelimit-policy': '"default";q=100;w=60',
      ratelimit: '"default";r=99;t=60',
    })
  })

  test('without a body has none, and no content type', async () => {
    const { statusCode, headers, body } = await send(things().handler, 'DELETE /things/{thingId}', PATH)
    expect({ statusCode, body }).toEqual({ statusCode: 204, body: '' })
    expect(headers).not.toHaveProperty('content-type')
    expect(headers['cache-control']).toBe('no-store')
  })

  test('says for how long a shared cache may keep it, where the operation declares that', async () => {
    const { headers } = await send(things().handler, 'GET /news')
    expect(headers['cache-control']).toBe('public, max-age=300')
  })
})

describe('a fault', () => {
  const secret = 'the database said: row 17 belongs to Example University'
  const tooMuch = { ...thing, internalNote: secret }
  const faults: Record<string, () => Promise<typeof thing>> = {
    'an error of a handler': async () => {
      throw new Error(secret, { cause: new Error('connection reset') })
    },
    'something thrown that is no error': async () => Promise.reject(secret),
    'an answer with a field that is not declared': async () => tooMuch,
    'an answer without a declared field': async () => JSON.parse(JSON.stringify({ name: secret })),
  }
  test.each(Object.entries(faults))('%s is an opaque 500 with the request id', async (_, handle) => {
    const handler = smallService({ readThing: routes.readThing }, { readThing: handle })
    const response = await send(handler, 'GET /things/{thingId}', PATH)
    expect(response.statusCode).toBe(500)
    expect(response.body).not.toContain('Example University')
    expect(problemOf(response)).toEqual({
      type: 'urn:latchkey:problem:fault',
      title: 'The service failed',
      status: 500,
      detail: 'Something failed on our side.',
      code: 'FAULT',
      next: 'Try again with the same Idempotency-Key; if it persists, report the request id.',
      requestId: REQUEST_ID,
    })
    expect(response.headers['x-request-id']).toBe(REQUEST_ID)
  })

  test('is logged once, as an error with its cause', async () => {
    const lines: Line[] = []
    const error = new Error('out of order')
    const { readThing } = routes
    const handler = smallService({ readThing }, { readThing: () => Promise.reject(error) }, fakePorts(lines))
    await send(handler, 'GET /things/{thingId}', PATH)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      level: 'error',
      message: 'fault',
      fields: { requestId: REQUEST_ID, operationId: 'readThing', status: 500, code: 'FAULT' },
    })
    expect(lines[0]?.cause).toBe(error)
  })

  test('at the start of a function costs one request: the next one starts it again', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { readThing } = routes
    let starts = 0
    const handler = serve(
      { readThing },
      { readThing: async () => thing },
      async () => undefined,
      async () => {
        starts += 1
        if (starts === 1) throw new Error('KMS is away')
        return fakePorts()
      },
    )
    const first = await send(handler, 'GET /things/{thingId}', PATH)
    expect(problemOf(first)).toMatchObject({ code: 'FAULT', requestId: REQUEST_ID })
    expect(first.body).not.toContain('KMS')
    expect(first.headers['x-request-id']).toBe(REQUEST_ID)
    expect(logged.mock.calls).toEqual([
      [expect.objectContaining({ requestId: REQUEST_ID, cause: expect.stringContaining('KMS is away') })],
    ])
    logged.mockRestore()

    const later = await send(handler, 'GET /things/{thingId}', PATH)
    await send(handler, 'GET /things/{thingId}', PATH)
    expect(later.statusCode).toBe(200)
    expect(starts).toBe(2)
  })
})

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
    expect(problemOf(response).errors).toEqual([{ field: '/query', message: 'Unrecognized key: "quiet"' }])
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

describe('an answer that the caller may have already', () => {
  const readPage = {
    method: 'GET',
    path: '/pages/{thingId}',
    access: ['vendor:admin'],
    params: z.strictObject({ thingId: z.string() }),
    success: { status: 200, body: z.strictObject({ text: z.string() }) },
    errors: [],
    summary: 'Read a page',
    conditional: true,
  } as const
  const Person = z.strictObject({ meta: z.strictObject({ version: z.string() }) })
  const params = z.strictObject({ thingId: z.string() })
  const scim = { dialect: 'scim', access: ['vendor:admin'], params, errors: [], summary: 'A person' } as const
  const success = { status: 200, body: Person } as const
  const routes = {
    readPage,
    getPerson: { ...scim, success, method: 'GET', path: '/people/{thingId}' },
    putPerson: { ...scim, success, method: 'PUT', path: '/people/{thingId}' },
  } as const satisfies RouteTable
  const person = { meta: { version: 'W/"2"' } }
  const handler = smallService(routes, {
    readPage: async () => ({ text: 'the same' }),
    getPerson: async () => person,
    putPerson: async () => person,
  })
  const ask = (route: string, headers: Record<string, string>) => send(handler, route, { ...PATH, headers })

  test.each([
    ['as it was given', (tag: string) => tag, 304],
    ['made weak by what lies between', (tag: string) => `W/${tag}`, 304],
    ['among others', (tag: string) => `"other", ${tag}`, 304],
    ['as another one', () => '"other"', 200],
  ])('is asked for with its tag %s', async (_, named, status) => {
    const { headers } = await ask('GET /pages/{thingId}', {})
    const again = await ask('GET /pages/{thingId}', { 'if-none-match': named(headers['etag'] ?? '') })
    expect([again.statusCode, again.headers['etag']]).toEqual([status, headers['etag']])
  })

  test('is told by its tag where it is read, not where it is written', async () => {
    const known = { 'if-none-match': 'W/"2"' }
    expect((await ask('GET /people/{thingId}', known)).statusCode).toBe(304)
    expect((await ask('PUT /people/{thingId}', known)).statusCode).toBe(200)
  })

  test('is read whatever If-Match says, which is for what is written', async () => {
    const match = { 'if-match': 'nothing' }
    expect((await ask('GET /people/{thingId}', match)).statusCode).toBe(200)
    expect((await ask('PUT /people/{thingId}', match)).statusCode).toBe(412)
  })
})

describe('a repeated request', () => {
  const asked = { ...json({ name: 'Lamp' }), headers: { 'idempotency-key': 'k-1' } }

  test('is answered as before and does nothing', async () => {
    const { handler, made } = things({
      ...fakePorts(),
      replay: async () => ({ replayed: { name: 'Old lamp', revision: 1 } }),
    })
    const response = await send(handler, 'POST /things', asked)
    expect([response.statusCode, JSON.parse(response.body)]).toEqual([201, { name: 'Old lamp', revision: 1 }])
    expect(made).toEqual([])
  })

  test('is held against what the operation declares, as any answer is', async () => {
    const { handler } = things({
      ...fakePorts(),
      replay: async () => ({ replayed: { name: 'Lamp', revision: 1, secret: 'x' } }),
    })
    expect((await send(handler, 'POST /things', asked)).statusCode).toBe(500)
  })

  test('without a key is done again: nothing is looked up', async () => {
    const { handler, made } = things({ ...fakePorts(), replay: () => Promise.reject(new Error('asked')) })
    await send(handler, 'POST /things', json({ name: 'Lamp' }))
    await send(handler, 'POST /things', json({ name: 'Lamp' }))
    expect(made).toEqual(['Lamp', 'Lamp'])
  })

  test('is told from another by method, path, query, If-Match and body', async () => {
    const prints: string[] = []
    const ports: Ports = {
      ...fakePorts(),
      replay: async ({ fingerprint }) => {
        prints.push(fingerprint)
        return undefined
      },
    }
    const { handler } = things(ports)
    const keyed = { 'idempotency-key': 'k' }
    await send(handler, 'POST /things', { ...json({ name: 'Lamp' }), headers: keyed })
    await send(handler, 'POST /things', { ...json({ name: 'Lamp' }), headers: keyed })
    await send(handler, 'POST /things', { ...json({ name: 'Lamps' }), headers: keyed })
    await send(handler, 'POST /things', { ...json({ name: 'Lamp' }), headers: keyed, query: { loud: '1' } })
    await send(handler, 'PATCH /things/{thingId}', {
      ...PATH,
      ...json({}),
      headers: { ...keyed, 'if-match': '"1"' },
    })
    await send(handler, 'PATCH /things/{thingId}', {
      ...PATH,
      ...json({}),
      headers: { ...keyed, 'if-match': '"2"' },
    })
    await send(handler, 'DELETE /things/{thingId}', { ...PATH, path: '/things/lamp', headers: keyed })
    await send(handler, 'DELETE /things/{thingId}', { ...PATH, path: '/things/desk', headers: keyed })
    expect(prints[0]).toBe(prints[1])
    expect(new Set(prints).size).toBe(prints.length - 1)
  })
})

describe('a public operation', () => {
  const caller = async (headers: Record<string, string>, ports?: Ports) => {
    const { handler } = things(ports)
    const response = await handler(
      {
        routeKey: 'GET /news',
        rawPath: '/news',
        headers,
        requestContext: { requestId: REQUEST_ID, http: { method: 'GET', sourceIp: '203.0.113.7' } },
        isBase64Encoded: false,
      },
      { getRemainingTimeInMillis: () => 10_000 },
    )
    return response.statusCode === 200 ? JSON.parse(response.body) : response.statusCode
  }

  test('asks nobody who comes without a credential', async () => {
    const ports: Ports = { ...fakePorts(), authenticate: () => Promise.reject(new Error('asked')) }
    expect(await caller({}, ports)).toEqual({ caller: 'anonymous', key: 'none' })
  })

  test('leaves a license key to its handler', async () => {
    const ports: Ports = { ...fakePorts(), authenticate: () => Promise.reject(new Error('asked')) }
    expect(await caller({ authorization: 'License ABC' }, ports)).toEqual({ caller: 'anonymous', key: 'ABC' })
  })

  test('knows who comes with a good token, and refuses a bad one', async () => {
    const refusing: Ports = {
      ...fakePorts(),
      authenticate: async () => refuse('UNAUTHENTICATED', 'Unknown.'),
    }
    expect(await caller({ authorization: 'Bearer good' })).toEqual({ caller: 'vendor', key: 'none' })
    expect(await caller({ authorization: 'Bearer bad' }, refusing)).toBe(401)
  })

  test('is limited by address, others by credential', async () => {
    const limits: string[] = []
    const ports: Ports = {
      ...fakePorts(),
      rateLimit: async (kind, subject) => {
        limits.push(`${kind} ${subject}`)
        return { limit: 1, remaining: 0, resetSeconds: 1 }
      },
    }
    await caller({}, ports)
    await send(things(ports).handler, 'GET /things/{thingId}', PATH)
    expect(limits).toEqual(['address 203.0.113.7', 'credential tok_staff'])
  })
})

test('the clock is read once before the handler, and a request is timed by it', async () => {
  const lines: Line[] = []
  const times = [NOW, plusMilliseconds(NOW, 250)]
  const ports: Ports = { ...fakePorts(lines), clock: () => times.shift() ?? NOW }
  await send(things(ports).handler, 'GET /things/{thingId}', PATH)
  expect(lines[0]?.fields.milliseconds).toBe(250)
  expect(times).toEqual([])
})
