import * as z from 'zod'
import { CapacityLevel } from '../domain/capacity-watch.ts'
import type { TenantId } from '../platform/ids.ts'
import { entity } from './codec.ts'
import { capacityLevelsKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Action, Table } from './transact.ts'

/** What was last told of a tenant's pools; those of which there is nothing to tell are left out. */
const CapacityLevels = z.strictObject({
  levels: z.array(CapacityLevel),
  /** Counts the writes of this row; every change is conditional on it. */
  version: z.int().min(0),
})
type CapacityLevels = z.infer<typeof CapacityLevels>

export const capacityLevelsEntity = entity('capacity-levels', 2, CapacityLevels, 1)

export async function readCapacityLevels(table: Table, tenantId: TenantId): Promise<CapacityLevels> {
  const item = await readItem(table, capacityLevelsKey(tenantId))
  return item ? capacityLevelsEntity.decode(item) : { levels: [], version: 0 }
}

/** Replaces them as they were read: fails if they were written since. */
export const replaceCapacityLevels = (
  tenantId: TenantId,
  read: CapacityLevels,
  levels: readonly CapacityLevel[],
): Action => ({
  kind: 'put',
  item: capacityLevelsEntity.encode(capacityLevelsKey(tenantId), {
    levels: [...levels],
    version: read.version + 1,
  }),
  condition: 'attribute_not_exists(pk) OR version = :version',
  values: { ':version': read.version },
})
