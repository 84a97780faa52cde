import * as z from 'zod'
import { Event } from '../../shared/domain/event.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'

/** The events of a log about one subject, oldest first. */
export async function eventsOf(table: Table, subjectId: string, tenantId?: TenantId): Promise<Event[]> {
  const items = await readRange(table, { pk: eventLog(tenantId) })
  return items.map(eventEntity.decode).filter((event) => event.subject.id === subjectId)
}

export const typesOf = (events: readonly Event[]) => events.map(({ type }) => type)

/** Events as a list of the API answers them. */
export const EventPage = z.object({ items: z.array(Event), nextCursor: z.string().optional() })
