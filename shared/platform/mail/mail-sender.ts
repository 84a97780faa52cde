import type { SendMailOptions } from 'nodemailer'
import * as z from 'zod'
import type { MailSettings } from '../config/mail-environment.ts'
import { once } from '../remembered.ts'

/** A mail, ready to be sent. What people wrote is in it as it is: the sender encodes headers. */
export type Mail = {
  /** The same when it is sent again, so that a mail client can tell. */
  readonly id: string
  readonly to: { readonly name: string; readonly email: string }
  readonly subject: string
  readonly html: string
  readonly text: string
  readonly headers: Readonly<Record<string, string>>
  /** Names and values of letters, digits, `_` and `-`, at most 256: what bounces and complaints come back with. */
  readonly tags: Readonly<Record<string, string>>
}

/**
 * What became of a sending: `refused` was not sent and may be tried again; `undeliverable` means that the address itself
 * is wrong; after `unknown` it may have been sent or not.
 */
export type SendOutcome =
  | { readonly outcome: 'sent'; readonly messageId: string }
  | { readonly outcome: 'refused' | 'undeliverable' | 'unknown'; readonly reason: string }

export type MailSender = (mail: Mail) => Promise<SendOutcome>

/** How long a mail server may take for a step, in milliseconds. */
const PATIENCE = 10_000

type Transport = {
  sendMail(message: SendMailOptions): Promise<{ messageId: string; response?: string }>
}

/**
 * Sends by SES (v2), or by an SMTP server. What it needs is loaded with the first mail. Neither is tried again here: SES
 * has no idempotency token, so the caller has to know of each try.
 */
export function mailSender(settings: MailSettings): MailSender {
  const transport = once(() => createTransport(settings))
  const domain = settings.from.replace(/^.*@/, '').replace(/>.*$/, '')
  return async ({ id, to, subject, html, text, headers, tags }) => {
    const { sendMail } = await transport()
    try {
      const { messageId, response } = await sendMail({
        from: settings.from,
        to: { name: oneLine(to.name), address: to.email },
        subject: oneLine(subject),
        html,
        text,
        headers: { ...headers },
        messageId: `<${id}@${domain}>`,
        // Words and addresses in a text are no files or pages to be fetched.
        disableFileAccess: true,
        disableUrlAccess: true,
        ...(settings.transport === 'ses' && {
          ses: {
            ConfigurationSetName: settings.configurationSet,
            EmailTags: Object.entries(tags).map(([Name, Value]) => ({ Name, Value })),
          },
        }),
      })
      // SES gives a mail an id of its own, which it names in bounces.
      return {
        outcome: 'sent',
        messageId: settings.transport === 'ses' ? (response ?? messageId) : messageId,
      }
    } catch (error) {
      return outcomeOf(error)
    }
  }
}

async function createTransport(settings: MailSettings): Promise<Transport> {
  const nodemailer = await import('nodemailer')
  if (settings.transport === 'smtp') {
    const { host, port, secure } = settings
    const waits = { connectionTimeout: PATIENCE, greetingTimeout: PATIENCE, socketTimeout: PATIENCE }
    const smtp = nodemailer.createTransport({ host, port, secure, ...waits })
    return { sendMail: (message) => smtp.sendMail(message) }
  }
  const { SESv2Client, SendEmailCommand } = await import('@aws-sdk/client-sesv2')
  const sesClient = new SESv2Client({
    maxAttempts: 1,
    requestHandler: { requestTimeout: PATIENCE, connectionTimeout: PATIENCE },
  })
  const ses = nodemailer.createTransport({ SES: { sesClient, SendEmailCommand } })
  return { sendMail: (message) => ses.sendMail(message) }
}

/** Header text: no line ends, and nothing else that does not print. */
const oneLine = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ').trim()

const MailError = z.object({
  name: z.string().optional(),
  message: z.string().default(''),
  /** Of a system call, or nodemailer's own. */
  code: z.string().optional(),
  /** Of an SMTP server. */
  responseCode: z.number().optional(),
  command: z.string().optional(),
  $metadata: z.object({ httpStatusCode: z.number().optional() }).optional(),
})

/** Nothing had been handed over yet. */
const BEFORE_ANYTHING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EDNS',
  'EAUTH',
  'EENVELOPE',
])
/** SMTP: no such mailbox (RFC 5321, section 4.2.3). */
const NO_MAILBOX = new Set([550, 551, 553])

function outcomeOf(error: unknown): SendOutcome {
  const { name, message, code, responseCode, command, $metadata } = MailError.parse(error)
  const reason = `${name ?? code ?? 'Error'}: ${message}`.slice(0, 300)
  const status = $metadata?.httpStatusCode
  if (responseCode !== undefined && NO_MAILBOX.has(responseCode) && command === 'RCPT TO')
    return { outcome: 'undeliverable', reason }
  if (responseCode !== undefined) return { outcome: 'refused', reason }
  if (status !== undefined && status >= 400 && status < 500) return { outcome: 'refused', reason }
  if (code !== undefined && BEFORE_ANYTHING.has(code)) return { outcome: 'refused', reason }
  return { outcome: 'unknown', reason }
}
