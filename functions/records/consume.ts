import type { Event } from '../../shared/domain/event.ts'
import type { EventType } from '../../shared/domain/event-types.ts'
import type { Log } from '../../shared/platform/log.ts'
import { eventItem } from '../../shared/store/event.ts'
import { type RawRecord, StreamEvent } from '../../shared/store/stream-event.ts'
import { putOnce, type Table } from '../../shared/store/transact.ts'
import { writeRow } from '../../shared/store/write.ts'
import { recordedEventId } from './event-id.ts'
import { isEventRecord, readEventRecord } from './event-record.ts'
import type { EventStep } from './event-steps.ts'
import { type PoolRecord, readPoolRecord } from './pool-record.ts'

/** An event as the change tells it; its id comes from the record. */
type ToldEvent = Omit<Event, 'id' | 'type'> & { readonly type: EventType }

/** One write. That its condition fails means that it was made before, or that a later change has been told since. */
export type RowWrite = Parameters<typeof writeRow>[1]

/** What a change of a pool means: the same each time, so that a record delivered twice means the same twice. */
export type Meaning = {
  readonly events: readonly ToldEvent[]
  /** In steps: each is made once the one before it is, for it may take away what that was made from. */
  readonly rows: readonly (readonly RowWrite[])[]
}

export type ConsumerServices = {
  readonly table: Table
  readonly log: Log
  readonly meaningOf: (record: PoolRecord) => Promise<Meaning> | Meaning
  /** What follows from events, one after the other. */
  readonly eventSteps: readonly EventStep[]
}

/** Which records have to be delivered again, as Lambda wants it of a function with ReportBatchItemFailures. */
export type BatchResult = { readonly batchItemFailures: { readonly itemIdentifier: string }[] }

/**
 * Writes down what a batch of stream records means, and does what follows from events. A record that fails does not keep
 * the others from being processed; from the first failed one on all are delivered again. That does no harm: an event is
 * put only once, and rows are written in the order of the stream each time, so that the newest change of a pool has the
 * last word.
 *
 * @throws ZodError when this is no batch of records; Lambda then takes it for failed as a whole
 */
export async function consume(
  event: unknown,
  requestId: string,
  { table, log, meaningOf, eventSteps }: ConsumerServices,
): Promise<BatchResult> {
  const { Records: records } = StreamEvent.parse(event)
  const failed = new Set<RawRecord>()
  const { events = [], pools = [] } = Object.groupBy(records, (raw) =>
    isEventRecord(raw) ? 'events' : 'pools',
  )
  await Promise.all([
    ...[...byItem(pools).values()].map(processInOrder),
    ...[...byLog(events).values()].map(follow),
  ])
  log(failed.size > 0 ? 'warn' : 'debug', 'records', {
    requestId,
    counts: { records: records.length, failed: failed.size },
  })
  const failures = records.filter((record) => failed.has(record))
  return {
    batchItemFailures: failures.map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })),
  }

  async function processInOrder(ofOneItem: readonly RawRecord[]): Promise<void> {
    for (const raw of ofOneItem) {
      try {
        const record = readPoolRecord(raw)
        await write(table, record, await meaningOf(record))
      } catch (error) {
        fail(raw, error)
      }
    }
  }

  /** The events of one log fail together, because their order counts. */
  async function follow(ofOneLog: readonly RawRecord[]): Promise<void> {
    try {
      const told = ofOneLog.map(readEventRecord)
      for (const step of eventSteps) await step(told, { table, log })
    } catch (error) {
      for (const raw of ofOneLog) fail(raw, error)
    }
  }

  function fail(raw: RawRecord, error: unknown): void {
    failed.add(raw)
    log('error', 'record', { requestId, subject: raw.dynamodb.SequenceNumber }, error)
  }
}

const byLog = (records: readonly RawRecord[]): ReadonlyMap<string, RawRecord[]> =>
  Map.groupBy(records, ({ dynamodb: { Keys } }) => Keys.pk.S)

/** The records of each item, in their order. */
function byItem(records: readonly RawRecord[]): ReadonlyMap<string, RawRecord[]> {
  return Map.groupBy(records, ({ dynamodb: { Keys } }) => `${Keys.pk.S} ${Keys.sk.S}`)
}

async function write(table: Table, { recordId }: PoolRecord, { events, rows }: Meaning): Promise<void> {
  const told = events.map((event, place): RowWrite => {
    const item = eventItem({ ...event, id: recordedEventId(event.at, recordId, place) })
    return putOnce(item)
  })
  const [first = [], ...others] = rows
  for (const step of [[...told, ...first], ...others])
    await Promise.all(step.map((write) => writeRow(table, write)))
}
