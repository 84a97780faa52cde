import { emailKey } from '../../shared/domain/email.ts'
import type { MailAddress } from '../../shared/domain/notice-settings.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { readMailAddress, writeMailAddress } from '../../shared/store/notice-settings.ts'
import { putOnce, type Table, transact } from '../../shared/store/transact.ts'

/** Who does it, as events name it. */
export const MAILER = 'sendNotices'

/** Sends no more mail to an address, once: its event tells others of it. */
export async function suppress(
  table: Table,
  tenantId: TenantId | undefined,
  recipient: string,
  suppressed: NonNullable<MailAddress['suppressed']>,
  request: { readonly now: Instant; readonly requestId: string },
): Promise<void> {
  const email = emailKey(recipient)
  for (;;) {
    const known = await readMailAddress(table, tenantId, email)
    if (known?.suppressed !== undefined) return
    const { why, detail } = suppressed
    const event = record(
      {
        type: 'mail.suppressed',
        ...(tenantId && { tenantId }),
        subject: { type: 'mail-address', id: email },
        after: { email, why, ...(detail && { detail }) },
      },
      { caller: { kind: 'system', subject: MAILER }, ...request },
    )
    const outcome = await transact(table, {
      address: writeMailAddress(tenantId, known, { ...(known ?? { email, muted: [] }), suppressed }),
      event: putOnce(eventItem(event)),
    })
    if (outcome.ok) return
  }
}
