import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { bootLocal, type LocalStack } from '../../../infra/local/boot.ts'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { makeAssembly, templateWith } from './small-stack.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const { folder, options, remove } = await makeAssembly()
afterAll(remove)

const received = join(folder, 'received.txt')

/** Notes the keys it gets, and reports those that begin with `bad`. */
const CONSUMER = `
import { appendFileSync } from 'node:fs'
export const handler = async ({ Records }) => {
  const names = Records.map(({ dynamodb }) => dynamodb.Keys.pk.S)
  appendFileSync(process.env.RECEIVED, names.map((name) => name + '\\n').join(''))
  const failed = Records.filter(({ dynamodb }) => dynamodb.Keys.pk.S.startsWith('bad'))
  return { batchItemFailures: failed.map(({ dynamodb }) => ({ itemIdentifier: dynamodb.SequenceNumber })) }
}
`
mkdirSync(join(options.assemblyDir, 'asset.consumer'))
writeFileSync(join(options.assemblyDir, 'asset.consumer', 'index.mjs'), CONSUMER)

const consumer = {
  Type: 'AWS::Lambda::Function',
  Metadata: { 'aws:asset:path': 'asset.consumer' },
  Properties: {
    Code: { S3Key: 'consumer.zip' },
    Handler: 'index.handler',
    Environment: { Variables: { RECEIVED: received } },
  },
}

/** As CDK writes it. */
const mapping = (changes: Record<string, unknown> = {}) => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: {
    EventSourceArn: { 'Fn::GetAtt': ['Table', 'StreamArn'] },
    FunctionName: { Ref: 'Consumer' },
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 1,
    ParallelizationFactor: 10,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 1,
    MaximumRecordAgeInSeconds: 43_200,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    FilterCriteria: {
      Filters: [
        {
          Pattern: JSON.stringify({
            dynamodb: { NewImage: { last: { M: { op: { S: [{ exists: true }] } } } } },
          }),
        },
      ],
    },
    DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] } } },
    ...changes,
  },
})

const own = {
  ...options,
  folder: join(folder, 'streams'),
  template: templateWith({ Consumer: consumer, Mapping: mapping() }),
}
let stack: LocalStack | undefined

beforeEach(() => appendFileSync(received, ''))
afterEach(() => stack?.close())

async function write(to: LocalStack, ...names: string[]) {
  for (const name of names) {
    const Item = { pk: { S: name }, ...(!name.startsWith('other') && { last: { M: { op: { S: 'out' } } } }) }
    await callDynamoDb(to.endpoints.dynamodb, 'PutItem', { TableName: to.tableName(), Item })
  }
}

const names = () => readFileSync(received, 'utf8').trim().split('\n')

test('a mapping of the template feeds its function, over restarts, and gives up what always fails', async () => {
  stack = await bootLocal(own)
  expect(stack.unsupported.join()).not.toContain('Mapping')
  await write(stack, 'a', 'other', 'bad', 'b')
  await stack.streamsCaughtUp()
  expect(names().slice(0, 1)).toEqual(['a'])
  expect(
    names()
      .filter((name) => name !== 'bad')
      .at(-1),
  ).toBe('b')
  expect(names()).not.toContain('other')
  const letters = readFileSync(join(own.folder, 'dead-letters.jsonl'), 'utf8').trim().split('\n')
  expect(letters.map((letter) => JSON.parse(letter))).toMatchObject([
    {
      queue: 'latchkey-DeadLetters',
      function: 'latchkey-Consumer',
      attempts: 2,
      DDBStreamBatchInfo: { batchSize: 1 },
    },
  ])

  await stack.close()
  const before = names()
  // Written while nothing was there to read it.
  const without = templateWith({ Consumer: consumer, Mapping: mapping({ Enabled: false }) })
  stack = await bootLocal({ ...own, template: without })
  await write(stack, 'c')
  await stack.streamsCaughtUp()
  await stack.close()
  expect(names()).toEqual(before)

  stack = await bootLocal(own)
  await write(stack, 'd')
  await stack.streamsCaughtUp()
  expect(names()).toEqual([...before, 'c', 'd'])
  await stack.close()
  await expect(stack.streamsCaughtUp()).rejects.toThrow('The local stack is closed')
})

test.each([
  [{ EventSourceArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/s' }, 'source arn:aws:kinesis'],
  [{ FunctionName: 'nobody' }, 'function nobody'],
  [{ StartingPosition: 'LATEST' }, 'starting position LATEST'],
  [
    { FilterCriteria: { Filters: [{ Pattern: '{"eventName":[{"anything-but":["REMOVE"]}]}' }] } },
    'a comparison of its filter',
  ],
])('a mapping with %j is named as not supported', async (changes, why) => {
  const template = templateWith({ Consumer: consumer, Mapping: mapping(changes) })
  stack = await bootLocal({ ...own, folder: join(folder, 'unsupported'), inMemory: true, template })
  expect(stack.unsupported).toContainEqual(
    expect.stringContaining(`AWS::Lambda::EventSourceMapping (Mapping), ${why}`),
  )
})
