import * as z from 'zod'
import { decodeEntry, type Entry } from '../domain/lease-entry.ts'
import type { Pool } from '../domain/pool.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { CorruptItemError, type Item } from './codec.ts'
import { pagesKey, poolKey, poolsKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Table } from './transact.ts'

/** Which pool of a tenant. */
export type PoolAddress = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
}

/**
 * A pool's item: its counts, and an attribute of bytes for each lease, named by its reference. Attributes of the item
 * rather than of a map in it, so that the first lease needs no map to be made before it.
 */
const StoredPool = z
  .object({
    fence: z.int().default(0),
    used: z.int().default(0),
    waiting: z.int().default(0),
    borrowed: z.int().default(0),
    // Its name counts towards the 1 KB in which fifty leases have to fit.
    n: z.int().default(0),
    paged: z.int().default(0),
  })
  .transform(({ n, ...counts }) => ({ ...counts, inItem: n }))

/** The pool of a stored item, or image of one in a stream; without what lies on its pages. */
export function decodePool(item: Item): Pool {
  const parsed = StoredPool.safeParse(item)
  if (!parsed.success)
    throw new CorruptItemError(`item ${String(item['pk'])} / ${String(item['sk'])}: no pool`)
  return { ...parsed.data, entries: new Map(entriesOf(item)), last: item['last'] }
}

/** A page, as a pool that has what lies on it and nothing else. */
export function decodePage(item: Item): Pool {
  const entries = entriesOf(item).map(([ref, entry]) => [ref, { ...entry, paged: true }] as const)
  return { ...NOTHING, paged: entries.length, entries: new Map(entries), last: item['last'] }
}

const NOTHING = StoredPool.parse({})

const entriesOf = (item: Item): [string, Entry][] =>
  Object.entries(item).flatMap(([name, value]) =>
    value instanceof Uint8Array ? [[name, decodeEntry(value)]] : [],
  )

/** One pool with its pages, strongly consistent; undefined where no license ever had the metric. */
export async function readPool(table: Table, address: PoolAddress): Promise<Pool | undefined> {
  const item = await readItem(table, poolKey(address.tenantId, address.productId, address.metric))
  return item && readPages(table, address, decodePool(item))
}

/** All pools of a tenant's product with their pages, by metric, strongly consistent. */
export async function readPools(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Map<string, Pool>> {
  const pools = [...(await readPoolItems(table, tenantId, productId))].map(
    async ([metric, pool]) =>
      [metric, await readPages(table, { tenantId, productId, metric }, pool)] as const,
  )
  return new Map(await Promise.all(pools))
}

/** The same without what lies on their pages: their counts, and the fences under which something may be granted. */
export async function readPoolItems(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Map<string, Pool>> {
  const items = await readRange(table, { pk: poolsKey(tenantId, productId) })
  return new Map(items.map((item) => [String(item['sk']), decodePool(item)]))
}

/**
 * The pool with what lies on its pages: read after it, so that they may be ahead of its counts. What is decided on both
 * is written on conditions on both.
 */
export async function readPages(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
  pool: Pool,
): Promise<Pool> {
  if (pool.paged === 0) return pool
  const pages = (await readRange(table, { pk: pagesKey(tenantId, productId, metric) })).map(decodePage)
  return {
    ...pool,
    entries: new Map([...pool.entries, ...pages.flatMap(({ entries }) => [...entries])]),
    lastOfPages: pages.map(({ last }) => last),
  }
}
