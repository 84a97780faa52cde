import { createPublicKey, verify } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterAll, describe, expect, test } from 'vitest'
import { newWebhookId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { isPublicAddress } from '../../shared/platform/webhooks/addresses.ts'
import { post } from '../../shared/platform/webhooks/post.ts'
import {
  publicKeyText,
  secretText,
  signedHeaders,
  webhookKeys,
} from '../../shared/platform/webhooks/signature.ts'
import { allowedTargets, findTarget, type Resolve } from '../../shared/platform/webhooks/target.ts'

describe('addresses', () => {
  test.each([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '0.0.0.0', '::']],
    ['private', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd00:ec2::254']],
    ['link-local, metadata services', ['169.254.169.254', '169.254.170.2', 'fe80::1', 'fec0::1']],
    ['shared (CGNAT)', ['100.64.0.1', '100.127.255.255']],
    ['multicast, broadcast', ['224.0.0.1', '239.1.1.1', '255.255.255.255', 'ff02::1']],
    [
      'reserved, documentation',
      ['192.0.0.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1', '2001:db8::1'],
    ],
    [
      'IPv4 inside IPv6',
      [
        '::ffff:127.0.0.1',
        '::ffff:8.8.8.8',
        '::127.0.0.1',
        '2002:7f00:1::',
        '64:ff9b::7f00:1',
        '64:ff9b:1::1',
        '2001::1',
      ],
    ],
    ['IPv6 that nobody was given', ['4000::1', '5f00::1', 'e000::1']],
    ['not addresses', ['localhost', '', '8.8.8.8.8']],
  ])('%s: nothing is sent there', (_, addresses) => {
    for (const address of addresses) expect(isPublicAddress(address), address).toBe(false)
  })

  test('the public internet', () => {
    for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111'])
      expect(isPublicAddress(address), address).toBe(true)
  })
})

describe('a target', () => {
  const at =
    (...addresses: string[]): Resolve =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

  test.each([
    ['http://hooks.example.com/', 'It is not https.'],
    ['https://hooks.example.com:22/', 'Its port is neither 443 nor 8443.'],
    [
      'https://me:secret@hooks.example.com/',
      'It has a user name or a password; check the signature instead.',
    ],
    ['https://127.0.0.1/', 'It leads to an address that is not of the public internet.'],
    // As URLs are written to slip through: decimal, hexadecimal, octal, short, mapped, a full stop at the end.
    ['https://2130706433/', 'It leads to an address that is not of the public internet.'],
    ['https://0x7f.1/', 'It leads to an address that is not of the public internet.'],
    ['https://0177.0.0.1/', 'It leads to an address that is not of the public internet.'],
    ['https://[::ffff:7f00:1]/', 'It leads to an address that is not of the public internet.'],
    ['https://[::1]/', 'It leads to an address that is not of the public internet.'],
    ['https://127.0.0.1./', 'It leads to an address that is not of the public internet.'],
    ['https://localhost/', 'It leads to an address that is not of the public internet.'],
    ['https://sub.localhost/', 'It leads to an address that is not of the public internet.'],
    ['gopher://hooks.example.com/', 'It is not https.'],
    ['nonsense', 'It is no URL.'],
  ])('must not be %s', async (url, forbidden) => {
    expect(await findTarget(url, 'public', at('8.8.8.8'))).toEqual({ forbidden })
  })

  test('is none as soon as one of its addresses is not public, or there is none', async () => {
    const forbidden = 'It leads to an address that is not of the public internet.'
    const url = 'https://hooks.example.com/'
    expect(await findTarget(url, 'public', at('8.8.8.8', '10.0.0.1'))).toEqual({ forbidden })
    expect(await findTarget(url, 'public', at('2606:4700::1111', '::1'))).toEqual({ forbidden })
    expect(await findTarget(url, 'public', at())).toEqual({ forbidden: 'Its name has no address.' })
    expect(await findTarget(url, 'public', at('8.8.8.8'))).toMatchObject({
      addresses: [{ address: '8.8.8.8', family: 4 }],
    })
  })

  test('is this computer only on a stage that nobody else reaches, and then nothing else that is private', async () => {
    expect(await findTarget('http://localhost:3000/', 'loopback', at())).toMatchObject({
      addresses: [{ address: '127.0.0.1' }],
    })
    for (const address of ['10.0.0.1', '169.254.169.254'])
      expect(await findTarget('http://hooks.example.com/', 'loopback', at(address))).toMatchObject({
        forbidden: expect.any(String),
      })
    expect(allowedTargets('loopback', 'local')).toBe('loopback')
    expect(allowedTargets('public', 'prod')).toBe('public')
    expect(() => allowedTargets('loopback', 'prod')).toThrow('stage prod')
  })

  test('that stands for another address a moment later (DNS rebinding) is judged by the one that is used', async () => {
    let asked = 0
    const rebinding: Resolve = async () => {
      asked += 1
      return [{ address: asked === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }]
    }
    const first = await findTarget('https://rebind.example.com/', 'public', rebinding)
    // Asked once: whoever connects now is led by `addresses`, see below.
    expect(first).toMatchObject({ addresses: [{ address: '8.8.8.8', family: 4 }] })
    expect(asked).toBe(1)
    expect(await findTarget('https://rebind.example.com/', 'public', rebinding)).toMatchObject({
      forbidden: expect.any(String),
    })
  })
})

