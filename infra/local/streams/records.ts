import * as z from 'zod'
import { callDynamoDbStreams, DynamoDbError } from '../dynamodb-wire.ts'
import { REGION } from '../template/resolve.ts'

/** A record as the stream has it and a function gets it; only what the local stack looks at is named. */
export const StreamRecord = z.looseObject({
  dynamodb: z.looseObject({ SequenceNumber: z.string() }),
})
export type StreamRecord = z.infer<typeof StreamRecord>

export const sequenceNumberOf = ({ dynamodb }: StreamRecord) => dynamodb.SequenceNumber

/** The most that a stream answers at once (GetRecords, API reference). */
const LIMIT = 1000

const Shards = z.object({
  StreamDescription: z.object({
    Shards: z.array(z.object({ ShardId: z.string(), ParentShardId: z.string().optional() })),
    LastEvaluatedShardId: z.string().optional(),
  }),
})
const Iterator = z.object({ ShardIterator: z.string() })
const Records = z.object({ Records: z.array(StreamRecord), NextShardIterator: z.string().nullish() })

export type Shard = { readonly id: string; readonly parent: string | undefined }

/** The stream of a table of DynamoDB Local. */
export class TableStream {
  readonly arn: string
  private readonly endpoint: string

  constructor(endpoint: string, arn: string) {
    this.endpoint = endpoint
    this.arn = arn
  }

  /** All shards there are, those that are closed but not yet forgotten included. */
  async shards(): Promise<Shard[]> {
    const shards: Shard[] = []
    let from: string | undefined
    do {
      const { StreamDescription: page } = Shards.parse(
        await this.call('DescribeStream', { ...(from !== undefined && { ExclusiveStartShardId: from }) }),
      )
      shards.push(
        ...page.Shards.map(({ ShardId, ParentShardId }) => ({ id: ShardId, parent: ParentShardId })),
      )
      from = page.LastEvaluatedShardId
    } while (from !== undefined)
    return shards
  }

  /** Where the records after one begin; the oldest there are, when that one is forgotten or none is given. */
  async iteratorAfter(ShardId: string, sequenceNumber: string | undefined): Promise<string> {
    const iterator = async (position: object) =>
      Iterator.parse(await this.call('GetShardIterator', { ShardId, ...position })).ShardIterator
    const oldest = { ShardIteratorType: 'TRIM_HORIZON' }
    if (sequenceNumber === undefined) return iterator(oldest)
    try {
      return await iterator({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: sequenceNumber })
    } catch (error) {
      if (error instanceof DynamoDbError && error.name === 'TrimmedDataAccessException')
        return iterator(oldest)
      throw error
    }
  }

  /** Records from an iterator on, and where the next begin; nowhere when the shard is closed and this was its end. */
  async read(iterator: string): Promise<{ records: StreamRecord[]; next: string | undefined }> {
    const answer = Records.parse(
      await callDynamoDbStreams(this.endpoint, 'GetRecords', { ShardIterator: iterator, Limit: LIMIT }),
    )
    const records = answer.Records.map((record) => ({
      ...record,
      awsRegion: REGION,
      eventSourceARN: this.arn,
    }))
    return { records, next: answer.NextShardIterator ?? undefined }
  }

  private call(operation: string, request: object): Promise<unknown> {
    return callDynamoDbStreams(this.endpoint, operation, { StreamArn: this.arn, ...request })
  }
}
