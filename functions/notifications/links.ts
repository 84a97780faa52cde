import * as z from 'zod'
import { emailKey } from '../../shared/domain/email.ts'
import { isOptional, type NoticeKind, NoticeKind as NoticeKindShape } from '../../shared/domain/notice.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import type { Notice } from '../../shared/store/notice.ts'
import { open, seal } from '../sealed.ts'
import { sealKeepToken } from '../seating/keep-link.ts'
import type { Links } from './compose-mail.ts'
import type { NotificationServices } from './services.ts'

/** Whose notices to which address, and of which kinds the mail was. */
const Unsubscription = z.tuple([TenantId.nullable(), z.email(), z.array(NoticeKindShape).min(1)])
export type Unsubscription = {
  readonly tenantId: TenantId | undefined
  readonly email: string
  readonly kinds: readonly NoticeKind[]
}

const PREFIX = 'mute'

/** The token of a link by which an address unsubscribes. It is stored nowhere, and good as long as the key is. */
function sealUnsubscription({ tenantId, email, kinds }: Unsubscription, key: Uint8Array): string {
  return seal(PREFIX, [tenantId ?? null, emailKey(email), kinds], key)
}

export function openUnsubscription(token: string, key: Uint8Array): Unsubscription | undefined {
  const opened = open(PREFIX, Unsubscription, token, key)
  if (opened === undefined) return undefined
  const [tenantId, email, kinds] = opened
  return { tenantId: tenantId ?? undefined, email, kinds: kinds.filter(isOptional) }
}

/** The links of a mail to one recipient. */
export function linksOf(
  notices: readonly Notice[],
  { publicUrl, secrets }: Pick<NotificationServices, 'publicUrl' | 'secrets'>,
): Links {
  const [first] = notices
  const kinds = [...new Set(notices.map(({ about }) => about.kind))]
  const { tenantId, recipient } = first ?? {}
  const token = sealUnsubscription({ tenantId, email: recipient?.email ?? '', kinds }, secrets.noticeKey)
  return {
    act(about) {
      if (about.kind !== 'seat-reclaim' || tenantId === undefined) return undefined
      const keep = sealKeepToken({ tenantId, ...about }, secrets.keepKey)
      return `${publicUrl}/v1/keep-seats/page?token=${keep}`
    },
    unsubscribe: `${publicUrl}/v1/unsubscribe?token=${token}`,
  }
}
