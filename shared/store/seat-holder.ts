import * as z from 'zod'
import type { PendingReason } from '../domain/seat.ts'
import type { AskedSeat, SeatHolder } from '../domain/seat-findings.ts'
import { type ProductId, type TenantId, UserId } from '../platform/ids.ts'
import { Remembered } from '../platform/remembered.ts'
import { CorruptItemError } from './codec.ts'
import { externalIdKey, type Key, userKey } from './keys.ts'
import { readItem } from './read.ts'
import type { Table } from './transact.ts'

const REMEMBERED = 50_000
// Whom an external id names can change: the person's row tells, so a wrong memory costs a read, never a wrong answer.
const named = new Remembered<string, UserId>(REMEMBERED)

const REASONS = {
  NO_CAPACITY: 'NO_CAPACITY',
  NOT_LICENSED: 'NOT_LICENSED',
  MUTUALLY_EXCLUSIVE: 'MUTUALLY_EXCLUSIVE',
  MISSING_DEPENDENCY: 'MISSING_DEPENDENCY',
  NOT_ALLOWED_HERE: 'NOT_ALLOWED_HERE',
} as const satisfies { readonly [Reason in PendingReason]: Reason }

// What validations need of a person's row (store/user.ts), without the schemas of all the rest of it.
const StoredHolder = z.object({
  externalId: z.string().optional(),
  status: z.enum(['active', 'suspended', 'archived']),
  holds: z.array(z.string()),
  pending: z.array(
    z.object({
      productId: z.string(),
      metric: z.string(),
      reason: z.enum(REASONS),
      because: z.string().optional(),
    }),
  ),
})

/**
 * How somebody stands to the seats of a product that the tenant manages here. In steady state one strongly consistent
 * read, of the person's row; the first time of an external id its address comes before.
 *
 * @param who our id of the person, or its external id
 */
export async function readSeatHolder(
  table: Table,
  { tenantId, productId }: { readonly tenantId: TenantId; readonly productId: ProductId },
  who: string,
): Promise<AskedSeat> {
  const given = UserId.safeParse(who)
  const id = given.success ? given.data : named.get(`${tenantId} ${who}`)
  if (id !== undefined) {
    const holder = await readHolder(table, userKey(tenantId, id))
    if (given.success || holder?.externalId === who) return { holder: holder && about(holder) }
  }

  const address = await readItem(table, externalIdKey(tenantId, who))
  const found = UserId.safeParse(address?.['id'])
  if (!found.success) return { holder: undefined }
  named.set(`${tenantId} ${who}`, found.data)
  const holder = await readHolder(table, userKey(tenantId, found.data))
  return { holder: holder && about(holder) }

  function about({ status, holds, pending }: z.infer<typeof StoredHolder>): SeatHolder {
    return {
      status,
      holds: holds.some((pool) => pool.startsWith(`${productId}#`)),
      pending: pending.filter((one) => one.productId === productId),
    }
  }
}

async function readHolder(table: Table, key: Key): Promise<z.infer<typeof StoredHolder> | undefined> {
  const item = await readItem(table, key)
  if (item === undefined) return undefined
  const parsed = StoredHolder.safeParse(item)
  if (!parsed.success) throw new CorruptItemError(`item ${key.pk} / USER: no person`)
  return parsed.data
}
