import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DynamoDbError } from '../../../infra/local/dynamodb-wire.ts'
import { Checkpoints } from '../../../infra/local/streams/checkpoints.ts'
import { type StreamMapping, StreamPoller } from '../../../infra/local/streams/poller.ts'

// DynamoDB Local closes a shard every few hours, too seldom for a test: this is a stream of which a test can say when.

type FakeShard = { id: string; parent?: string; names: string[]; isClosed?: boolean }

let folder: string
let shards: FakeShard[]
let delivered: string[]
let poller: StreamPoller
/** What the next read fails with. */
let outage: Error | undefined
let printed: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-shards-'))
  shards = []
  delivered = []
  printed = []
  outage = undefined
})
afterEach(async () => {
  await poller.close()
  rmSync(folder, { recursive: true })
})

/** An iterator is a shard and how many of its records come before. A sequence number is the record's name. */
const stream: StreamMapping['stream'] = {
  arn: 'arn:stream',
  shards: async () => shards.map(({ id, parent }) => ({ id, parent })),
  async iteratorAfter(id, name) {
    return `${id} ${shard(id).names.indexOf(name ?? '') + 1}`
  },
  async read(iterator) {
    const failure = outage
    outage = undefined
    if (failure) throw failure
    const [id = '', from] = iterator.split(' ')
    const { names, isClosed } = shard(id)
    const records = names.slice(Number(from)).map((name) => ({ dynamodb: { SequenceNumber: name } }))
    return { records, next: isClosed ? undefined : `${id} ${names.length}` }
  },
}

function shard(id: string): FakeShard {
  const found = shards.find((one) => one.id === id)
  if (found === undefined) throw new DynamoDbError('ResourceNotFoundException', `no shard ${id}`)
  return found
}

function start() {
  const mapping: StreamMapping = {
    name: 'Mapping',
    stream,
    batchSize: 1,
    filters: [],
    maximumRetryAttempts: 0,
    bisect: false,
    reportsFailures: false,
    deadLetterQueue: undefined,
    functionName: 'consumer',
    async invoke(event) {
      delivered.push(JSON.parse(event).Records[0].dynamodb.SequenceNumber)
      return 'null'
    },
  }
  poller = new StreamPoller(mapping, new Checkpoints(folder), folder, (line) => printed.push(line))
  poller.start()
  return poller
}

test('a shard is read after the one it goes on from, whatever the order they are listed in', async () => {
  shards = [
    { id: 'grandchild', parent: 'child', names: ['e'] },
    { id: 'child', parent: 'root', names: ['c', 'd'], isClosed: true },
    { id: 'root', parent: 'forgotten', names: ['a', 'b'], isClosed: true },
  ]
  await start().caughtUp()
  expect(delivered).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a shard that is closed while it is read is followed by its child, also beside another that stays open', async () => {
  const root: FakeShard = { id: 'root', names: ['a'] }
  shards = [root, { id: 'other', names: ['x'] }]
  await start().caughtUp()
  root.names.push('b')
  root.isClosed = true
  shards.push({ id: 'child', parent: 'root', names: ['c'] })
  await poller.caughtUp()
  expect(delivered).toEqual(['a', 'x', 'b', 'c'])
})

test('a stream that cannot be read for a while is read again from the last record that was dealt with', async () => {
  shards = [{ id: 'root', names: ['a'] }]
  await start().caughtUp()
  shards[0]?.names.push('b')
  outage = new DynamoDbError('ExpiredIteratorException', 'the iterator is too old')
  await poller.caughtUp()
  expect(delivered).toEqual(['a', 'b'])
  expect(printed).toEqual(['The stream for consumer cannot be read: the iterator is too old'])
})

test('another start knows how far it came in each shard', async () => {
  shards = [
    { id: 'root', names: ['a'], isClosed: true },
    { id: 'child', parent: 'root', names: ['b'] },
  ]
  await start().caughtUp()
  await poller.close()
  shards[1]?.names.push('c')
  await start().caughtUp()
  expect(delivered).toEqual(['a', 'b', 'c'])
})
