import { createHash } from 'node:crypto'
import { emailKey } from '../../shared/domain/email.ts'
import type { DropReason, NoticeState } from '../../shared/domain/notice.ts'
import { whyNot } from '../../shared/domain/notice-audience.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import { type Instant, MINUTE, plusMilliseconds } from '../../shared/platform/time.ts'
import { type Notice, readNotices } from '../../shared/store/notice.ts'
import {
  abandonSending,
  beginSending,
  dropWaiting,
  endMailTimer,
  isOptionalBox,
  moveMailTimer,
  ownerOf,
  readOutbox,
  type Sending,
} from '../../shared/store/outbox.ts'
import { readTimer, type Timer } from '../../shared/store/timer.ts'
import type { Audience } from '../notify.ts'
import { composeMail } from './compose-mail.ts'
import { linksOf } from './links.ts'
import type { ReadAudience } from './remind.ts'
import type { NotificationServices } from './services.ts'
import { type Settled, settle } from './settle.ts'
import { isStillAddressed, tellInstead } from './still-addressed.ts'
import { isStillTrue } from './still-true.ts'
import { suppress } from './suppress.ts'

/** Notices in a mail: what a person reads. */
const MOST = 20
/** Longer than a function runs: who began a sending and did not say what became of it by then is dead. */
const LEASE = 2 * MINUTE
/** Waits after refusals, in minutes; the last one again and again, as long as it is news. */
const PATIENCE = [1, 5, 15, 30, 60]
/** Sendings of which nobody can say whether they came, before it is given up: each may be one more of the same. */
const MOST_TIMES = 5

