import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import { callDynamoDb, DynamoDbError } from '../dynamodb-wire.ts'
import { LocalStackError } from '../errors.ts'
import { generatedName, type Handler, propertiesOf, type Site } from './site.ts'

const POLL_MILLISECONDS = 50

const KeySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.string() }))
const Index = z.object({
  IndexName: z.string(),
  KeySchema,
  Projection: z.object({ ProjectionType: z.string(), NonKeyAttributes: z.array(z.string()).optional() }),
})
const TableProperties = z.object({
  TableName: z.string().optional(),
  KeySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.string() })),
  GlobalSecondaryIndexes: z.array(Index).default([]),
  StreamSpecification: z.object({ StreamViewType: z.string() }).optional(),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
})
type TableProperties = z.infer<typeof TableProperties>

const Described = z.object({
  Table: z.object({
    TableArn: z.string(),
    TableStatus: z.string(),
    KeySchema,
    GlobalSecondaryIndexes: z.array(z.object({ ...Index.shape, IndexStatus: z.string() })).default([]),
    StreamSpecification: z.object({ StreamViewType: z.string().optional() }).optional(),
    LatestStreamArn: z.string().optional(),
  }),
})
type Described = z.infer<typeof Described>['Table']

const TimeToLive = z.object({
  TimeToLiveDescription: z.object({
    TimeToLiveStatus: z.string().optional(),
    AttributeName: z.string().optional(),
  }),
})

/** AWS::DynamoDB::Table: made when absent; an existing one gets the indexes, stream and TTL of the template. */
export const table: Handler = async (logicalId, resource, site) => {
  const properties = propertiesOf(TableProperties, logicalId, resource, site)
  const name = properties.TableName ?? generatedName(logicalId)
  const call = (operation: string, request: object) =>
    callDynamoDb(site.endpoints.dynamodb, operation, { TableName: name, ...request })

  const existing = await describe(call)
  if (existing === undefined) await create(call, properties)
  else await bringUpToDate(call, existing, properties, site, name)
  await setTimeToLive(call, properties)

  const current = await untilActive(call)
  site.tables.push(name)
  return {
    ref: name,
    attributes: {
      Arn: current.TableArn,
      ...(current.LatestStreamArn !== undefined && { StreamArn: current.LatestStreamArn }),
    },
  }
}

type Call = (operation: string, request: object) => Promise<unknown>

async function describe(call: Call): Promise<Described | undefined> {
  try {
    return Described.parse(await call('DescribeTable', {})).Table
  } catch (error) {
    if (error instanceof DynamoDbError && error.name === 'ResourceNotFoundException') return undefined
    throw error
  }
}

async function create(call: Call, properties: TableProperties): Promise<void> {
  const { GlobalSecondaryIndexes, StreamSpecification } = properties
  await call('CreateTable', {
    KeySchema: properties.KeySchema,
    AttributeDefinitions: properties.AttributeDefinitions,
    BillingMode: 'PAY_PER_REQUEST',
    ...(GlobalSecondaryIndexes.length > 0 && { GlobalSecondaryIndexes }),
    ...(StreamSpecification && { StreamSpecification: { StreamEnabled: true, ...StreamSpecification } }),
  })
}

async function bringUpToDate(
  call: Call,
  existing: Described,
  wanted: TableProperties,
  site: Site,
  name: string,
): Promise<void> {
  if (!sameKey(existing.KeySchema, wanted.KeySchema)) {
    throw new LocalStackError(
      `The table ${name} in ${site.folder} was made with another key: delete that folder to start afresh.`,
    )
  }
  // DynamoDB changes one index at a time.
  for (const { IndexName, ...index } of existing.GlobalSecondaryIndexes) {
    if (
      wanted.GlobalSecondaryIndexes.some((other) => other.IndexName === IndexName && sameIndex(other, index))
    )
      continue
    await updateIndexes(call, { Delete: { IndexName } })
  }
  const left = (await untilActive(call)).GlobalSecondaryIndexes.map((index) => index.IndexName)
  for (const index of wanted.GlobalSecondaryIndexes) {
    if (left.includes(index.IndexName)) continue
    await updateIndexes(call, { Create: index }, wanted.AttributeDefinitions)
  }
  const stream = wanted.StreamSpecification?.StreamViewType
  if (existing.StreamSpecification?.StreamViewType === stream) return
  if (existing.StreamSpecification?.StreamViewType !== undefined) {
    await call('UpdateTable', { StreamSpecification: { StreamEnabled: false } })
  }
  if (stream === undefined) return
  await call('UpdateTable', { StreamSpecification: { StreamEnabled: true, StreamViewType: stream } })
}

async function updateIndexes(call: Call, update: object, AttributeDefinitions?: object): Promise<void> {
  await call('UpdateTable', {
    GlobalSecondaryIndexUpdates: [update],
    ...(AttributeDefinitions && { AttributeDefinitions }),
  })
  await untilActive(call)
}

async function setTimeToLive(
  call: Call,
  { TimeToLiveSpecification: wanted }: TableProperties,
): Promise<void> {
  if (wanted === undefined) return
  const { TimeToLiveDescription: current } = TimeToLive.parse(await call('DescribeTimeToLive', {}))
  if ((current.TimeToLiveStatus === 'ENABLED') === wanted.Enabled) return
  await call('UpdateTimeToLive', { TimeToLiveSpecification: wanted })
}

const MOST_FAILURES = 20

async function untilActive(call: Call): Promise<Described> {
  let failures = 0
  for (;;) {
    // DynamoDB Local now and then fails to describe an index that it is just making.
    const current = await describe(call).catch((error: unknown) => {
      failures += 1
      if (error instanceof DynamoDbError && error.name === 'InternalFailure' && failures < MOST_FAILURES)
        return undefined
      throw error
    })
    const indexes = current?.GlobalSecondaryIndexes ?? []
    if (current?.TableStatus === 'ACTIVE' && indexes.every((index) => index.IndexStatus === 'ACTIVE'))
      return current
    await delay(POLL_MILLISECONDS)
  }
}

type Keys = z.infer<typeof KeySchema>
type AnyIndex = Omit<z.infer<typeof Index>, 'IndexName'>

/** The hash key comes first, whatever the order it is told in. */
const sameKey = (one: Keys, other: Keys) =>
  isDeepStrictEqual(one.toSorted(byKeyType), other.toSorted(byKeyType))
const byKeyType = (one: Keys[number], other: Keys[number]) => one.KeyType.localeCompare(other.KeyType)

function sameIndex(one: AnyIndex, other: AnyIndex): boolean {
  return (
    sameKey(one.KeySchema, other.KeySchema) &&
    one.Projection.ProjectionType === other.Projection.ProjectionType &&
    isDeepStrictEqual(new Set(one.Projection.NonKeyAttributes), new Set(other.Projection.NonKeyAttributes))
  )
}
