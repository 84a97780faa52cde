import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { inject } from 'vitest'
import * as z from 'zod'
import { type BatchResult, consume } from '../../../functions/records/consume.ts'
import { RECORDS_FILTERS } from '../../../functions/records/filter.ts'
import { leaseMeaning } from '../../../functions/records/lease-meaning.ts'
import { callDynamoDb } from '../../../infra/local/dynamodb-wire.ts'
import { isWanted } from '../../../infra/local/streams/filter.ts'
import { type StreamRecord, TableStream } from '../../../infra/local/streams/records.ts'
import type { ProductId } from '../../../shared/platform/ids.ts'
import type { Table } from '../../../shared/store/transact.ts'
import { clientSettings, createTestTable } from '../../support/dynamodb.ts'

/** A table with its stream, and the function behind it. */
export type Streamed = {
  readonly table: Table
  /** The stream records of a product's pools so far, as the filter of the mapping lets them through. */
  records(productId: ProductId): Promise<StreamRecord[]>
  deliver(batch: readonly StreamRecord[]): Promise<BatchResult>
}

export async function streamedTable(): Promise<Streamed> {
  const endpoint = inject('dynamodbEndpoint')
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(endpoint)), {
    marshallOptions: { removeUndefinedValues: true },
  })
  const table = { client, name: await createTestTable(endpoint, { stream: true }) }
  const described = await callDynamoDb(endpoint, 'DescribeTable', { TableName: table.name })
  const { Table: found } = z.object({ Table: z.object({ LatestStreamArn: z.string() }) }).parse(described)
  const stream = new TableStream(endpoint, found.LatestStreamArn)
  return {
    table,
    async records(productId) {
      const [shard] = await stream.shards()
      const all = await stream.read(await stream.iteratorAfter(shard?.id ?? '', undefined))
      return all.records
        .filter((record) => isWanted(RECORDS_FILTERS, record))
        .filter(({ dynamodb }) => /#(POOLS|PAGES)#/.test(JSON.stringify(dynamodb['Keys'])))
        .filter(({ dynamodb }) => JSON.stringify(dynamodb['Keys']).includes(productId))
    },
    deliver: (batch) =>
      consume({ Records: batch }, 'request-2', {
        table,
        log: () => undefined,
        meaningOf: leaseMeaning(table),
        eventSteps: [],
      }),
  }
}
