import type { Holdings } from '../domain/holdings.ts'
import { ProductId, type TenantId } from '../platform/ids.ts'
import { CorruptItemError, type Item } from './codec.ts'
import { licenseEntity, usageEntity } from './holdings.ts'
import { holdingsPrefix, tenantKey } from './keys.ts'
import { readRange } from './read.ts'
import type { Table } from './transact.ts'

/** A row that is not what this program wrote: what it is by its key, and what is wrong with it. */
export type UnreadableRow = {
  readonly kind: 'license' | 'usage'
  /** Of the license, or of the metric. */
  readonly id: string
  readonly reason: string
}

/** What a tenant holds of one product, as far as its rows can be read. */
type ReadableHoldings = { readonly holdings: Holdings; readonly unreadable: readonly UnreadableRow[] }

/**
 * What a tenant holds of every product, or of one: one strongly consistent query. For who looks at all of it and must not
 * stop at a row that cannot be read; whoever grants something does (readHoldings).
 */
export async function readReadableHoldings(
  table: Table,
  tenantId: TenantId,
  ofProduct?: ProductId,
): Promise<ReadableHoldings[]> {
  const items = await readRange(table, { pk: tenantKey(tenantId).pk, prefix: holdingsPrefix(ofProduct) })
  const byProduct = Map.groupBy(items, (item) => partsOf(item)[1] ?? '')
  return [...byProduct].flatMap(([name, own]): ReadableHoldings[] => {
    const productId = ProductId.safeParse(name)
    if (!productId.success) return []
    const licenses: Holdings['licenses'][number][] = []
    const usage: Holdings['usage'][number][] = []
    const unreadable: UnreadableRow[] = []
    for (const item of own) {
      const [, , kind, id = ''] = partsOf(item)
      if (kind === 'SEATS') continue
      try {
        if (kind === 'LICENSE') licenses.push(licenseEntity.decode(item))
        else usage.push(usageEntity.decode(item))
      } catch (error) {
        if (!(error instanceof CorruptItemError)) throw error
        unreadable.push({ kind: kind === 'LICENSE' ? 'license' : 'usage', id, reason: error.message })
      }
    }
    return [{ holdings: { tenantId, productId: productId.data, licenses, usage }, unreadable }]
  })
}

/**
 * `H#<product>#LICENSE#<license>` or `H#<product>#USAGE#<metric>`, or a mark that seats are managed; by its key, for the
 * rest may be anything.
 */
const partsOf = (item: Item): string[] => String(item['sk']).split('#')
