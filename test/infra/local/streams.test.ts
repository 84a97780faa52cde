import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { LocalStackError } from '../../../infra/local/errors.ts'
import { Checkpoints } from '../../../infra/local/streams/checkpoints.ts'
import { type StreamMapping, StreamPoller } from '../../../infra/local/streams/poller.ts'
import { TableStream } from '../../../infra/local/streams/records.ts'
import { createTestTable } from '../../support/dynamodb.ts'

const endpoint = inject('dynamodbEndpoint')
const folders = mkdtempSync(join(tmpdir(), 'latchkey-streams-'))
afterAll(() => rmSync(folders, { recursive: true }))

/** What the function behind the stream does with a batch of names; the names that failed, or an error. */
type Behavior = (names: readonly string[]) => readonly string[]

const Batch = z.object({
  Records: z.array(
    z.looseObject({
      dynamodb: z.looseObject({
        Keys: z.object({ sk: z.object({ S: z.string() }) }),
        SequenceNumber: z.string(),
      }),
    }),
  ),
})
const Described = z.object({ Table: z.object({ LatestStreamArn: z.string() }) })

let folder: string
let tableName: string
let streamArn: string
/** The names in each batch that came, and the events they came in. */
let batches: string[][]
let events: unknown[]
let pollers: StreamPoller[]

beforeEach(async () => {
  folder = mkdtempSync(join(folders, 'data-'))
  pollers = []
  batches = []
  events = []
  await newTable()
})
afterEach(() => Promise.all(pollers.map((poller) => poller.close())))

async function newTable() {
  tableName = await createTestTable(endpoint, { stream: true })
  const described = await callDynamoDb(endpoint, 'DescribeTable', { TableName: tableName })
  streamArn = Described.parse(described).Table.LatestStreamArn
}

async function write(...names: string[]) {
  for (const name of names) {
    const Item = {
      pk: { S: 'things' },
      sk: { S: name },
      kind: { S: name.startsWith('x') ? 'other' : 'thing' },
    }
    await callDynamoDb(endpoint, 'PutItem', { TableName: tableName, Item })
  }
}

/** A poller over the folder's checkpoints: another start of the stack. */
function start(behavior: Behavior = () => [], changes: Partial<StreamMapping> = {}): StreamPoller {
  const mapping: StreamMapping = {
    name: 'Mapping',
    stream: new TableStream(endpoint, streamArn),
    batchSize: 100,
    filters: [{ dynamodb: { NewImage: { kind: { S: ['thing'] } } } }],
    maximumRetryAttempts: 1,
    bisect: true,
    reportsFailures: true,
    deadLetterQueue: 'dead-letters',
    functionName: 'consumer',
    invoke: async (text) => {
      const event: unknown = JSON.parse(text)
      const { Records } = Batch.parse(event)
      const names = Records.map(({ dynamodb }) => dynamodb.Keys.sk.S)
      batches.push(names)
      events.push(event)
      const failed = behavior(names)
      const failures = Records.filter(({ dynamodb }) => failed.includes(dynamodb.Keys.sk.S))
      return JSON.stringify({
        batchItemFailures: failures.map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })),
      })
    },
    ...changes,
  }
  const poller = new StreamPoller(mapping, new Checkpoints(folder), folder, () => undefined)
  pollers.push(poller)
  poller.start()
  return poller
}

const deadLetters = (): unknown[] => {
  const file = join(folder, 'dead-letters.jsonl')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line))
}

const always =
  (...failing: string[]): Behavior =>
  (names) =>
    names.filter((name) => failing.includes(name))

/** Fails as it says, batch by batch, and then no more. */
const inTurn = (...turns: string[][]): Behavior => {
  let turn = 0
  return () => turns[turn++] ?? []
}

