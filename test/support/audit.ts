import { sequenceEvents } from '../../functions/logs/sequence-events.ts'
import { logOf } from '../../shared/domain/checkpoint.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { readPlaces } from '../../shared/store/audit-log.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Api } from './api.ts'

/**
 * Puts the events of a tenant, or of the vendor, into their log, as the consumer of the stream does; tables of tests have
 * no stream.
 *
 * @returns how many are new
 */
export async function sequenceAll(table: Table, tenantId?: TenantId): Promise<number> {
  const items = await readRange(table, { pk: eventLog(tenantId) })
  const events = items.map((item) => eventEntity.decode(item))
  const places = await readPlaces(
    table,
    logOf(tenantId),
    events.map(({ id }) => id),
  )
  return sequenceEvents(
    table,
    events.filter(({ id }) => !places.has(id)),
    readClock(),
  )
}

/** Puts all events into their logs, and has the checkpoints of these signed and anchored. */
export async function publishAll(api: Pick<Api, 'table' | 'run'>, tenantId?: TenantId): Promise<void> {
  for (const log of [undefined, tenantId]) await sequenceAll(api.table, log)
  await api.run('publishCheckpoints')
}
