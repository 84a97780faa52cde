import { Event } from '../domain/event.ts'
import type { TenantId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { eventKey, eventLog } from './keys.ts'
import { readFirst } from './read.ts'
import type { Table } from './transact.ts'

export const eventEntity = entity('event', 1, Event)
export const eventItem = (event: Event): Item => eventEntity.encode(eventKey(event.tenantId, event.id), event)

/** The last events of a tenant, the newest first: no more than so many, nor than 1 MB. */
export async function readLastEvents(table: Table, tenantId: TenantId, most: number): Promise<Event[]> {
  const items = await readFirst(table, { pk: eventLog(tenantId), newestFirst: true }, most)
  return items.map((item) => eventEntity.decode(item))
}
