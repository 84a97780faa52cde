import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import { bootLocal, type LocalStack } from '../../../infra/local/boot.ts'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { makeAssembly, templateWith } from './small-stack.ts'

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

/** Each with what it asks for that is not to be had here. */
const UNSUPPORTED = {
  Kinesis: [
    { EventSourceArn: 'arn:aws:kinesis:us-east-1:1:stream/s' },
    'source arn:aws:kinesis:us-east-1:1:stream/s',
  ],
  Nobody: [{ FunctionName: 'nobody' }, 'function nobody'],
  Latest: [{ StartingPosition: 'LATEST' }, 'starting position LATEST'],
  Comparing: [
    { FilterCriteria: { Filters: [{ Pattern: '{"eventName":[{"anything-but":["REMOVE"]}]}' }] } },
    'a comparison of its filter',
  ],
} as const

const own = {
  ...options,
  folder: join(folder, 'streams'),
  template: templateWith({
    Consumer: consumer,
    Mapping: mapping(),
    Disabled: mapping({ Enabled: false }),
    ...Object.fromEntries(Object.entries(UNSUPPORTED).map(([name, [changes]]) => [name, mapping(changes)])),
  }),
}
let stack: LocalStack | undefined

afterEach(() => stack?.close())

async function write(to: LocalStack, ...names: string[]) {
  for (const name of names) {
    const Item = { pk: { S: name }, ...(!name.startsWith('other') && { last: { M: { op: { S: 'out' } } } }) }
    await callDynamoDb(to.endpoints.dynamodb, 'PutItem', { TableName: to.tableName(), Item })
  }
}

const names = () => readFileSync(received, 'utf8').trim().split('\n')

test('a mapping of the template feeds its function, over a restart, and gives up what always fails', async () => {
  stack = await bootLocal(own)
  await write(stack, 'a', 'other', 'bad', 'b')
  await stack.streamsCaughtUp()
  // What came together with what fails may come again.
  expect(names()[0]).toBe('a')
  expect(new Set(names())).toEqual(new Set(['a', 'bad', 'b']))
  const letters = readFileSync(join(own.folder, 'dead-letters.jsonl'), 'utf8').trim().split('\n')
  expect(letters.map((letter) => JSON.parse(letter))).toMatchObject([
    {
      queue: 'latchkey-DeadLetters',
      function: 'latchkey-Consumer',
      attempts: 2,
      DDBStreamBatchInfo: { batchSize: 1 },
    },
  ])
  expect(
    stack.unsupported.filter((line) => line.startsWith('AWS::Lambda::EventSourceMapping')).sort(),
  ).toEqual(
    Object.entries(UNSUPPORTED)
      .map(([name, [, why]]) => `AWS::Lambda::EventSourceMapping (${name}), ${why}`)
      .sort(),
  )

  await stack.close()
  await expect(stack.streamsCaughtUp()).rejects.toThrow('The local stack is closed')
  const before = names()
  stack = await bootLocal(own)
  await write(stack, 'c')
  await stack.streamsCaughtUp()
  expect(names()).toEqual([...before, 'c'])
})
