import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { fakePorts, send, smallService } from './small-service.ts'
import { json, PATH, things } from './things.ts'

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
