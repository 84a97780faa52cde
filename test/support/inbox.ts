import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type ParsedMail, simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import * as z from 'zod'

/** What the server does with a mail: it may also take it and hang up before it says so. */
type Manner = 'takes' | 'hangs up' | 'refuses' | 'knows nobody'

type Inbox = {
  /** Where mail goes, as a stage says it. */
  readonly mail: {
    readonly transport: 'smtp'
    readonly from: string
    readonly host: string
    readonly port: number
    readonly secure: false
  }
  /** As they came, since the last call. */
  take(): ParsedMail[]
  behave(manner: Manner): void
  stop(): Promise<void>
}

const Port = z.object({ port: z.int() })

/** A real SMTP server (RFC 5321) whose mails a test reads as a mail client would. */
export async function startInbox(): Promise<Inbox> {
  let manner: Manner = 'takes'
  let mails: ParsedMail[] = []
  const sockets = new Set<Socket>()
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo(_, __, callback) {
      if (manner === 'knows nobody') callback(Object.assign(new Error('no such user'), { responseCode: 550 }))
      else if (manner === 'refuses') callback(Object.assign(new Error('later'), { responseCode: 451 }))
      else callback()
    },
    onData(stream, _, callback) {
      void simpleParser(stream, { skipTextToHtml: true }).then((mail) => {
        mails.push(mail)
        if (manner !== 'hangs up') callback()
        else for (const socket of sockets) socket.destroy()
      })
    },
  })
  server.on('error', () => undefined)
  const inner = server.listen(0, '127.0.0.1')
  await once(inner, 'listening')
  const target = Port.parse(inner.address()).port
  // The connections of whoever sends are ours, to be cut.
  const front = createServer((socket) => {
    const behind = connect(target, '127.0.0.1')
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    for (const [one, other] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  const address: AddressInfo | string | null = front.address()
  return {
    mail: {
      transport: 'smtp',
      from: 'Licensing <licensing@vendor.example>',
      host: '127.0.0.1',
      port: Port.parse(address).port,
      secure: false,
    },
    take() {
      const taken = mails
      mails = []
      return taken
    },
    behave(next) {
      manner = next
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      front.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
