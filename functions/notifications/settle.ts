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

/** Notices in a transaction, of three writes each. */
const TOGETHER = 30
/** What the log is told of: it should have been told and was not. */
const LOST: ReadonlySet<DropReason> = new Set(['TOO_LATE', 'NO_MAIL'])

/**
 * Writes what became of notices, with the events of those that should have been told and were not.
 *
 * @returns false if somebody else settled some of them: then others of these may still wait
 */
export async function settle(
  table: Table,
  tenantId: TenantId | undefined,
  box: string,
  settled: readonly Settled[],
  request: { readonly now: Instant; readonly requestId: string },
  sending?: Sending,
): Promise<boolean> {
  let isAll = true
  for (let start = 0; start < Math.max(settled.length, 1); start += TOGETHER) {
    const batch = settled.slice(start, start + TOGETHER)
    const isLast = start + TOGETHER >= settled.length
    const outcome = await transact(table, {
      ...settleNotices(tenantId, box, batch, isLast ? sending : undefined),
      ...eventsOf(batch, request),
    })
    isAll &&= outcome.ok
  }
  return isAll
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
