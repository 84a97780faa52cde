import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpFront, startFront } from '../../../infra/local/http/front.ts'
import { RouteTable } from '../../../infra/local/http/routes.ts'

let front: HttpFront
beforeEach(async () => {
  front = await startFront(0)
})
afterEach(() => front.close())

function serve(answer: Promise<string>, timeoutMilliseconds = 30_000): void {
  const routes = new RouteTable()
  routes.add('$default', { invoke: () => answer, timeoutMilliseconds })
  front.serve('api', routes)
}

const read = async () => {
  const response = await fetch(`${front.url}/thing`)
  return [response.status, await response.text()]
}

test('until there are routes the service is unavailable', async () => {
  expect(await read()).toEqual([503, '{"message":"Service Unavailable"}'])
})

test('a function that takes longer than the integration may is unavailable', async () => {
  serve(new Promise(() => undefined), 1)
  expect(await read()).toEqual([503, '{"message":"Service Unavailable"}'])
})

test('an answer of more than 6 MB, which Lambda would not give, is a fault', async () => {
  serve(Promise.resolve(JSON.stringify('x'.repeat(6 * 1024 * 1024))))
  expect(await read()).toEqual([500, '{"message":"Internal Server Error"}'])
})

test('an answer with a header that cannot be sent is a fault', async () => {
  serve(Promise.resolve(JSON.stringify({ statusCode: 200, headers: { 'x-bad': 'a\nb' }, body: '' })))
  expect(await read()).toEqual([500, '{"message":"Internal Server Error"}'])
})

test.each([10_240, 100_000])('headers of more than 10 KB are refused: %i', async (length) => {
  serve(Promise.resolve('"fine"'))
  const response = await fetch(front.url, { headers: { 'x-long': 'x'.repeat(length) } })
  expect(response.status).toBe(431)
})

test('a request under way is answered before the front closes', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const routes = new RouteTable()
  const arrived = new Promise<void>((reached) => {
    routes.add('$default', {
      invoke: () => {
        reached()
        return promise
      },
      timeoutMilliseconds: 30_000,
    })
  })
  front.serve('api', routes)

  const answer = read()
  await arrived
  const closed = front.close()
  resolve('"done"')

  expect(await answer).toEqual([200, 'done'])
  await closed
  await expect(read()).rejects.toThrow()
})

test('what is not a path is not found', async () => {
  serve(Promise.resolve('"fine"'))
  front.serve('api', new RouteTable())
  const socket = connect(Number(new URL(front.url).port), '127.0.0.1')
  socket.end('OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 404 /)
})
