import type { MailSender } from '../../shared/platform/mail/mail-sender.ts'
import type { VerifyingServices } from '../verified.ts'

/** What telling people needs beside the common services. */
export type NotificationServices = VerifyingServices & {
  /** Absent where the stage has no mail. */
  readonly sendMail: MailSender | undefined
  /** Under which address mails come, where there are any. */
  readonly mailFrom: string | undefined
  /** Where the API answers, without a slash at the end: what links in mails begin with. */
  readonly publicUrl: string
}
