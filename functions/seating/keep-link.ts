import * as z from 'zod'
import { ProductId, TenantId, UserId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'
import { open, seal } from '../sealed.ts'

/** Which case a link to keep seats is for: that which was opened then, and none after it. */
const Linked = z.tuple([TenantId, UserId, ProductId, Instant])
export type Linked = {
  readonly tenantId: TenantId
  readonly userId: UserId
  readonly productId: ProductId
  readonly openedAt: Instant
}

/** The token of a link by which a person keeps its seats. It is made when a notice is sent, and stored nowhere. */
export const sealKeepToken = ({ tenantId, userId, productId, openedAt }: Linked, key: Uint8Array): string =>
  seal('keep', [tenantId, userId, productId, openedAt], key)

export function openKeepToken(token: string, key: Uint8Array): Linked | undefined {
  const opened = open('keep', Linked, token, key)
  if (opened === undefined) return undefined
  const [tenantId, userId, productId, openedAt] = opened
  return { tenantId, userId, productId, openedAt }
}
