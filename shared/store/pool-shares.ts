import { PoolShares } from '../domain/shares.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { poolSharesKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readItem, readRange } from './read.ts'
import type { Action, Table } from './transact.ts'

/** What departments have of a pool. Whoever changes it raises the pool's fence, so that no grant is decided on what was before. */
export const poolSharesEntity = entity('pool-shares', 1, PoolShares)

const keyOf = ({ tenantId, productId, metric }: PoolAddress) => poolSharesKey(tenantId, productId, metric)

/** Nothing is shared out until somebody says so. */
const noShares = ({ productId, metric }: PoolAddress): PoolShares => ({
  productId,
  metric,
  shares: [],
  nextCode: 1,
  revision: 1,
})

export async function readPoolShares(table: Table, address: PoolAddress): Promise<PoolShares> {
  const item = await readItem(table, keyOf(address))
  return item === undefined ? noShares(address) : poolSharesEntity.decode(item)
}

/** Those of all pools of a product, by metric; only of those that have any. */
export async function readAllPoolShares(
  table: Table,
  tenantId: TenantId,
  productId: ProductId,
): Promise<Map<string, PoolShares>> {
  const { pk, sk: prefix } = poolSharesKey(tenantId, productId, '')
  const items: Item[] = await readRange(table, { pk, prefix })
  return new Map(items.map((item) => poolSharesEntity.decode(item)).map((one) => [one.metric, one]))
}

/** Replaces them only if they have the revision they were read with. */
export const replacePoolShares = (address: PoolAddress, shares: PoolShares, revision: number): Action => ({
  kind: 'put',
  item: poolSharesEntity.encode(keyOf(address), shares),
  condition: revision === 1 ? 'attribute_not_exists(pk) OR revision = :revision' : 'revision = :revision',
  values: { ':revision': revision },
})
