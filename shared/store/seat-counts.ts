import type { Counts } from '../domain/seat-counts.ts'
import type { TenantId } from '../platform/ids.ts'
import type { Item } from './codec.ts'
import { seatCountsKey } from './keys.ts'
import { readRange } from './read.ts'
import type { Action, Table } from './transact.ts'

/**
 * Adds to the counts of organizations, one write per row. They have no condition: they are exact because the rows they
 * count are written, on conditions, in the same transaction.
 */
export function addCounts(tenantId: TenantId, counts: Counts): Record<string, Action> {
  const pk = seatCountsKey(tenantId)
  return Object.fromEntries(
    [...counts].map(([row, own]) => {
      const names = [...own.keys()]
      return [
        `count ${row}`,
        {
          kind: 'update',
          key: { pk, sk: row },
          update: `ADD ${names.map((_, index) => `#n${index} :n${index}`).join(', ')}`,
          names: Object.fromEntries(names.map((name, index) => [`#n${index}`, name])),
          values: Object.fromEntries([...own.values()].map((amount, index) => [`:n${index}`, amount])),
        } satisfies Action,
      ]
    }),
  )
}

/** All counts of a tenant, strongly consistent. As many rows as organizations with people, times pools. */
export async function readCounts(table: Table, tenantId: TenantId): Promise<Counts> {
  const items = await readRange(table, { pk: seatCountsKey(tenantId) })
  return new Map(items.map((item) => [String(item['sk']), numbersOf(item)]))
}

function numbersOf(item: Item): Map<string, number> {
  return new Map(
    Object.entries(item).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  )
}
