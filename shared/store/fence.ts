import type { License } from '../domain/license.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import type { Item } from './codec.ts'
import { type Key, poolKey, poolsKey, tenantFenceKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItem, readRange } from './read.ts'
import type { Action, Table } from './transact.ts'

/** The fences that a change of a license raises, and the pools of its product in which somebody waits for a seat. */
export type Fences = {
  readonly writes: Record<string, Action>
  readonly waiting: readonly { readonly productId: ProductId; readonly metric: string }[]
}

type Fenced = Pick<License, 'tenantId' | 'productId' | 'limits'>

/**
 * Fences off grants that were decided before a license changed. Every pool carries a `fence` number; whoever grants
 * from a pool reads the fence, then the licenses, and writes on condition that the fence is the same. Whoever changes
 * a license raises the fence of every pool of its product in the same transaction: a grant decided on what was before
 * fails and is decided anew (licensing-semantics.md, section 21: suspend, revoke or capacity cut versus acquire).
 *
 * The pools of the license's own metrics are made by this, so that there is no pool without a fence. The same read tells
 * who waits: what the license brings can be given to them (functions/seating/serve-seats.ts).
 */
export async function fencesOf(table: Table, { tenantId, productId, limits }: Fenced): Promise<Fences> {
  const existing = await readRange(table, { pk: poolsKey(tenantId, productId) })
  const own = Object.keys(limits).map((metric) => poolKey(tenantId, productId, metric))
  return {
    writes: Object.fromEntries(
      [...existing.map(keyOf), ...own].map((key) => [`fence ${key.pk} ${key.sk}`, raise(key)]),
    ),
    // A pool of leases has no such count; its queue is served by those who ask for their turn.
    waiting: existing
      .filter(({ queued }) => typeof queued === 'number' && queued > 0)
      .map((item) => ({ productId, metric: keyOf(item).sk })),
  }
}

/** Where the change gives nobody anything. */
export const raiseFences = async (table: Table, license: Fenced): Promise<Fences['writes']> =>
  (await fencesOf(table, license)).writes

/** Of one pool alone: for a change of what its units are granted by, other than a license. */
export const raiseFence = ({ tenantId, productId, metric }: PoolAddress): Action =>
  raise(poolKey(tenantId, productId, metric))

const raise = (key: Key): Action => ({ kind: 'update', key, update: 'ADD fence :one', values: { ':one': 1 } })

const keyOf = (item: Item): Key => ({ pk: String(item['pk']), sk: String(item['sk']) })

/**
 * The same between giving a tenant a license and archiving it: whoever issues, imports or renews raises the tenant's
 * fence, whoever archives reads it before the licenses and writes on condition that it is the same.
 */
export const raiseTenantFence = (tenantId: TenantId): Action => raise(tenantFenceKey(tenantId))

/** Reads a tenant's fence; the action fails if it was raised since. */
export async function seenTenantFence(table: Table, tenantId: TenantId): Promise<Action> {
  const key = tenantFenceKey(tenantId)
  const item = await readItem(table, key)
  if (item === undefined) return { kind: 'check', key, condition: 'attribute_not_exists(pk)' }
  return { kind: 'check', key, condition: 'fence = :fence', values: { ':fence': item['fence'] } }
}
