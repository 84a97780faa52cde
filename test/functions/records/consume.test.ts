import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import { beforeEach, describe, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { type ConsumerServices, consume, type Meaning } from '../../../functions/records/consume.ts'
import { type EventStep, independently } from '../../../functions/records/event-steps.ts'
import type { PoolRecord } from '../../../functions/records/pool-record.ts'
import { decodeEntry } from '../../../shared/domain/lease-entry.ts'
import { newEventId, newProductId, newTenantId, type TenantId } from '../../../shared/platform/ids.ts'
import { Instant } from '../../../shared/platform/time.ts'
import type { Item } from '../../../shared/store/codec.ts'
import { eventEntity, eventItem } from '../../../shared/store/event.ts'
import { eventLog, poolKey } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import type { Table } from '../../../shared/store/transact.ts'
import { clientSettings, createTestTable } from '../../support/dynamodb.ts'

const at = Instant.parse('2026-11-21T10:00:00.000Z')
const tenantId = newTenantId(at)
const productId = newProductId(at)

let client: DynamoDBDocumentClient
let table: Table
/** What the function logged about single records. */
let logged: string[]

beforeEach(async () => {
  const endpoint = inject('dynamodbEndpoint')
  client = DynamoDBDocumentClient.from(new DynamoDBClient({ ...clientSettings(endpoint), maxAttempts: 1 }))
  table = { client, name: await createTestTable(endpoint) }
  logged = []
})

/** A meaning that is easy to see: an event that says how many units are used, and a row with the same. */
const usedNow = ({ address, before, after }: PoolRecord): Meaning => ({
  events: [
    {
      type: 'pool.shared-out',
      at,
      tenantId: address.tenantId,
      actor: { kind: 'system', subject: 'test' },
      subject: { type: 'pool', id: address.metric },
      ...(before && { before: { used: before.used } }),
      after: { used: after.used },
      requestId: 'test',
    },
  ],
  rows: [
    [
      after.used > 0
        ? { kind: 'put', item: { ...rowKey(address.metric), used: after.used } }
        : { kind: 'remove', key: rowKey(address.metric) },
    ],
  ],
})
const rowKey = (metric: string) => ({ pk: 'rows', sk: metric })

function run(records: unknown[], changes: Partial<ConsumerServices> = {}) {
  const log: ConsumerServices['log'] = (level, _message, { subject }) => {
    if (level === 'error' && subject !== undefined) logged.push(subject)
  }
  return consume({ Records: records }, 'request-1', {
    table,
    log,
    meaningOf: usedNow,
    eventSteps: [],
    ...changes,
  })
}

/** A record as Lambda hands it over: numbers as text, bytes as base64. */
function record(number: number, metric: string, used: unknown, before?: number) {
  const image = (units: unknown) =>
    attributes({ ...poolKey(tenantId, productId, metric), used: units, fence: 3 })
  return {
    eventID: `record-${number}`,
    eventName: before === undefined ? 'INSERT' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: 'us-east-1',
    eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s',
    dynamodb: {
      ApproximateCreationDateTime: 1_795_255_200,
      Keys: attributes(poolKey(tenantId, productId, metric)),
      NewImage: image(used),
      ...(before !== undefined && { OldImage: image(before) }),
      SequenceNumber: sequenceNumber(number),
      SizeBytes: 100,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  }
}
const sequenceNumber = (number: number) => String(number).padStart(21, '0')
const attributes = (item: Record<string, unknown>): unknown => JSON.parse(JSON.stringify(marshall(item)))

const failed = (...numbers: number[]) => ({
  batchItemFailures: numbers.map((number) => ({ itemIdentifier: sequenceNumber(number) })),
})

async function events() {
  const items = await readRange(table, { pk: eventLog(tenantId) })
  return items
    .map(eventEntity.decode)
    .map(({ subject, before, after }) => `${subject.id}: ${before?.['used']} → ${after?.['used']}`)
}

const rows = async () =>
  Object.fromEntries((await readRange(table, { pk: 'rows' })).map(({ sk, used }) => [String(sk), used]))

describe('a batch of stream records', () => {
  test('becomes the events and rows that its changes mean', async () => {
    expect(await run([record(1, 'users', 1), record(2, 'seats', 4, 5), record(3, 'users', 2, 1)])).toEqual(
      failed(),
    )

    expect((await events()).sort()).toEqual(['seats: 5 → 4', 'users: 1 → 2', 'users: undefined → 1'])
    expect(await rows()).toEqual({ users: 2, seats: 4 })
  })

  test('delivered again changes nothing: asking twice is asking once', async () => {
    const batch = [record(1, 'users', 1), record(2, 'users', 0, 1)]
    await run(batch)
    const before = await readRange(table, { pk: eventLog(tenantId) })

    expect(await run(batch)).toEqual(failed())
    expect(await Promise.all([run(batch), run(batch)])).toEqual([failed(), failed()])

    expect(before).toHaveLength(2)
    expect(await readRange(table, { pk: eventLog(tenantId) })).toEqual(before)
    expect(await rows()).toEqual({})
  })

  test('that is none fails as a whole', async () => {
    await expect(run([{ dynamodb: {} }])).rejects.toThrow()
    await expect(
      consume({}, 'request-1', { table, log: () => undefined, meaningOf: usedNow, eventSteps: [] }),
    ).rejects.toThrow()
  })

  test('may be empty', async () => {
    expect(await run([])).toEqual(failed())
  })
})

describe('a record that cannot be processed', () => {
  test.each([
    ['its image is not that of a pool', record(2, 'users', 'many', 1)],
    [
      'it has no image',
      { ...record(2, 'users', 1), dynamodb: { ...record(2, 'users', 1).dynamodb, NewImage: undefined } },
    ],
    [
      'its key is not that of a pool',
      {
        ...record(2, 'users', 1),
        dynamodb: {
          ...record(2, 'users', 1).dynamodb,
          Keys: attributes({ pk: `T#${tenantId}`, sk: 'TENANT' }),
        },
      },
    ],
  ])('because %s is reported and logged by its number, and all others are processed', async (_, poison) => {
    const outcome = await run([
      record(1, 'users', 1),
      poison,
      record(3, 'users', 3, 2),
      record(4, 'seats', 1),
    ])

    expect(outcome).toEqual(failed(2))
    expect(logged).toEqual([sequenceNumber(2)])
    expect((await events()).sort()).toEqual(['seats: undefined → 1', 'users: 2 → 3', 'users: undefined → 1'])
  })

  test('for now is processed when it is delivered again with all that came after, and the newest has the last word', async () => {
    // The connection breaks at the first write of a row with two units, after others went through.
    let isDown = true
    client.middlewareStack.add(
      (next) => async (args) => {
        if (isDown && JSON.stringify(args.input).includes('"used":2}}')) throw new Error('connection lost')
        return next(args)
      },
      { step: 'initialize', name: 'outage' },
    )
    const batch = [record(1, 'users', 1), record(2, 'users', 2, 1), record(3, 'users', 0, 2)]

    expect(await run(batch)).toEqual(failed(2))
    isDown = false
    expect(await run(batch.slice(1))).toEqual(failed())

    expect((await events()).sort()).toEqual(['users: 1 → 2', 'users: 2 → 0', 'users: undefined → 1'])
    expect(await rows()).toEqual({})
  })

  test('because the table does not answer is reported with all others', async () => {
    const gone = { client, name: 'no-such-table' }
    expect(await run([record(1, 'users', 1), record(2, 'seats', 1)], { table: gone })).toEqual(failed(1, 2))
  })
})

test('what a step is made from is taken away only once the step is made', async () => {
  const meaningOf = (): Meaning => ({
    events: [],
    rows: [
      [{ kind: 'put', item: { pk: 'a row without a sort key' } }],
      [{ kind: 'remove', key: rowKey('users') }],
    ],
  })
  await run([record(1, 'users', 1)])
  expect(await run([record(2, 'users', 2, 1)], { meaningOf })).toEqual(failed(2))
  expect(await rows()).toEqual({ users: 1 })
})

test('bytes reach the pool as bytes', async () => {
  const seen: PoolRecord[] = []
  const entry = new Uint8Array([105, 0, 0, 100, 0, 2, 88, 0, 7])
  const withLease = record(1, 'users', 1)
  const NewImage = {
    ...z.record(z.string(), z.unknown()).parse(withLease.dynamodb.NewImage),
    abcdefgh: { B: Buffer.from(entry).toString('base64') },
  }

  const meaningOf = (read: PoolRecord) => {
    seen.push(read)
    return { events: [], rows: [] }
  }
  await run([{ ...withLease, dynamodb: { ...withLease.dynamodb, NewImage } }], { meaningOf })

  expect(seen).toMatchObject([
    {
      recordId: 'record-1',
      address: { tenantId, productId, metric: 'users' },
      recordedAt: at,
      before: undefined,
    },
  ])
  expect(seen[0]?.after.entries).toEqual(new Map([['abcdefgh', decodeEntry(entry)]]))
})

describe('events', () => {
  const other = newTenantId(at)
  const told = (tenant: TenantId) =>
    eventItem({
      id: newEventId(at),
      type: 'pool.changed',
      at,
      tenantId: tenant,
      actor: { kind: 'system', subject: 'test' },
      subject: { type: 'pool', id: 'users' },
      requestId: 'test',
    })
  function eventRecord(number: number, { pk, sk, ...rest }: Item) {
    const row = record(number, 'users', 1)
    const image = { Keys: attributes({ pk, sk }), NewImage: attributes({ pk, sk, ...rest }) }
    return { ...row, dynamodb: { ...row.dynamodb, ...image } }
  }

  test('reach every step, log by log, in the order of the stream', async () => {
    const rows = [told(tenantId), told(other), told(tenantId)]
    const seen: string[][] = []
    const step: EventStep = async (events) => void seen.push(events.map(({ id }) => id))
    const records = rows.map((row, index) => eventRecord(index + 1, row))

    expect(await run(records, { eventSteps: [step, step] })).toEqual(failed())
    const [first, second, third] = rows.map(({ id }) => String(id))
    expect(seen.map((ids) => ids.join()).toSorted()).toEqual(
      [`${first},${third}`, `${first},${third}`, `${second}`, `${second}`].toSorted(),
    )
  })

  test('of a log whose step fails are delivered again, and keep no others waiting', async () => {
    const step: EventStep = async ([first]) => {
      if (first?.tenantId === other) throw new Error('not today')
    }
    const records = [eventRecord(1, told(tenantId)), eventRecord(2, told(other)), record(3, 'users', 1)]

    expect(await run(records, { eventSteps: [step] })).toEqual(failed(2))
    expect(await rows()).toEqual({ users: 1 })
    expect(logged).toEqual([sequenceNumber(2)])
  })

  test('are followed by each step, whatever becomes of the others, and delivered again if one failed', async () => {
    const row = told(tenantId)
    const seen: string[] = []
    const good: EventStep = async ([event]) => void seen.push(String(event?.id))
    const bad: EventStep = async () => Promise.reject(new Error('not now'))
    const eventSteps = [independently(bad, good, bad), good]
    expect(await run([eventRecord(1, row)], { eventSteps })).toEqual(failed(1))
    expect(seen).toEqual([row['id']])
  })
})
