import * as z from 'zod'
import type { PendingReason } from '../domain/seat.ts'
import type { AskedSeat, SeatHolder } from '../domain/seat-findings.ts'
import { type ProductId, type TenantId, UserId } from '../platform/ids.ts'
import { Remembered } from '../platform/remembered.ts'
import { CorruptItemError, type Item } from './codec.ts'
import { externalIdKey, type Key, poolKey, userKey } from './keys.ts'
import { readItem, readItems } from './read.ts'
import type { Table } from './transact.ts'

const REMEMBERED = 50_000
// Seats that were managed here once always are: the count stays in the pool's row (store/seat-pool.ts).
const managed = new Remembered<string, true>(REMEMBERED)
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

/** Seats of a product, by the metrics of which it may have some. */
type Seats = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metrics: readonly string[]
}

/**
 * How somebody stands to the seats of a product; undefined where the tenant does not manage them here. In steady state
 * one strongly consistent read, of the person's row. The first time of a product the pools come in the same request;
 * the first time of an external id its address comes before.
 *
 * @param who our id of the person, or its external id
 */
export async function readSeatHolder(
  table: Table,
  seats: Seats,
  who: string,
): Promise<AskedSeat | undefined> {
  const { tenantId, productId, metrics } = seats
  const place = `${tenantId} ${productId}`
  const given = UserId.safeParse(who)
  const id = given.success ? given.data : named.get(`${tenantId} ${who}`)
  const isKnown = managed.get(place) ?? false

  if (id !== undefined) {
    const row = userKey(tenantId, id)
    const items = isKnown ? await readOne(table, row) : await readItems(table, [row, ...poolKeys()])
    if (!isKnown && !isManaged(items)) return undefined
    const holder = holderIn(items, row)
    if (given.success || holder?.externalId === who) return { holder: holder && about(holder) }
  }

  const address = externalIdKey(tenantId, who)
  const known = managed.get(place) ?? false
  const items = known ? await readOne(table, address) : await readItems(table, [address, ...poolKeys()])
  if (!known && !isManaged(items)) return undefined
  const found = UserId.safeParse(items.find((item) => item['pk'] === address.pk)?.['id'])
  if (!found.success) return { holder: undefined }
  named.set(`${tenantId} ${who}`, found.data)
  const row = userKey(tenantId, found.data)
  const holder = holderIn(await readOne(table, row), row)
  return { holder: holder && about(holder) }

  function poolKeys(): Key[] {
    return metrics.map((metric) => poolKey(tenantId, productId, metric))
  }

  /** Of a pool one seat was ever given or waited for. */
  function isManaged(items: readonly Item[]): boolean {
    const is = items.some((item) => item['assigned'] !== undefined)
    if (is) managed.set(place, true)
    return is
  }

  function about({ status, holds, pending }: z.infer<typeof StoredHolder>): SeatHolder {
    return {
      status,
      holds: holds.some((pool) => pool.startsWith(`${productId}#`)),
      pending: pending.filter((one) => one.productId === productId),
    }
  }
}

async function readOne(table: Table, key: Key): Promise<Item[]> {
  const item = await readItem(table, key)
  return item === undefined ? [] : [item]
}

function holderIn(items: readonly Item[], { pk }: Key): z.infer<typeof StoredHolder> | undefined {
  const item = items.find((one) => one['pk'] === pk)
  if (item === undefined) return undefined
  const parsed = StoredHolder.safeParse(item)
  if (!parsed.success) throw new CorruptItemError(`item ${pk} / USER: no person`)
  return parsed.data
}
