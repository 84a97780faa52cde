import { eventSteps } from '../../functions/records/event-steps.ts'
import type { EventId, TenantId } from '../../shared/platform/ids.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'

/**
 * The consumer of the stream, as far as events go: hands it those of a tenant, or of the vendor, that it has not had, as
 * the stream would a second later.
 */
export function follower(table: Table): (tenantId?: TenantId) => Promise<void> {
  const had = new Set<EventId>()
  return async (tenantId) => {
    const all = (await readRange(table, { pk: eventLog(tenantId) })).map(eventEntity.decode)
    const fresh = all.filter(({ id }) => !had.has(id))
    for (const { id } of fresh) had.add(id)
    for (const step of eventSteps) await step(fresh, { table, log: () => undefined })
  }
}
