import { rememberedReads } from '../../shared/platform/remembered.ts'
import { MAIL_TIMER } from '../../shared/store/outbox.ts'
import { REMINDER_TIMER } from '../../shared/store/reminder.ts'
import { type Delivery, runJob } from '../job.ts'
import { readAudience } from '../notify.ts'
import { sweep } from '../sweep.ts'
import { type ReadAudience, remind } from './remind.ts'
import { sendMail } from './send-mail.ts'
import type { NotificationServices } from './services.ts'
import { MAILER } from './suppress.ts'

/** Tenants whose contacts and choices a run remembers. */
const REMEMBERED = 1_000

/** Tells what it is time to tell: first the reminders of what ends, then the mails of all that waits. */
export function sendNotices(delivery: Delivery, services: NotificationServices): Promise<void> {
  const read: ReadAudience = (tenantId) => readAudience(services.table, tenantId)
  return runJob(MAILER, delivery, services, async (run) => {
    const reminded = rememberedReads(REMEMBERED, read)
    await sweep(REMINDER_TIMER, run, services, (timer, now) => remind(timer, now, reminded, services))
    // Anew: who unsubscribed while it was reminded is not written to.
    const written = rememberedReads(REMEMBERED, read)
    await sweep(MAIL_TIMER, run, services, (timer, now) =>
      sendMail(timer, { now, requestId: run.requestId }, written, services),
    )
  })
}
