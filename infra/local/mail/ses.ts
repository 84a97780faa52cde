import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { addressIn } from '../../../shared/domain/email.ts'
import { readClock } from '../../../shared/platform/time.ts'
import type { Mailbox } from './mailbox.ts'

/** What SES refuses, under the names it has for it (API reference v2, SendEmail, "Errors"). */
export class SesRefusal extends Error {
  readonly error: 'BadRequestException' | 'MessageRejected' | 'NotFoundException'
  constructor(error: SesRefusal['error'], message: string) {
    super(message)
    this.error = error
  }
  get status(): number {
    return this.error === 'NotFoundException' ? 404 : 400
  }
}

/** SES: at most 50 recipients of a message, and 40 MB once it is encoded. */
const MOST_RECIPIENTS = 50
const MOST_BYTES = 40 * 1024 * 1024

const Tag = z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, 'ASCII letters, digits, underscores or dashes')

/** SendEmail of a whole message; the other forms of content are not used here. */
const SendEmail = z.strictObject({
  FromEmailAddress: z.string(),
  Destination: z.strictObject({ ToAddresses: z.array(z.string()).min(1) }),
  Content: z.strictObject({ Raw: z.strictObject({ Data: z.base64() }) }),
  ConfigurationSetName: z.string().optional(),
  EmailTags: z
    .array(z.strictObject({ Name: Tag, Value: Tag }))
    .max(50)
    .optional(),
})
export type SentEmail = z.infer<typeof SendEmail>

/** What the template made known to SES. */
export type SesIdentities = {
  /** Domains and addresses that mail may come from. */
  readonly identities: Set<string>
  readonly configurationSets: Set<string>
}

/** Takes a mail as SES does, or refuses it as SES does, and puts it into the mailbox. @returns its message id */
export function sendEmail(
  request: unknown,
  { identities, configurationSets }: SesIdentities,
  mailbox: Mailbox,
): { messageId: string; sent: SentEmail } {
  const parsed = SendEmail.safeParse(request)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new SesRefusal('BadRequestException', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  const sent = parsed.data
  const from = addressIn(sent.FromEmailAddress)
  const domain = from.replace(/^.*@/, '')
  if (!identities.has(from) && !identities.has(domain)) {
    throw new SesRefusal(
      'MessageRejected',
      `Email address is not verified. The following identities failed the check in region US-EAST-1: ${from}`,
    )
  }
  const set = sent.ConfigurationSetName
  if (set !== undefined && !configurationSets.has(set))
    throw new SesRefusal('NotFoundException', `Configuration set <${set}> does not exist.`)
  if (sent.Destination.ToAddresses.length > MOST_RECIPIENTS)
    throw new SesRefusal('BadRequestException', `Recipient count exceeds ${MOST_RECIPIENTS}.`)
  const message = Buffer.from(sent.Content.Raw.Data, 'base64')
  if (message.length > MOST_BYTES)
    throw new SesRefusal('BadRequestException', `Message length is more than ${MOST_BYTES} bytes long.`)
  if (!/^From:/im.test(message.subarray(0, 100_000).toString('latin1').split('\r\n\r\n')[0] ?? ''))
    throw new SesRefusal('MessageRejected', 'Missing required header From.')
  const messageId = randomUUID()
  mailbox.add(`${readClock().replaceAll(':', '')}-${messageId.slice(0, 8)}`, message)
  return { messageId, sent }
}