describe('the records of a stream', () => {
  test('come in order, in the form Lambda gives them, and only those that the filter lets through', async () => {
    await write('a', 'x1', 'b', 'x2')
    await start().caughtUp()

    expect(batches.flat()).toEqual(['a', 'b'])
    expect(events[0]).toMatchObject({
      Records: [
        {
          eventID: expect.stringMatching(/.{8,}/),
          eventName: 'INSERT',
          eventVersion: expect.any(String),
          eventSource: 'aws:dynamodb',
          awsRegion: 'us-east-1',
          eventSourceARN: streamArn,
          dynamodb: {
            ApproximateCreationDateTime: expect.any(Number),
            Keys: { pk: { S: 'things' }, sk: { S: 'a' } },
            NewImage: { pk: { S: 'things' }, sk: { S: 'a' }, kind: { S: 'thing' } },
            SequenceNumber: expect.stringMatching(/^\d{21,}$/),
            SizeBytes: expect.any(Number),
            StreamViewType: 'NEW_AND_OLD_IMAGES',
          },
        },
        {},
      ],
    })
  })

  test('come with what was there before, and again when something is removed', async () => {
    await write('a')
    const key = { pk: { S: 'things' }, sk: { S: 'a' } }
    await callDynamoDb(endpoint, 'PutItem', { TableName: tableName, Item: { ...key, n: { N: '2' } } })
    await callDynamoDb(endpoint, 'DeleteItem', { TableName: tableName, Key: key })
    await start(undefined, { filters: [] }).caughtUp()

    const images = z
      .object({ Records: z.array(z.object({ eventName: z.string(), dynamodb: z.looseObject({}) })) })
      .array()
      .parse(events)
      .flatMap(({ Records }) => Records)
    expect(images).toMatchObject([
      { eventName: 'INSERT' },
      { eventName: 'MODIFY', dynamodb: { OldImage: { kind: { S: 'thing' } }, NewImage: { n: { N: '2' } } } },
      { eventName: 'REMOVE', dynamodb: { OldImage: { n: { N: '2' } } } },
    ])
    expect(images[2]?.dynamodb).not.toHaveProperty('NewImage')
  })

  test('come in batches of the size of the mapping', async () => {
    await write('a', 'b', 'c')
    await start(undefined, { batchSize: 2 }).caughtUp()
    expect(batches).toEqual([['a', 'b'], ['c']])
  })

  test('that are written while it runs come too', async () => {
    const poller = start()
    await poller.caughtUp()
    await write('a')
    await poller.caughtUp()
    await write('b')
    await poller.caughtUp()
    expect(batches.flat()).toEqual(['a', 'b'])
  })
})

describe('a failure', () => {
  test('of a part: from the first failed record on all are delivered again', async () => {
    await write('a', 'b', 'c', 'd')
    await start(inTurn(['b', 'd'])).caughtUp()

    expect(batches).toEqual([
      ['a', 'b', 'c', 'd'],
      ['b', 'c', 'd'],
    ])
    expect(deadLetters()).toEqual([])
  })

  test('of one record for ever: it is found, repeated, given up, and holds up nothing else', async () => {
    await write('a', 'b', 'bad', 'c', 'd')
    await start(always('bad')).caughtUp()

    expect(batches).toEqual([
      ['a', 'b', 'bad', 'c', 'd'],
      ['bad', 'c', 'd'],
      ['bad', 'c'],
      ['bad'],
      ['bad'],
      ['c'],
      ['d'],
    ])
    const number = z.string().regex(/^\d{21,}$/)
    const BatchInfo = z.object({ startSequenceNumber: number, endSequenceNumber: number })
    const [letter] = z.array(z.looseObject({ DDBStreamBatchInfo: BatchInfo })).parse(deadLetters())
    expect(deadLetters()).toEqual([
      {
        at: expect.any(String),
        queue: 'dead-letters',
        function: 'consumer',
        attempts: 2,
        error: `The function reports that it cannot process ${letter?.DDBStreamBatchInfo.startSequenceNumber}`,
        DDBStreamBatchInfo: {
          shardId: expect.stringMatching(/^shardId-/),
          startSequenceNumber: letter?.DDBStreamBatchInfo.endSequenceNumber,
          endSequenceNumber: letter?.DDBStreamBatchInfo.startSequenceNumber,
          batchSize: 1,
          streamArn,
        },
      },
    ])
  })

  test('of the function itself: the batch is split until the record is alone', async () => {
    await write('a', 'bad', 'b')
    const behavior: Behavior = (names) => {
      if (names.includes('bad')) throw new Error('crashed')
      return []
    }
    await start(behavior).caughtUp()

    expect(batches).toEqual([['a', 'bad', 'b'], ['a', 'bad'], ['a'], ['bad'], ['bad'], ['b']])
    expect(deadLetters()).toMatchObject([{ attempts: 2, error: 'crashed' }])
  })

  test('without splitting: the whole batch is given up', async () => {
    await write('a', 'bad', 'b')
    const behavior: Behavior = () => {
      throw new Error('crashed')
    }
    await start(behavior, { bisect: false }).caughtUp()

    expect(batches).toEqual([
      ['a', 'bad', 'b'],
      ['a', 'bad', 'b'],
    ])
    expect(deadLetters()).toMatchObject([{ DDBStreamBatchInfo: { batchSize: 3 } }])
  })

  test.each([
    ['is no list', '{"batchItemFailures":7}'],
    ['names nobody', '{"batchItemFailures":[{"itemIdentifier":""}]}'],
    ['names a stranger', '{"batchItemFailures":[{"itemIdentifier":"1"}]}'],
  ])('is what an answer means that %s', async (_, answer) => {
    await write('a')
    await start(undefined, { invoke: async () => answer, maximumRetryAttempts: 0 }).caughtUp()
    expect(deadLetters()).toMatchObject([{ attempts: 1 }])
  })

  test.each(['null', '{}', '{"batchItemFailures":null}', '{"batchItemFailures":[]}'])(
    'is not what the answer %s means',
    async (answer) => {
      await write('a')
      await start(undefined, { invoke: async () => answer, maximumRetryAttempts: 0 }).caughtUp()
      expect(deadLetters()).toEqual([])
    },
  )

  test('is not looked for in the answer of a function that does not report them', async () => {
    await write('a', 'b')
    await start(always('a'), { reportsFailures: false }).caughtUp()
    expect(batches).toEqual([['a', 'b']])
  })
})

