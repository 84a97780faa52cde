import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LocalStackError } from '../errors.ts'
import { LOOPBACK, listen } from '../port.ts'
import type { Mailbox } from './mailbox.ts'
import { mailboxPage } from './mailbox-page.ts'
import { type SentEmail, type SesIdentities, SesRefusal, sendEmail } from './ses.ts'

/** Of SES, API version 2: its one operation that is used. */
const SEND_EMAIL = 'POST /v2/email/outbound-emails'
const KEEP_ALIVE_MILLISECONDS = 65_000

export type LocalMail = SesIdentities & {
  /** Of the SES stand-in, and where the mailbox can be looked at. */
  readonly endpoint: string
  readonly mailbox: Mailbox
  /** Told of each mail once it is taken. */
  onSent(listener: (messageId: string, sent: SentEmail) => void): void
  close(): Promise<void>
}

/**
 * A stand-in for SES over its wire protocol (REST JSON, version 2): mails land in a folder, which it also shows to
 * browsers. Signatures of requests are not checked: it listens on the loopback address only.
 *
 * @param port preferred; any free one if it is taken
 */
export async function startMail({ mailbox, port }: { mailbox: Mailbox; port: number }): Promise<LocalMail> {
  const known: SesIdentities = { identities: new Set(), configurationSets: new Set() }
  const listeners: ((messageId: string, sent: SentEmail) => void)[] = []
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS
  const used = await listen(server, port).catch((error: unknown) => {
    if (port === 0 || !(error instanceof LocalStackError)) throw error
    return listen(server, 0)
  })

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0] ?? '/'
    if (request.method === 'GET') return show(path, response)
    const body = await read(request)
    try {
      if (`${request.method} ${path}` !== SEND_EMAIL)
        throw new SesRefusal('NotFoundException', `The local SES has no ${request.method} ${path}.`)
      const { messageId, sent } = sendEmail(JSON.parse(body), known, mailbox)
      answer(response, 200, { MessageId: messageId })
      for (const listener of listeners) listener(messageId, sent)
    } catch (error) {
      if (error instanceof SesRefusal) {
        answer(response, error.status, { message: error.message }, error.error)
      } else {
        console.error('SES stand-in:', error)
        answer(response, 500, { message: 'The request can be tried again.' }, 'InternalServiceErrorException')
      }
    }
  }

  async function show(path: string, response: ServerResponse): Promise<void> {
    const page = await mailboxPage(mailbox, decodeURIComponent(path))
    const { type = 'text/plain', body = 'There is no such mail.' } = page ?? {}
    const policy =
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; base-uri 'none'"
    response.writeHead(page ? 200 : 404, { 'content-type': type, 'content-security-policy': policy })
    response.end(body)
  }

  return {
    ...known,
    endpoint: `http://${LOOPBACK}:${used}`,
    mailbox,
    onSent: (listener) => listeners.push(listener),
    close: async () => {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function answer(response: ServerResponse, status: number, members: object, error?: string): void {
  const body = JSON.stringify(members)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
    ...(error && { 'x-amzn-errortype': error }),
  })
  response.end(body)
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
