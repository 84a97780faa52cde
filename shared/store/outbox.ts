import { createHash } from 'node:crypto'
import * as z from 'zod'
import { emailKey } from '../domain/email.ts'
import { isOptional, type NoticeState } from '../domain/notice.ts'
import type { TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { noticeKey, OUTBOX_PREFIX, outboxKey, outboxOf, sendingKey } from './keys.ts'
import { type Notice, noticeItem } from './notice.ts'
import { readRange } from './read.ts'
import { endTimer, fileTimer, moveTimer, readTimer, type Timer } from './timer.ts'
import { type Action, type Put, putOnce, type Remove, type Table, transact } from './transact.ts'
import { writeRow } from './write.ts'

/** Timers of what is to be sent: one for each address and class of notices. */
export const MAIL_TIMER = 'mail'

/** That a notice is still to be sent. */
const Waiting = z.strictObject({ notice: z.string(), since: Instant })
type Waiting = z.infer<typeof Waiting>

/** A mail whose sending has begun, of which it is not known yet whether it came. */
export const Sending = z.strictObject({
  /** The same for a mail that is sent again. */
  mailId: z.string(),
  notices: z.array(Waiting).min(1),
  /** How often it was begun. */
  times: z.int().positive(),
  startedAt: Instant,
  /** Whoever began it is taken for dead from then on. */
  leaseUntil: Instant,
})
export type Sending = z.infer<typeof Sending>

export const waitingEntity = entity('waiting-notice', 1, Waiting)
export const sendingEntity = entity('sending', 1, Sending)

/** What is sent to one address lies together; what is optional apart, since that is rather lost than sent twice. */
export function boxOf({ recipient, about }: Pick<Notice, 'recipient' | 'about'>): string {
  const hash = createHash('sha256').update(emailKey(recipient.email)).digest('hex').slice(0, 32)
  return `${isOptional(about.kind) ? 'OPTIONAL' : 'NEEDED'}-${hash}`
}

export const isOptionalBox = (box: string): boolean => box.startsWith('OPTIONAL-')

const OWNER = { vendor: 'VENDOR' } as const
/** Whose box a timer is for. */
export const ownerOf = (text: string | undefined): string | undefined =>
  text === OWNER.vendor ? undefined : text

/**
 * Notes that somebody is to be told something, once: the notice, that it waits, and when its mail is due are one
 * transaction. A mail that is due already takes it along.
 *
 * @returns false if the same was noted before
 */
export async function addNotice(table: Table, notice: Notice, mailAt: Instant): Promise<boolean> {
  const { tenantId, id, createdAt } = notice
  const box = boxOf(notice)
  const waiting = waitingEntity.encode(outboxKey(tenantId, box, createdAt, id), {
    notice: id,
    since: createdAt,
  })
  for (;;) {
    const whose = { kind: MAIL_TIMER, subject: [tenantId ?? OWNER.vendor, box] }
    const timer = await readTimer(table, whose)
    const outcome = await transact(table, {
      notice: putOnce(noticeItem(notice)),
      waiting: putOnce(waiting),
      timer: timer === undefined ? firstTimer(whose, mailAt, id) : soonerTimer(timer, mailAt, id),
    })
    if (outcome.ok) return true
    if (outcome.failed.includes('notice')) return false
    if (!outcome.failed.includes('timer')) throw new Error(`the notice ${id} waits and is not there`)
  }
}

const firstTimer = (whose: Pick<Timer, 'kind' | 'subject'>, dueAt: Instant, filed: string): Action => ({
  ...fileTimer({ ...whose, dueAt, place: { filed } }),
  condition: 'attribute_not_exists(pk)',
})

/** Files it for the earlier of both. It is another one then even if it is due at the same instant: see `done`. */
function soonerTimer(timer: Timer, mailAt: Instant, filed: string): Action {
  const { failed: _, ...plain } = timer
  const dueAt = timer.dueAt < mailAt ? timer.dueAt : mailAt
  return asRead(fileTimer({ ...plain, dueAt, place: { ...timer.place, filed } }), timer)
}

/** Only if the timer is the one that was read: also what was filed for the same instant since is another. */
function asRead(action: Put | Remove, { dueAt, place }: Timer): Put | Remove {
  const filed = place?.['filed']
  return {
    ...action,
    // One whose row could not be read has no place once it is tried anew.
    condition: `dueAt = :dueAt AND ${filed === undefined ? 'attribute_not_exists(#place.#filed)' : '#place.#filed = :filed'}`,
    names: { '#place': 'place', '#filed': 'filed' },
    values: { ':dueAt': dueAt, ...(filed !== undefined && { ':filed': filed }) },
  }
}

/** What waits for one address, oldest first, and the sending that is under way; strongly consistent. */
export async function readOutbox(
  table: Table,
  tenantId: TenantId | undefined,
  box: string,
): Promise<{ readonly waiting: readonly Waiting[]; readonly sending: Sending | undefined }> {
  const items = await readRange(table, { pk: outboxOf(tenantId, box) })
  const isWaiting = (item: Record<string, unknown>) => String(item['sk']).startsWith(OUTBOX_PREFIX)
  const sending = items.find((item) => !isWaiting(item))
  return {
    waiting: items.filter(isWaiting).map(waitingEntity.decode),
    sending: sending && sendingEntity.decode(sending),
  }
}

/**
 * Begins a sending, or begins it again: only one does. One that is begun is of notices that still wait: somebody may have
 * sent them since they were read, and have come to its end.
 */
export async function beginSending(
  table: Table,
  tenantId: TenantId | undefined,
  box: string,
  next: Sending,
  before: Sending | undefined,
): Promise<boolean> {
  const item = sendingEntity.encode(sendingKey(tenantId, box), next)
  if (before !== undefined) return writeRow(table, { kind: 'put', item, ...sameSending(before) })
  const stillWaiting = next.notices.map(({ notice, since }): [string, Action] => [
    notice,
    {
      kind: 'check',
      key: outboxKey(tenantId, box, since, notice),
      condition: 'attribute_exists(pk)',
    },
  ])
  const outcome = await transact(table, { sending: putOnce(item), ...Object.fromEntries(stillWaiting) })
  return outcome.ok
}

const sameSending = ({ mailId, times }: Sending) => ({
  condition: 'mailId = :mailId AND times = :times',
  values: { ':mailId': mailId, ':times': times },
})

/** That a sending was refused: nothing was sent, and what is known of it is what was known before. */
export function abandonSending(
  table: Table,
  tenantId: TenantId | undefined,
  box: string,
  sending: Sending,
  before: Sending | undefined,
): Promise<boolean> {
  const key = sendingKey(tenantId, box)
  return writeRow(table, {
    ...(before === undefined
      ? { kind: 'remove', key }
      : { kind: 'put', item: sendingEntity.encode(key, before) }),
    ...sameSending(sending),
  })
}

/** The writes that say what became of notices: they wait no longer. */
export function settleNotices(
  tenantId: TenantId | undefined,
  box: string,
  settled: readonly { readonly notice: Notice; readonly became: NoticeState }[],
  sending?: Sending,
): Record<string, Action> {
  const writes: Record<string, Action> = {}
  if (sending) writes['sending'] = { kind: 'remove', key: sendingKey(tenantId, box), ...sameSending(sending) }
  for (const { notice, became } of settled) {
    writes[`notice ${notice.id}`] = {
      kind: 'update',
      key: noticeKey(tenantId, notice.id),
      update: 'SET became = :became',
      values: { ':became': became, ':pending': { state: 'pending' } },
      condition: 'became = :pending',
    }
    writes[`waiting ${notice.id}`] = {
      kind: 'remove',
      key: outboxKey(tenantId, box, notice.createdAt, notice.id),
    }
  }
  return writes
}

/** That a notice waits that is not there, or is none: it would be in the way of the others. */
export const dropWaiting = (table: Table, tenantId: TenantId | undefined, box: string, one: Waiting) =>
  writeRow(table, { kind: 'remove', key: outboxKey(tenantId, box, one.since, one.notice) })

/** Nothing is left to be sent: ends the timer, unless something was noted meanwhile. */
export const endMailTimer = (table: Table, timer: Timer) => writeRow(table, asRead(endTimer(timer), timer))

/** Something is left: the timer is due again then. `tries` counts the refusals in a row. */
export function moveMailTimer(table: Table, timer: Timer, dueAt: Instant, tries: number): Promise<boolean> {
  const place = { ...timer.place, tries: String(tries) }
  return writeRow(table, asRead(moveTimer(timer, dueAt, place), timer))
}