/** Mail servers name whom they refuse, and logs hold no addresses. */
const withoutAddresses = (reason: string) =>
  reason.replaceAll(/[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/g, '(address)')

/** What is to become of a notice: nothing, if it is told. */
type Judged = {
  readonly notice: Notice
  readonly because: DropReason | undefined
  readonly became: NoticeState | undefined
}

type Request = { readonly now: Instant; readonly requestId: string }

/**
 * Sends what waits for one address as one mail. That a sending begins is written before it does, and what became of it
 * after: so it is known at each step whether a mail was not sent, sent, or perhaps sent.
 *
 * @returns how many notices it settled
 */
export async function sendMail(
  found: Timer,
  request: Request,
  readAudience: ReadAudience,
  services: NotificationServices,
): Promise<number> {
  // As it is now: the list it was found in lags, and its end depends on what was filed last.
  const timer = await readTimer(services.table, found)
  return timer === undefined || timer.dueAt > request.now
    ? 0
    : sendBox(timer, request, readAudience, services)
}

async function sendBox(
  timer: Timer,
  request: Request,
  readAudience: ReadAudience,
  services: NotificationServices,
): Promise<number> {
  const { table } = services
  const { now } = request
  const owner = ownerOf(timer.subject[0])
  const tenantId = owner === undefined ? undefined : TenantId.parse(owner)
  const box = timer.subject[1] ?? ''
  const tries = Number(timer.place?.['tries'] ?? 0)
  const later = (minutes: number | undefined, count: number) =>
    moveMailTimer(table, timer, plusMilliseconds(now, (minutes ?? 60) * MINUTE), count)

  const [{ waiting, sending }, audience] = await Promise.all([
    readOutbox(table, tenantId, box),
    readAudience(tenantId),
  ])
  if (sending !== undefined && sending.leaseUntil > now) {
    await moveMailTimer(table, timer, sending.leaseUntil, tries)
    return 0
  }
  // What was begun is finished first, as the very same mail.
  const batch = sending?.notices ?? waiting.slice(0, MOST)
  const known = await readNotices(
    table,
    tenantId,
    batch.map(({ notice }) => notice),
    (error) => services.log('error', 'notice', { requestId: request.requestId }, error),
  )
  const ids = new Set(known.map(({ id }) => id))
  for (const one of batch) if (!ids.has(one.notice)) await dropWaiting(table, tenantId, box, one)
  const notices = known.filter(({ became }) => became.state === 'pending')
  const isGivenUp = sending !== undefined && (isOptionalBox(box) || sending.times >= MOST_TIMES)
  const judged = await Promise.all(notices.map((notice) => judge(notice, audience, isGivenUp)))
  if (audience !== undefined)
    for (const { notice, because } of judged)
      if (because === 'REMOVED') await tellInstead(notice, audience, now, readAudience, table)
  const dropped = judged.filter((one): one is Judged & Settled => one.became !== undefined)
  const told = judged.filter(({ became }) => became === undefined).map(({ notice }) => notice)
  const [first, ...others] = told
  if (first === undefined || audience === undefined) {
    await goOn(await settle(table, tenantId, box, dropped, request, sending))
    return dropped.length
  }
  const isDropped = await settle(table, tenantId, box, dropped, request)
  if (services.sendMail === undefined) {
    await later(60, tries)
    return dropped.length
  }
  const next = nextSending([first, ...others], sending)
  if (!(await beginSending(table, tenantId, box, next, sending))) return dropped.length
  const mail = composeMail({
    id: next.mailId,
    notices: [first, ...others],
    language: first.recipient.language ?? audience.settings.language,
    timeZone: audience.timeZone,
    owner: audience.name,
    links: linksOf(told, services),
    now,
    times: next.times,
  })
  const outcome = await services.sendMail(mail)
  if (outcome.outcome !== 'sent') {
    const fields = { requestId: request.requestId, subject: mail.id, code: outcome.outcome }
    services.log('warn', 'mail', fields, withoutAddresses(outcome.reason))
  }
  switch (outcome.outcome) {
    case 'sent':
      await finish({ state: 'sent', at: now, messageId: outcome.messageId, repeated: next.times > 1 })
      return dropped.length + told.length
    case 'undeliverable':
      await suppress(
        table,
        tenantId,
        first.recipient.email,
        { at: now, why: 'bounce', detail: outcome.reason },
        request,
      )
      await finish({ state: 'dropped', at: now, because: 'UNDELIVERABLE' })
      return dropped.length + told.length
    case 'refused':
      await abandonSending(table, tenantId, box, next, sending)
      await later(PATIENCE[tries], tries + 1)
      return dropped.length
    case 'unknown':
      if (isOptionalBox(box)) {
        await finish({ state: 'unconfirmed', at: now })
        return dropped.length + told.length
      }
      await moveMailTimer(table, timer, next.leaseUntil, tries)
      return dropped.length
  }

  async function judge(notice: Notice, of: Audience | undefined, isOver: boolean): Promise<Judged> {
    const because = await reasonNotTo(notice, of)
    // It was begun once, so it may have come.
    if (sending !== undefined && (isOver || because !== undefined))
      return { notice, because, became: { state: 'unconfirmed', at: now } }
    return { notice, because, became: because && { state: 'dropped', at: now, because } }
  }

  async function reasonNotTo(notice: Notice, of: Audience | undefined): Promise<DropReason | undefined> {
    const { about, until, recipient } = notice
    if (of === undefined) return 'SILENCED'
    if (until <= now) return services.sendMail === undefined ? 'NO_MAIL' : 'TOO_LATE'
    const unwanted = whyNot(about.kind, of.addresses.get(emailKey(recipient.email)))
    if (unwanted !== undefined) return unwanted
    if (!(await isStillTrue(about, tenantId, now, services))) return 'SILENCED'
    return (await isStillAddressed(notice, of, table)) ? undefined : 'REMOVED'
  }

  function nextSending(some: readonly [Notice, ...Notice[]], before: Sending | undefined): Sending {
    const names = some.map(({ id, createdAt }) => ({ notice: id, since: createdAt }))
    const leaseUntil = plusMilliseconds(now, LEASE)
    if (before) return { ...before, notices: names, times: before.times + 1, leaseUntil }
    const hash = createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 32)
    return { mailId: `mail_${hash}`, notices: names, times: 1, startedAt: now, leaseUntil }
  }

  async function finish(became: NoticeState): Promise<void> {
    const settled = told.map((notice) => ({ notice, became }))
    const isSettled = await settle(table, tenantId, box, settled, request, next)
    await goOn(isSettled && isDropped)
  }

  /** Whatever may still wait is due at once; nothing more ends the timer, unless something was noted since. */
  async function goOn(isSettled: boolean): Promise<void> {
    if (isSettled && sending === undefined && waiting.length <= batch.length) await endMailTimer(table, timer)
    else await moveMailTimer(table, timer, now, 0)
  }
}
