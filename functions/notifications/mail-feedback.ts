import * as z from 'zod'
import { addressIn, Email, emailKey } from '../../shared/domain/email.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import type { NotificationServices } from './services.ts'
import { suppress } from './suppress.ts'

const Recipients = z.array(z.object({ emailAddress: z.string(), diagnosticCode: z.string().optional() }))

/**
 * What SES tells of a mail through EventBridge (SES developer guide, "Examples of event data"): that it came back, or
 * that its recipient complained. The tags are those it was sent with.
 */
export const MailFeedback = z.object({
  id: z.string(),
  source: z.literal('aws.ses'),
  detail: z.object({
    eventType: z.string(),
    mail: z.object({ tags: z.record(z.string(), z.array(z.string())).default({}) }),
    bounce: z.object({ bounceType: z.string(), bouncedRecipients: Recipients }).optional(),
    complaint: z.object({ complainedRecipients: Recipients }).optional(),
  }),
})
export type MailFeedback = z.infer<typeof MailFeedback>

/** Sends no more mail to where it cannot arrive, or is not wanted. What may arrive later (a full mailbox) is left alone. */
export async function takeFeedback(
  { id, detail }: MailFeedback,
  { table, log }: NotificationServices,
): Promise<void> {
  const { bounce, complaint, mail } = detail
  const [owner] = mail.tags['owner'] ?? []
  const tenantId = TenantId.safeParse(owner)
  // Mail of others goes through the same account.
  if (!tenantId.success && owner !== 'VENDOR') return
  const now = readClock()
  const gone = bounce?.bounceType === 'Permanent' ? bounce.bouncedRecipients : []
  const lost = [
    ...gone.map((one) => ({ ...one, why: 'bounce' as const })),
    ...(complaint?.complainedRecipients ?? []).map((one) => ({ ...one, why: 'complaint' as const })),
  ]
  for (const { emailAddress, diagnosticCode, why } of lost) {
    const email = Email.safeParse(emailKey(addressIn(emailAddress)))
    if (!email.success) continue
    const detailed = diagnosticCode === undefined ? {} : { detail: diagnosticCode.slice(0, 500) }
    await suppress(
      table,
      tenantId.data,
      email.data,
      { at: now, why, ...detailed },
      { now, requestId: `mail-${id}` },
    )
  }
  log('info', 'mail-feedback', { requestId: id, code: detail.eventType, counts: { suppressed: lost.length } })
}
