import * as z from 'zod'
import { MACHINES } from '../domain/activation.ts'
import type { MachinePool } from '../domain/activation-pool.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { CorruptItemError } from './codec.ts'
import { poolKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Action, Table } from './transact.ts'

// The item is made by the fence of a license (store/fence.ts), so it has no type of its own and any of these may lack.
const StoredPool = z.object({
  fence: z.int().default(0),
  used: z.int().min(0).default(0),
  overdrawn: z.int().min(0).default(0),
  freed: z.int().min(0).default(0),
  moves: z.array(Instant).default([]),
})

/** The counts of the machines of a tenant's product; all zero where no license ever had the metric. */
export async function readMachinePool(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<MachinePool> {
  const key = poolKey(tenantId, productId, MACHINES)
  const parsed = StoredPool.safeParse((await readItem(table, key)) ?? {})
  if (!parsed.success) throw new CorruptItemError(`item ${key.pk} / ${key.sk}: no pool of machines`)
  return parsed.data
}

/** A change of the counts, on conditions that leave room for others at the same time wherever it does not matter. */
export type MachineChange = {
  /** What is added. */
  readonly used: number
  readonly overdrawn: number
  readonly freed?: number
  /** The new value. */
  readonly moves?: readonly Instant[]
  /** `used` before must be within these. */
  readonly atLeast?: number
  readonly atMost?: number
  /** These must be as they were read. */
  readonly seen: Partial<MachinePool>
}

export function changeMachines(tenantId: TenantId, productId: ProductId, change: MachineChange): Action {
  const { used, overdrawn, freed = 0, moves, atLeast, atMost, seen } = change
  const values: Record<string, unknown> = {}
  const conditions: string[] = []
  for (const [name, value] of Object.entries(seen)) {
    const isNothing = value === 0 || (Array.isArray(value) && value.length === 0)
    conditions.push(
      isNothing ? `(attribute_not_exists(${name}) OR ${name} = :seen_${name})` : `${name} = :seen_${name}`,
    )
    values[`:seen_${name}`] = value
  }
  if (atLeast !== undefined && atLeast > 0) {
    conditions.push('used >= :least')
    values[':least'] = atLeast
  }
  if (atMost !== undefined) {
    conditions.push(atMost < 0 ? 'used <= :most' : '(attribute_not_exists(used) OR used <= :most)')
    values[':most'] = atMost
  }
  if (moves !== undefined) values[':moves'] = moves
  const adds = Object.entries({ used, overdrawn, freed }).filter(([, amount]) => amount !== 0)
  for (const [name, amount] of adds) values[`:add_${name}`] = amount
  const update = [
    ...(moves === undefined ? [] : ['SET moves = :moves']),
    ...(adds.length === 0 ? [] : [`ADD ${adds.map(([name]) => `${name} :add_${name}`).join(', ')}`]),
  ].join(' ')
  const condition = conditions.join(' AND ')
  const key = poolKey(tenantId, productId, MACHINES)
  // What changes no count may still depend on them.
  if (update === '') return { kind: 'check', key, condition, values }
  return { kind: 'update', key, update, ...(condition && { condition }), values }
}
