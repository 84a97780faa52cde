import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { operations } from '../../functions/routes.ts'
import { type HttpFront, startFront } from '../../infra/local/http/front.ts'
import { RouteTable } from '../../infra/local/http/routes.ts'
import { startApi } from '../support/api.ts'
import { rowsOf } from './battery.ts'

/** The functions in this process behind the front of the local stack: what a request is on the wire. */
const api = await startApi()
const token = await api.token('vendor:admin')
let front: HttpFront
beforeAll(async () => {
  front = await startFront(0)
  const routes = new RouteTable()
  for (const { method, path, context } of operations)
    routes.add(`${method} ${path}`, {
      timeoutMilliseconds: 30_000,
      invoke: async (event) => JSON.stringify(await api.invoke(context, JSON.parse(event))),
    })
  front.serve('api', routes)
})
afterAll(async () => {
  await front.close()
  await api.stop()
})

/** Bytes of which one is one character. */
const bytes = (value: string) => Buffer.from(value, 'latin1')
const tenant = (name: string, customerId = name) => JSON.stringify({ name, customerId, timeZone: 'UTC' })

/** A request to add a tenant, as it goes over the wire. */
function post(
  headers: Readonly<Record<string, string | number>>,
  body: Buffer | string,
  close = true,
): Buffer {
  const own = {
    host: 'a',
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    ...headers,
    ...(close && { connection: 'close' }),
  }
  const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([bytes(`POST /v1/tenants HTTP/1.1\r\n${lines.join('')}\r\n`), Buffer.from(body)])
}

/** Sends bytes; what comes back until the connection is closed. `hangUp`: this side closes it first. */
async function wire(sent: Buffer, hangUp = false): Promise<string> {
  const socket = connect(Number(new URL(front.url).port), '127.0.0.1')
  socket.write(sent)
  if (hangUp) socket.end()
  return text(socket)
}

const statusesOf = (answers: string) =>
  [...answers.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status))
const codesOf = (answers: string) => [...answers.matchAll(/"code":"([A-Z_]+)"/g)].map(([, code]) => code)

describe('a request that is not what it says changes nothing', () => {
  const whole = tenant('Somebody')
  const latin = bytes(tenant('M\xfcller'))
  const wide = Buffer.from(whole, 'utf16le')
  const packed = gzipSync(whole)
  const chunk = (body: string) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`

  test.each<[what: string, sent: Buffer, status: number[], code?: string | undefined, hangUp?: boolean]>([
    ['fewer bytes than it says, and no more', post({ 'content-length': 500 }, whole), [400], undefined, true],
    ['more bytes than it says', post({ 'content-length': 20 }, whole, false), [400]],
    ['two lengths', post({ 'content-length': '20, 30' }, whole), [400]],
    [
      'a length and chunks',
      post({ 'content-length': 5, 'transfer-encoding': 'chunked' }, `${chunk(whole)}0\r\n\r\n`),
      [400],
    ],
    [
      'a chunk that is longer than it says',
      post({ 'transfer-encoding': 'chunked' }, `5\r\n${whole}\r\n0\r\n\r\n`),
      [400],
    ],
    ['chunks without an end', post({ 'transfer-encoding': 'chunked' }, chunk(whole)), [400], undefined, true],
    ['bytes that are not UTF-8', post({ 'content-length': latin.length }, latin), [400], 'INVALID_REQUEST'],
    [
      'bytes that are not UTF-8, in a type that a function gets as bytes',
      post(
        {
          'content-length': latin.length,
          'content-type': 'application/json;charset=latin1',
          'content-encoding': 'identity',
        },
        latin,
      ),
      [400],
      'INVALID_REQUEST',
    ],
    [
      'UTF-16',
      post({ 'content-length': wide.length, 'content-type': 'application/json; charset=utf-16' }, wide),
      [400],
      'INVALID_REQUEST',
    ],
    [
      'a body that is compressed',
      post({ 'content-length': packed.length, 'content-encoding': 'gzip' }, packed),
      [415],
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'a body that says it is compressed',
      post({ 'content-length': whole.length, 'content-encoding': 'br' }, whole),
      [415],
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'two credentials',
      post({ 'content-length': whole.length, Authorization: `Bearer ${token}` }, whole),
      [401],
      'UNAUTHENTICATED',
    ],
    [
      'a path whose encoding is broken',
      bytes('DELETE /v1/tokens/%E0%A4%A HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
      [400],
    ],
  ])('%s', async (_, sent, status, code, hangUp) => {
    const before = await rowsOf(api.table)
    const answers = await wire(sent, hangUp)
    expect(statusesOf(answers)).toEqual(status)
    if (code !== undefined) expect(codesOf(answers)).toContain(code)
    expect(await rowsOf(api.table)).toEqual(before)
  })
})

describe('a request that comes in another way is the same request', () => {
  test('in chunks, cut within a character', async () => {
    const body = Buffer.from(tenant('Universität', 'chunks'))
    const cut = body.indexOf(0xc3) + 1
    const parts = [body.subarray(0, cut), body.subarray(cut)].flatMap((part) => [
      bytes(`${part.length.toString(16)}\r\n`),
      part,
      bytes('\r\n'),
    ])
    const answer = await wire(
      post({ 'transfer-encoding': 'chunked' }, Buffer.concat([...parts, bytes('0\r\n\r\n')])),
    )
    expect(statusesOf(answer)).toEqual([201])
    expect(answer).toContain('"name":"Universität"')
  })

  test('behind others on one connection: each is done once and answered in turn', async () => {
    const bodies = ['one', 'two', 'two'].map((name) => tenant(name, `pipelined ${name}`))
    const requests = bodies.map((body, index) =>
      post({ 'content-length': body.length }, body, index === bodies.length - 1),
    )
    const answers = await wire(Buffer.concat(requests))
    expect(statusesOf(answers).toSorted()).toEqual([201, 201, 409])
    expect(codesOf(answers)).toEqual(['CODE_TAKEN'])
    expect(answers.indexOf('"name":"one"')).toBeLessThan(answers.indexOf('"name":"two"'))
  })
})
