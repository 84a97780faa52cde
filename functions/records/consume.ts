import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb'
import type { Event } from '../../shared/domain/event.ts'
import type { Log } from '../../shared/platform/log.ts'
import type { Item } from '../../shared/store/codec.ts'
import { eventItem } from '../../shared/store/event.ts'
import type { Key } from '../../shared/store/keys.ts'
import { isConditionFailed, type Table } from '../../shared/store/transact.ts'
import { recordedEventId } from './event-id.ts'
import { type PoolRecord, readPoolRecord } from './pool-record.ts'
import { type RawRecord, StreamEvent } from './stream-event.ts'

/** An event as the change tells it; its id comes from the record. */
export type ToldEvent = Omit<Event, 'id'>

/** What a change of a pool means: pure, so that a record delivered twice means the same twice. */
export type Meaning = {
  readonly events: readonly ToldEvent[]
  readonly put: readonly Item[]
  readonly remove: readonly Key[]
}

export type ConsumerServices = {
  readonly table: Table
  readonly log: Log
  readonly meaningOf: (record: PoolRecord) => Meaning
}

/** Which records have to be delivered again, as Lambda wants it of a function with ReportBatchItemFailures. */
export type BatchResult = { readonly batchItemFailures: { readonly itemIdentifier: string }[] }

/**
 * Writes down what a batch of stream records means. A record that fails does not keep the others from being processed;
 * from the first failed one on all are delivered again. That does no harm: an event is put only once, and rows are
 * written in the order of the stream each time, so that the newest change of a pool has the last word.
 *
 * @throws ZodError when this is no batch of records; Lambda then takes it for failed as a whole
 */
export async function consume(
  event: unknown,
  requestId: string,
  { table, log, meaningOf }: ConsumerServices,
): Promise<BatchResult> {
  const { Records: records } = StreamEvent.parse(event)
  const failed = new Set<RawRecord>()
  await Promise.all([...byItem(records).values()].map(processInOrder))
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
        await write(table, record, meaningOf(record))
      } catch (error) {
        failed.add(raw)
        log('error', 'record', { requestId, subject: raw.dynamodb.SequenceNumber }, error)
      }
    }
  }
}

/** The records of each item, in their order. */
function byItem(records: readonly RawRecord[]): ReadonlyMap<string, RawRecord[]> {
  return Map.groupBy(records, ({ dynamodb: { Keys } }) => `${Keys.pk.S} ${Keys.sk.S}`)
}

async function write(
  { client, name: TableName }: Table,
  { recordId }: PoolRecord,
  { events, put, remove }: Meaning,
): Promise<void> {
  const stored = events.map((event, place) =>
    eventItem({ ...event, id: recordedEventId(event.at, recordId, place) }),
  )
  await Promise.all([
    ...stored.map((Item) =>
      client
        .send(new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }))
        .catch(ignoreTwin),
    ),
    ...put.map((Item) => client.send(new PutCommand({ TableName, Item }))),
    ...remove.map((Key) => client.send(new DeleteCommand({ TableName, Key }))),
  ])
}

/** The record was delivered before. */
function ignoreTwin(error: unknown): void {
  if (!isConditionFailed(error)) throw error
}
