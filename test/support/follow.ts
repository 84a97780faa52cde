import { eventSteps } from '../../functions/records/event-steps.ts'
import { followLicenses } from '../../functions/records/follow-licenses.ts'
import { sequence } from '../../functions/records/sequence.ts'
import type { EventId, TenantId } from '../../shared/platform/ids.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'

/**
 * The consumer of the stream, as far as licenses and the audit log go: hands it the events of a tenant that it has not had, as the stream
 * would a second later.
 */
export function follower(table: Table): (tenantId: TenantId) => Promise<void> {
  const steps = [sequence, followLicenses]
  if (!steps.every((step) => eventSteps.includes(step))) throw new Error('the consumer has other steps')
  const had = new Set<EventId>()
  return async (tenantId) => {
    const all = (await readRange(table, { pk: eventLog(tenantId) })).map(eventEntity.decode)
    const fresh = all.filter(({ id }) => !had.has(id))
    for (const { id } of fresh) had.add(id)
    for (const step of steps) await step(fresh, { table, log: () => undefined })
  }
}