describe('another start', () => {
  test('goes on where the last one stopped', async () => {
    await write('a', 'x1')
    const first = start()
    await first.caughtUp()
    await first.close()
    await write('b', 'c')

    const second = start()
    await second.caughtUp()
    await second.close()
    await start().caughtUp()

    expect(batches).toEqual([['a'], ['b', 'c']])
  })

  test('in the middle of a batch that keeps failing goes on with the record that failed', async () => {
    await write('a', 'b', 'c')
    const failed = Promise.withResolvers<void>()
    const first = start(
      (names) => {
        if (names[0] === 'b') failed.resolve()
        return ['b']
      },
      { maximumRetryAttempts: Number.POSITIVE_INFINITY, bisect: false },
    )
    await failed.promise
    await first.close()
    batches = []

    await start().caughtUp()

    expect(batches).toEqual([['b', 'c']])
    expect(deadLetters()).toEqual([])
  })

  test('after a crash before its progress was written down delivers again what it had: nothing is lost', async () => {
    await write('a')
    const first = start()
    await first.caughtUp()
    const saved = join(folder, 'streams.json')
    cpSync(saved, `${saved}.before`)
    await write('b')
    await first.caughtUp()
    await first.close()
    cpSync(`${saved}.before`, saved)

    await start().caughtUp()

    expect(batches).toEqual([['a'], ['b'], ['b']])
    const [, once, twice] = events
    expect(twice).toEqual(once)
  })

  test('over a table that was made anew begins with its first record', async () => {
    await write('a', 'b')
    const first = start()
    await first.caughtUp()
    await first.close()
    await newTable()
    await write('c')

    await start().caughtUp()

    expect(batches).toEqual([['a', 'b'], ['c']])
    // What is known of a stream that is no more is forgotten.
    expect(Object.keys(savedOf('Mapping'))).toEqual([expect.stringContaining(streamArn)])
  })

  test('over a damaged checkpoint is one sentence', () => {
    writeFileSync(join(folder, 'streams.json'), '{"Mapping":')
    expect(() => new Checkpoints(folder)).toThrow(LocalStackError)
    expect(() => new Checkpoints(folder)).toThrow(/streams\.json is damaged and cannot be read: delete it, /)
  })
})

const savedOf = (mapping: string) =>
  z
    .record(z.string(), z.record(z.string(), z.string()))
    .parse(JSON.parse(readFileSync(join(folder, 'streams.json'), 'utf8')))[mapping] ?? {}
