import { SeatRequest } from '../domain/seat-request.ts'
import type { ProductId, TenantId, UserId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { seatRequestKey, seatRequestsOf } from './keys.ts'
import { readItem } from './read.ts'
import { type Put, putVersion, type Table } from './transact.ts'

export const seatRequestEntity = entity('seat-request', 1, SeatRequest)

/** Replaces a request as it was read, or makes the first one. Listed by its state, and when it was made. */
export function writeRequest(tenantId: TenantId, last: SeatRequest | undefined, next: SeatRequest): Put {
  const { userId, productId, module, requestedAt, state } = next
  const item = seatRequestEntity.encode(seatRequestKey(tenantId, userId, productId, module), next, {
    ownedPk: seatRequestsOf(tenantId),
    ownedSk: [state, requestedAt, userId, productId, module].join('#'),
  })
  return putVersion(item, last?.version)
}

export async function readRequest(
  table: Table,
  tenantId: TenantId,
  userId: UserId,
  productId: ProductId,
  module: string,
): Promise<SeatRequest | undefined> {
  const item = await readItem(table, seatRequestKey(tenantId, userId, productId, module))
  return item && seatRequestEntity.decode(item)
}
