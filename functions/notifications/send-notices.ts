import { Remembered } from '../../shared/platform/remembered.ts'
import { MAIL_TIMER } from '../../shared/store/outbox.ts'
import { REMINDER_TIMER } from '../../shared/store/reminder.ts'
import { type Delivery, runJob } from '../job.ts'
import { type Audience, readAudience } from '../notify.ts'
import { sweep } from '../sweep.ts'
import { type ReadAudience, remind } from './remind.ts'
import { sendMail } from './send-mail.ts'
import type { NotificationServices } from './services.ts'
import { MAILER } from './suppress.ts'

/** Tenants whose contacts and choices a run remembers. */
const REMEMBERED = 1_000

/** Tells what it is time to tell: first the reminders of what ends, then the mails of all that waits. */
export function sendNotices(delivery: Delivery, services: NotificationServices): Promise<void> {
  return runJob(MAILER, delivery, services, async (run) => {
    const reminded = remembering(services)
    await sweep(REMINDER_TIMER, run, services, (timer, now) => remind(timer, now, reminded, services))
    // Anew: who unsubscribed while it was reminded is not written to.
    const written = remembering(services)
    await sweep(MAIL_TIMER, run, services, (timer, now) =>
      sendMail(timer, { now, requestId: run.requestId }, written, services),
    )
  })
}

function remembering({ table }: NotificationServices): ReadAudience {
  const known = new Remembered<string, Promise<Audience | undefined>>(REMEMBERED)
  return (tenantId) => {
    const name = tenantId ?? 'VENDOR'
    const reading = known.get(name) ?? readAudience(table, tenantId)
    known.set(name, reading)
    return reading
  }
}
