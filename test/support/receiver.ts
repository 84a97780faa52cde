import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { Webhook } from 'standardwebhooks'
import * as z from 'zod'

type Message = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the receiver does with a message to a path; 200 where nothing else is said. */
type Answering = (socket: Socket, answer: (status: number, headers?: Record<string, string>) => void) => void

/** A server of somebody else's: it notes what it gets, and answers by path as it is told. */
export async function startReceiver() {
  const messages: Message[] = []
  const behavior = new Map<string, Answering>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      messages.push({ path, headers: request.headers, body: Buffer.concat(chunks).toString() })
      const answer = (status: number, headers: Record<string, string> = {}) => {
        response.writeHead(status, headers)
        response.end('thank you')
      }
      const act = behavior.get(path)
      if (act) act(request.socket, answer)
      else answer(200)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  const base = `http://127.0.0.1:${address.port}`
  return {
    base,
    messages,
    /** From now on. */
    answers: (path: string, act: Answering) => behavior.set(path, act),
    to: (path: string) => messages.filter((message) => message.path === path),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The message as the library of the standard sees it; throws where a signature is wrong. */
export function verified({ headers, body }: Message, secret: string) {
  const told = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  const Told = z.looseObject({ type: z.string(), data: z.looseObject({ eventId: z.string() }) })
  return Told.parse(new Webhook(secret).verify(body, told))
}
