import { describe, expect, test, vi } from 'vitest'
import { refuse } from '../../shared/domain/refusal.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { serve } from '../../shared/platform/http/pipeline.ts'
import { plusMilliseconds } from '../../shared/platform/time.ts'
import { fakePorts, type Line, NOW, problemOf, REQUEST_ID, send, smallService } from './small-service.ts'
import { PATH, routes, thing, things } from './things.ts'

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
