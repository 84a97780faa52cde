import type { DropReason, NoticeState } from '../../shared/domain/notice.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import type { Notice } from '../../shared/store/notice.ts'
import { type Sending, settleNotices } from '../../shared/store/outbox.ts'
import { type Action, putOnce, type Table, transact } from '../../shared/store/transact.ts'
import { MAILER } from './suppress.ts'

export type Settled = { readonly notice: Notice; readonly became: NoticeState }

/** What the log is told of: it should have been told and was not. */
const LOST: ReadonlySet<DropReason> = new Set(['TOO_LATE', 'NO_MAIL'])

/**
 * Writes what became of the notices of a mail, with the events of those that should have been told and were not.
 *
 * @param settled three writes each, and the sending: so many as a mail has fit into one transaction
 * @returns false if somebody else settled one of them: then the others still wait
 */
export async function settle(
  table: Table,
  tenantId: TenantId | undefined,
  box: string,
  settled: readonly Settled[],
  request: { readonly now: Instant; readonly requestId: string },
  sending?: Sending,
): Promise<boolean> {
  const outcome = await transact(table, {
    ...settleNotices(tenantId, box, settled, sending),
    ...eventsOf(settled, request),
  })
  return outcome.ok
}

function eventsOf(settled: readonly Settled[], request: { now: Instant; requestId: string }) {
  const events: Record<string, Action> = {}
  for (const { notice, became } of settled) {
    const isLost = became.state === 'dropped' && LOST.has(became.because)
    if (!isLost) continue
    const { id, tenantId, about, occasion, recipient } = notice
    const event = record(
      {
        type: 'notice.dropped',
        ...(tenantId && { tenantId }),
        subject: { type: 'notice', id },
        after: { kind: about.kind, occasion, email: recipient.email, because: became.because },
      },
      { caller: { kind: 'system', subject: MAILER }, ...request },
    )
    events[`event ${id}`] = putOnce(eventItem(event))
  }
  return events
}
