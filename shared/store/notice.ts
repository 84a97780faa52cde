import { createHash } from 'node:crypto'
import * as z from 'zod'
import { emailKey } from '../domain/email.ts'
import { NoticeAbout, type NoticeDraft, NoticeState, Recipient } from '../domain/notice.ts'
import { TenantId } from '../platform/ids.ts'
import { DAY, epochSeconds, Instant, plusMilliseconds } from '../platform/time.ts'
import { type CorruptItemError, entity, type Item, readableOf } from './codec.ts'
import { noticeKey, noticesOf } from './keys.ts'
import { readItems } from './read.ts'
import type { Table } from './transact.ts'

/** How long it can be seen what became of a notice, and how long the same occasion is known to have been told. */
const REMEMBERED_FOR = 800 * DAY

/** Something that somebody is told. Its id says whom and of what occasion, so that it is told once. */
export const Notice = z.strictObject({
  id: z.string(),
  /** Whose notice it is; absent for what the vendor's staff is told. */
  tenantId: TenantId.optional(),
  occasion: z.array(z.string()).min(1),
  recipient: Recipient,
  about: NoticeAbout,
  createdAt: Instant,
  /** It is news until then. */
  until: Instant,
  became: NoticeState,
})
export type Notice = z.infer<typeof Notice>

export const noticeEntity = entity('notice', 2, Notice, 1)

/** Listed by when it was made, for whoever wants to know what was told. */
export const noticeItem = (notice: Notice): Item => {
  const { tenantId, id, createdAt } = notice
  return noticeEntity.encode(noticeKey(tenantId, id), notice, {
    ownedPk: noticesOf(tenantId),
    ownedSk: `${createdAt}#${id}`,
    ttl: epochSeconds(plusMilliseconds(createdAt, REMEMBERED_FOR)),
  })
}

/** The notice of an occasion for one recipient, as it is when nobody was told yet. */
export function newNotice(
  { about, occasion, at, until }: NoticeDraft,
  tenantId: TenantId | undefined,
  recipient: Recipient,
): Notice {
  const words = JSON.stringify([about.kind, ...occasion, emailKey(recipient.email)])
  const id = `ntc_${createHash('sha256').update(words).digest('hex').slice(0, 32)}`
  const whose = tenantId === undefined ? {} : { tenantId }
  const facts = { occasion: [...occasion], recipient, about, createdAt: at, until }
  return { id, ...whose, ...facts, became: { state: 'pending' } }
}

/**
 * Notices by id, in the order asked for; those that are not there are left out.
 *
 * @param tell is told of a row that is none, which is left out, too
 */
export async function readNotices(
  table: Table,
  tenantId: TenantId | undefined,
  ids: readonly string[],
  tell: (error: CorruptItemError) => void,
): Promise<Notice[]> {
  const items = await readItems(
    table,
    ids.map((id) => noticeKey(tenantId, id)),
  )
  const byId = new Map(readableOf(items, noticeEntity, tell).map((notice) => [notice.id, notice]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}
