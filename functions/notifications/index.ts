import { VerifierEnvironment } from '../../shared/platform/config/environment.ts'
import { MailEnvironment } from '../../shared/platform/config/mail-environment.ts'
import { mailSender } from '../../shared/platform/mail/mail-sender.ts'
import { contextFunction } from '../function.ts'
import { withVerifier } from '../verified.ts'
import { withJobs } from '../with-jobs.ts'
import { notificationsHandlers } from './handlers.ts'
import { MailFeedback, takeFeedback } from './mail-feedback.ts'
import { reviewReminders } from './review-reminders.ts'
import { notificationsRoutes } from './routes.ts'
import { sendNotices } from './send-notices.ts'
import type { NotificationServices } from './services.ts'

const { serve, services } = contextFunction(
  VerifierEnvironment.extend(MailEnvironment.shape),
  async (common, { kms }, { SIGNING_KEY_IDS, MAIL, PUBLIC_URL }): Promise<NotificationServices> => ({
    ...(await withVerifier(common, kms, SIGNING_KEY_IDS)),
    sendMail: MAIL === null ? undefined : mailSender(MAIL),
    mailFrom: MAIL?.from,
    publicUrl: PUBLIC_URL,
  }),
)

const called = withJobs(serve(notificationsRoutes, notificationsHandlers), services, {
  sendNotices,
  reviewReminders,
})

/** Serves API Gateway, EventBridge Scheduler, and what SES tells through EventBridge. */
export async function handler(
  event: unknown,
  context: { getRemainingTimeInMillis(): number },
): Promise<unknown> {
  const feedback = MailFeedback.safeParse(event)
  return feedback.success ? takeFeedback(feedback.data, await services()) : called(event, context)
}
