import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import type { Sent } from '../../domain/webhook-delivery.ts'
import type { Target } from './target.ts'

/** Of an answer, this much is kept, in bytes. */
const KEPT_ANSWER = 1_024
/** Milliseconds that its body may take: what counts is the status. */
const ANSWER_PATIENCE = 500
/** Bytes of headers that an answer may have. */
const MOST_HEADERS = 8_192

/**
 * Posts a message to a target: to one of the addresses that were looked at, on a connection of its own. It follows no
 * redirect, uses no proxy, and ends by the deadline whatever the other side does; it never throws.
 *
 * @param milliseconds from the first packet to the status
 * @param clock milliseconds that only go up
 */
export function post(
  { url, addresses }: Target,
  headers: Readonly<Record<string, string>>,
  body: string,
  milliseconds: number,
  clock: () => number = () => performance.now(),
): Promise<Sent> {
  const began = clock()
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    const outgoing = request(url, {
      method: 'POST',
      // Reused, a connection could lead to where the name led before.
      agent: false,
      lookup: pinned(addresses),
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      maxHeaderSize: MOST_HEADERS,
      insecureHTTPParser: false,
    })
    const deadline = setTimeout(() => end({ error: `No answer within ${milliseconds} ms.` }), milliseconds)
    let patience: NodeJS.Timeout | undefined

    function end(found: Omit<Sent, 'milliseconds'>): void {
      clearTimeout(deadline)
      clearTimeout(patience)
      outgoing.destroy()
      resolve({ milliseconds: Math.round(clock() - began), ...found })
    }

    let finish: (() => void) | undefined
    // Once there is a status, that counts: whatever follows it may be no HTTP any more.
    outgoing.on('error', (error) => (finish ? finish() : end({ error: reasonOf(error) })))
    outgoing.on('upgrade', (_, socket) => {
      socket.destroy()
      end({ error: 'It wants another protocol.' })
    })
    outgoing.on('response', (answer) => {
      clearTimeout(deadline)
      const { statusCode: status = 0, headers: told } = answer
      const retryAfter = waitOf(told['retry-after'])
      const chunks: Buffer[] = []
      let length = 0
      finish = () =>
        end({
          status,
          ...(length > 0 && { answer: printable(Buffer.concat(chunks).subarray(0, KEPT_ANSWER)) }),
          ...(retryAfter !== undefined && { retryAfter }),
        })
      patience = setTimeout(finish, ANSWER_PATIENCE)
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length >= KEPT_ANSWER) finish?.()
      })
      answer.on('end', finish)
      // Cut off, or no HTTP any more: the status was there before.
      answer.on('error', finish)
      answer.on('aborted', finish)
    })
    outgoing.end(body)
  })
}

/** A lookup that knows the answer. Node tries them one after the other. */
const pinned =
  (addresses: Target['addresses']): LookupFunction =>
  (_, options, answer) => {
    const [first] = addresses
    if (options.all) answer(null, [...addresses])
    else answer(null, first?.address ?? '', first?.family)
  }

/** Milliseconds; only in seconds, as everybody sends it (RFC 9110, section 10.2.3). */
function waitOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : undefined
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The connection was refused.',
  ECONNRESET: 'The connection was cut off.',
  EPIPE: 'The connection was cut off.',
  ETIMEDOUT: 'There was no connection.',
  EHOSTUNREACH: 'Nothing can be reached there.',
  ENETUNREACH: 'Nothing can be reached there.',
  HPE_HEADER_OVERFLOW: 'The headers of the answer are too long.',
}

/** In words that its owner can use; of ours, nothing. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const { code = '' } = error
  const known = CODES[code]
  if (known !== undefined) return known
  if (code.startsWith('HPE_')) return 'The answer is no HTTP.'
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)
  return isTls ? `There was no secure connection (${code}).` : `It could not be sent (${code || error.name}).`
}

/** As text, without what could steer a terminal. */
const printable = (bytes: Buffer) => bytes.toString('utf8').replaceAll(/[^\P{C}\n\t]/gu, '\u{FFFD}')
