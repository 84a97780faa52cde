import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LOOPBACK, listen } from '../port.ts'
import type { KeyStore } from './key-store.ts'
import { operations } from './operations.ts'
import { KmsRefusal } from './refusal.ts'

/** How KMS names its operations on the wire: `X-Amz-Target: TrentService.Sign`. */
const TARGET_PREFIX = 'TrentService.'
/** Clients of the AWS SDK keep connections; so does this, longer than they do. */
const KEEP_ALIVE_MILLISECONDS = 65_000

export type LocalKms = {
  readonly endpoint: string
  /** How often each operation was called since the start, refused calls included. */
  calls(): Record<string, number>
  close(): Promise<void>
}

/**
 * A stand-in for AWS KMS over its wire protocol (AWS JSON 1.1) for the operations Latchkey uses. It refuses what KMS
 * refuses, under the same names. Signatures of requests are not checked: it listens on the loopback address only.
 */
export async function startKms({ store }: { store: KeyStore }): Promise<LocalKms> {
  const calls = new Map<string, number>()
  const server = createServer((request, response) => {
    const operation = String(request.headers['x-amz-target'] ?? '').replace(TARGET_PREFIX, '')
    calls.set(operation, (calls.get(operation) ?? 0) + 1)
    read(request).then(
      (body) => answer(response, operation, store, body),
      () => response.destroy(),
    )
  })
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS
  const used = await listen(server, 0)
  return {
    endpoint: `http://${LOOPBACK}:${used}`,
    calls: () => Object.fromEntries(calls),
    close: async () => {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function answer(response: ServerResponse, operation: string, store: KeyStore, body: string): void {
  try {
    send(response, 200, perform(operation, store, body))
  } catch (error) {
    if (error instanceof KmsRefusal) {
      send(response, 400, { __type: error.error, message: error.message })
    } else {
      console.error('KMS stand-in:', error)
      send(response, 500, { __type: 'KMSInternalException', message: 'The request can be tried again.' })
    }
  }
}

function perform(operation: string, store: KeyStore, body: string): Record<string, unknown> {
  const known = operations.get(operation)
  if (known === undefined) {
    throw new KmsRefusal(
      'UnknownOperationException',
      `The local KMS has no operation ${operation || '(none named)'}.`,
    )
  }
  let request: unknown
  try {
    request = JSON.parse(body)
  } catch {
    throw new KmsRefusal('SerializationException', 'The request is not JSON.')
  }
  return known(store, request)
}

function send(response: ServerResponse, status: number, members: Record<string, unknown>): void {
  const body = JSON.stringify(members)
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
  })
  response.end(body)
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
