import { usageName } from '../domain/usage-reports.ts'
import type { ProductId, TenantId } from '../platform/ids.ts'
import type { Item } from './codec.ts'
import { type Key, poolKey } from './keys.ts'
import { readItems } from './read.ts'
import type { Action, Table } from './transact.ts'

/**
 * Reads the fences of some metrics' pools, by `usageName`; an action fails if a license of the product changed since
 * (fence.ts). To be read before the licenses. A pool that is not there stays so until a license grants the metric.
 */
export async function seenFences(
  table: Table,
  tenantId: TenantId,
  metrics: readonly { productId: ProductId; metric: string }[],
): Promise<Map<string, Action>> {
  const keys = new Map(
    metrics.map(({ productId, metric }) => [
      usageName(productId, metric),
      poolKey(tenantId, productId, metric),
    ]),
  )
  const items = await readItems(table, [...keys.values()])
  const byKey = new Map(items.map((item) => [`${item['pk']} ${item['sk']}`, item]))
  return new Map([...keys].map(([name, key]) => [name, unchanged(key, byKey.get(`${key.pk} ${key.sk}`))]))
}

function unchanged(key: Key, item: Item | undefined): Action {
  if (item === undefined) return { kind: 'check', key, condition: 'attribute_not_exists(pk)' }
  if (item['fence'] === undefined) return { kind: 'check', key, condition: 'attribute_not_exists(fence)' }
  return { kind: 'check', key, condition: 'fence = :fence', values: { ':fence': item['fence'] } }
}
