import * as z from 'zod'
import { ProductId, TenantId, UserId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { entity } from './codec.ts'
import { KIND, noticeKey } from './keys.ts'
import { type Action, putOnce } from './transact.ts'

/** Something that somebody is to be told. Its key says of what occasion it is, so that it is told once. */
export const Notice = z.strictObject({
  tenantId: TenantId,
  kind: z.literal('seat-reclaim'),
  /** What makes it one of a kind: the same occasion has the same key. */
  occasion: z.array(z.string()).min(1),
  /** A person of the tenant; whoever sends it knows the address, and tells the tenant's contacts where there is none. */
  recipient: z.strictObject({ userId: UserId }),
  /** What it is about: the person's seats of the product are taken at `at`. Its keep link is made when it is sent. */
  about: z.strictObject({ productId: ProductId, openedAt: Instant, at: Instant }),
  createdAt: Instant,
})
export type Notice = z.infer<typeof Notice>

export const noticeEntity = entity('notice', 1, Notice)

/** Lists it for whoever sends notices, oldest first. The write fails if the same was noted before. */
export const noteNotice = (notice: Notice): Action =>
  putOnce(
    noticeEntity.encode(noticeKey(notice.tenantId, notice.kind, notice.occasion), notice, {
      kindPk: KIND.notices,
      kindSk: [notice.createdAt, notice.tenantId, ...notice.occasion].join('#'),
    }),
  )
