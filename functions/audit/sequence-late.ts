import { logOf } from '../../shared/domain/checkpoint.ts'
import { chunks } from '../../shared/domain/chunks.ts'
import type { Event } from '../../shared/domain/event.ts'
import { EventId, eventIdsFrom, type TenantId } from '../../shared/platform/ids.ts'
import { plusMilliseconds } from '../../shared/platform/time.ts'
import { readPlaces } from '../../shared/store/audit-log.ts'
import { readable } from '../../shared/store/codec.ts'
import { record } from '../../shared/store/commit.ts'
import { eventEntity, eventItem } from '../../shared/store/event.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { readPages } from '../../shared/store/read.ts'
import { putOnce, type Table } from '../../shared/store/transact.ts'
import { LATE_AFTER } from '../logs/check-log.ts'
import { sequenceEvents } from '../logs/sequence-events.ts'
import type { CommitRequest } from '../services.ts'

/** Events that are looked at between two looks at the clock. */
const PAGE = 500
/** Events that come into the log in one transaction, with the event that tells of it: below what appendEntries takes. */
const TOGETHER = 40
/** Events that one request puts there. */
const MOST = 1_000
/** Milliseconds for one page of them, and the answer. */
const RESERVE = 5_000

type Request = Pick<CommitRequest, 'caller' | 'now' | 'requestId'>
/** What came into the log, in order; and where to go on, if that was not all. */
type Sequenced = { readonly events: EventId[]; readonly next?: EventId }

/**
 * Puts the events of a tenant, or of the vendor, that the stream gave up at the end of their log, in the order in which
 * they were made. What came there and the event that says so are one transaction; what is in the log stays where it is, so
 * that it can be repeated whenever it was cut off.
 */
export async function sequenceLate(
  tenantId: TenantId | undefined,
  { from, remaining }: { readonly from: EventId | undefined; readonly remaining: () => number },
  request: Request,
  table: Table,
): Promise<Sequenced> {
  const events: EventId[] = []
  const between = [from ?? '!', eventIdsFrom(plusMilliseconds(request.now, -LATE_AFTER))] as const
  if (between[0] > between[1]) return { events }
  for await (const page of readPages(table, { pk: eventLog(tenantId), between }, undefined, PAGE)) {
    for (const batch of chunks(await lateOf(table, tenantId, page.items), TOGETHER)) {
      await putBatch(tenantId, batch, request, table)
      events.push(...batch.map(({ id }) => id))
    }
    if (page.next !== undefined && (events.length >= MOST || remaining() < RESERVE))
      return { events, next: EventId.parse(page.next['sk']) }
  }
  return { events }
}

/** Those that have no place in the log. A row that is no event any more cannot have one; the check names it. */
async function lateOf(
  table: Table,
  tenantId: TenantId | undefined,
  items: readonly Record<string, unknown>[],
) {
  const events = items.flatMap((item) => readable<Event>(() => eventEntity.decode(item)) ?? [])
  const names = events.map(({ id }) => id)
  const places = await readPlaces(table, logOf(tenantId), names)
  return events.filter(({ id }) => !places.has(id))
}

function putBatch(
  tenantId: TenantId | undefined,
  batch: readonly Event[],
  request: Request,
  table: Table,
): Promise<number> {
  const told = record(
    {
      type: 'audit.events-sequenced',
      ...(tenantId && { tenantId }),
      subject: { type: 'audit-log', id: logOf(tenantId) },
      after: { events: batch.map(({ id }) => id) },
    },
    request,
  )
  return sequenceEvents(table, batch, request.now, { told: putOnce(eventItem(told)) })
}
