import { Correction } from '../domain/meter-correction.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { usageCorrectionKey } from './keys.ts'
import { type Range, readItem } from './read.ts'
import { type Action, putOnce, type Table } from './transact.ts'

export const usageCorrectionEntity = entity('usage-correction', 1, Correction)

/** Kept for good: it is why the net differs from what was reported. */
export function putCorrection(tenantId: TenantId, correction: Correction): Action {
  const { productId, id, madeAt } = correction
  const key = usageCorrectionKey(tenantId, productId, id)
  return putOnce(
    usageCorrectionEntity.encode(key, correction, { ownedPk: key.pk, ownedSk: `${madeAt}#${key.sk}` }),
  )
}

export async function readCorrection(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
  id: string,
): Promise<Correction | undefined> {
  const item = await readItem(table, usageCorrectionKey(tenantId, productId, id))
  return item && usageCorrectionEntity.decode(item)
}

/** A product's corrections, the newest first. */
export const correctionsOf = (tenantId: TenantId, productId: ProductId): Range => ({
  index: 'owned',
  pk: usageCorrectionKey(tenantId, productId, '').pk,
  newestFirst: true,
})
