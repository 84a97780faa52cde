import { tellOfEvents } from '../../functions/records/notices-of-events.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { createLog } from '../../shared/platform/log.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'

/**
 * Stands for the stream: gives the events of these logs to whoever tells people of them, from where it stopped the last
 * time on; `again`: all of them anew, as a stream does after a failure.
 */
export function eventStream(table: Table, logs: readonly (TenantId | undefined)[]) {
  const seen = new Map<TenantId | undefined, number>()
  return async (again = false): Promise<void> => {
    for (const tenantId of logs) {
      const events = (await readRange(table, { pk: eventLog(tenantId) })).map(eventEntity.decode)
      const fresh = events.slice(again ? 0 : (seen.get(tenantId) ?? 0))
      seen.set(tenantId, events.length)
      await tellOfEvents(fresh, { table, log: createLog('error') })
    }
  }
}
