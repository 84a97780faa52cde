import * as z from 'zod'
import type { TenantPool } from '../domain/seat.ts'
import type { TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { judgedPoolKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table } from './transact.ts'

/** How far those who wait for a seat of a pool were decided on anew, on what is so now. */
export const JudgedPool = z.strictObject({
  /** Hash of what decides over everybody alike: another one makes it begin anew. */
  basis: z.string(),
  /** When it began with the first. */
  since: Instant,
  /** Sort key of the last person looked at. */
  place: z.string().optional(),
  isDone: z.boolean(),
})
export type JudgedPool = z.infer<typeof JudgedPool>

export const judgedPoolEntity = entity('judged-pool', 1, JudgedPool)

export const judgedPoolItem = (
  tenantId: TenantId,
  { productId, metric }: TenantPool,
  judged: JudgedPool,
): Item => judgedPoolEntity.encode(judgedPoolKey(tenantId, productId, metric), judged)

export async function readJudgedPool(
  table: Table,
  tenantId: TenantId,
  { productId, metric }: TenantPool,
): Promise<JudgedPool | undefined> {
  const item = await readItem(table, judgedPoolKey(tenantId, productId, metric))
  return item && judgedPoolEntity.decode(item)
}
