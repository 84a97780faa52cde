import { EventId, type TenantId } from '../../shared/platform/ids.ts'
import type { Item } from '../../shared/store/codec.ts'
import { eventKey } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'

/** The rows of the events that were recorded last of something, by id; those that are gone are left out. */
export async function eventRows(
  table: Table,
  tenantId: TenantId,
  records: readonly { readonly eventId: string }[],
): Promise<Map<string, Item>> {
  const ids = new Set(records.map(({ eventId }) => EventId.parse(eventId)))
  const items = await readItems(
    table,
    [...ids].map((id) => eventKey(tenantId, id)),
  )
  return new Map(items.map((item) => [String(item['sk']), item]))
}