type Behavior = (socket: Socket, request: string) => void
const servers: { close(): void }[] = []
afterAll(() => {
  for (const server of servers) server.close()
})

/** A server that does with a connection what it is told, once there is a request. */
async function serverThat(behavior: Behavior) {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      requests.push(data.toString())
      behavior(socket, data.toString())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push({
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return { port: (address satisfies AddressInfo).port, requests }
}

async function sendTo(behavior: Behavior, milliseconds = 2_000) {
  const { port, requests } = await serverThat(behavior)
  // The name is not asked for again: it would not be found.
  const url = new URL(`http://rebound.example.invalid:${port}/hook?x=1`)
  const sent = await post(
    { url, addresses: [{ address: '127.0.0.1', family: 4 }] },
    { 'webhook-id': 'evt_1' },
    '{"é":1}',
    milliseconds,
  )
  return { ...sent, requests }
}

describe('a message that is sent', () => {
  test('goes to the address that was looked at, under its name, and is taken', async () => {
    const sent = await sendTo((socket) => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
    expect(sent).toMatchObject({ status: 204 })
    expect(sent.requests).toHaveLength(1)
    const [request] = sent.requests
    expect(request).toMatch(/^POST \/hook\?x=1 HTTP\/1\.1\r\n/)
    expect(request?.toLowerCase()).toContain('host: rebound.example.invalid:')
    expect(request).toContain('content-length: 8')
  })

  test('follows no redirect', async () => {
    const secret = await serverThat((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'))
    const sent = await sendTo((socket) =>
      socket.end(`HTTP/1.1 307 Look There\r\nLocation: http://127.0.0.1:${secret.port}/\r\n\r\n`),
    )
    expect(sent).toMatchObject({ status: 307 })
    expect(secret.requests).toEqual([])
  })

  test.each<[string, Behavior, object]>([
    ['never answers', () => undefined, { error: 'No answer within 100 ms.' }],
    [
      'answers byte by byte for ever',
      (socket) => {
        const drip = setInterval(() => socket.write('H'), 10)
        socket.on('close', () => clearInterval(drip))
      },
      { error: expect.stringMatching(/^(No answer within|The answer is no HTTP)/) },
    ],
    [
      'promises to go on for ever (100 Continue)',
      (socket) => {
        const more = setInterval(() => socket.write('HTTP/1.1 100 Continue\r\n\r\n'), 5)
        socket.on('close', () => clearInterval(more))
      },
      { error: 'No answer within 100 ms.' },
    ],
    ['cuts off', (socket) => socket.resetAndDestroy(), { error: 'The connection was cut off.' }],
    [
      'speaks something else',
      (socket) => socket.end('SSH-2.0-lies\r\n'),
      { error: 'The answer is no HTTP.' },
    ],
    [
      'sends headers without end',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`),
      { error: 'The headers of the answer are too long.' },
    ],
    [
      'wants another protocol',
      (socket) => socket.write('HTTP/1.1 101 Switch\r\nConnection: upgrade\r\nUpgrade: ws\r\n\r\n'),
      { error: 'It wants another protocol.' },
    ],
  ])('to a server that %s has failed', async (_, behavior, found) => {
    const sent = await sendTo(behavior, 100)
    expect(sent).toMatchObject(found)
    expect(sent.status).toBeUndefined()
  })

  test('counts by its status: what comes after it may be without end, no HTTP, or never come', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n'
    const endless = await sendTo((socket) => {
      socket.write(head)
      const flood = setInterval(() => socket.write('x'.repeat(10_000)), 1)
      socket.on('close', () => clearInterval(flood))
    })
    expect(endless).toMatchObject({ status: 200, answer: 'x'.repeat(1_024) })
    const cut = await sendTo((socket) => socket.end(`${head}abc`))
    expect(cut).toMatchObject({ status: 200 })
    const chunked = await sendTo((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nlies\u001b[2J'),
    )
    expect(chunked).toMatchObject({ status: 200 })
    const silent = await sendTo((socket) => socket.write(`${head}half\u001b`))
    expect(silent).toMatchObject({ status: 200, answer: 'half\u{FFFD}' })
  })

  test('is told how long to wait', async () => {
    const busy = (wait: string) =>
      sendTo((socket) => socket.end(`HTTP/1.1 429 Later\r\nRetry-After: ${wait}\r\n\r\n`))
    expect(await busy('120')).toMatchObject({ status: 429, retryAfter: 120_000 })
    expect((await busy('soon')).retryAfter).toBeUndefined()
  })

  test('to nobody has failed', async () => {
    const { port } = await serverThat(() => undefined)
    for (const server of servers.splice(0)) server.close()
    const url = new URL(`http://127.0.0.1:${port}/`)
    const sent = await post({ url, addresses: [{ address: '127.0.0.1', family: 4 }] }, {}, '{}', 2_000)
    expect(sent).toMatchObject({ error: 'The connection was refused.' })
  })
})

describe('signatures', () => {
  const root = new Uint8Array(32).fill(7)
  const id = newWebhookId(readClock())
  const [old, next] = [webhookKeys(root, id, 1), webhookKeys(root, id, 2)]
  const payload = JSON.stringify({ type: 'license.renewed', data: { name: 'Ä' } })

  /** `v1a`, by what the endpoint's owner has: the text of a public key. */
  function isSigned(headers: ReturnType<typeof signedHeaders>, publicKey: string, body = payload): boolean {
    const raw = Buffer.from(publicKey.replace('whpk_', ''), 'base64')
    expect(raw).toHaveLength(32)
    const key = createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
      format: 'jwk',
    })
    const signed = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`)
    return headers['webhook-signature']
      .split(' ')
      .filter((one) => one.startsWith('v1a,'))
      .some((one) => verify(null, signed, key, Buffer.from(one.slice(4), 'base64')))
  }

  test('v1 is what the library of the standard verifies, v1a what the public key does', () => {
    const headers = signedHeaders('evt_1_whk_1', payload, [next], readClock())
    expect(new Webhook(secretText(next)).verify(payload, headers)).toEqual(JSON.parse(payload))
    expect(isSigned(headers, publicKeyText(next))).toBe(true)
    expect(() => new Webhook(secretText(next)).verify(`${payload} `, headers)).toThrow(
      'No matching signature',
    )
    expect(() => new Webhook(secretText(old)).verify(payload, headers)).toThrow('No matching signature')
    expect(isSigned(headers, publicKeyText(next), `${payload} `)).toBe(false)
    expect(isSigned(headers, publicKeyText(old))).toBe(false)
  })

  test('during a rotation both secrets verify; each endpoint and generation has its own', () => {
    const headers = signedHeaders('evt_1_whk_1', payload, [next, old], readClock())
    for (const keys of [old, next]) {
      expect(new Webhook(secretText(keys)).verify(payload, headers)).toBeDefined()
      expect(isSigned(headers, publicKeyText(keys))).toBe(true)
    }
    const other = webhookKeys(root, newWebhookId(readClock()), 1)
    expect(new Set([old, next, other].flatMap((keys) => [secretText(keys), publicKeyText(keys)])).size).toBe(
      6,
    )
    expect(secretText(webhookKeys(root, id, 1))).toBe(secretText(old))
  })
})
