import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { afterAll, inject } from 'vitest'
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts'
import type { Item } from '../../shared/store/codec.ts'
import type { Key } from '../../shared/store/keys.ts'
import { readItem } from '../../shared/store/read.ts'
import { putOnce, type Table, transact } from '../../shared/store/transact.ts'
import { clientSettings, createTestTable } from '../support/dynamodb.ts'

/** A table of the test file's own, empty, deleted behind it. */
export async function localTable(): Promise<Table> {
  const endpoint = inject('dynamodbEndpoint')
  const table = { client: newClient(), name: await createTestTable(endpoint) }
  afterAll(async () => {
    await callDynamoDb(endpoint, 'DeleteTable', { TableName: table.name })
    table.client.destroy()
  })
  return table
}

/** As functions have it. */
export function newClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(inject('dynamodbEndpoint'))), {
    marshallOptions: { removeUndefinedValues: true },
  })
}

export async function put(table: Table, ...items: readonly Item[]): Promise<void> {
  const outcome = await transact(table, Object.fromEntries(items.map((item, at) => [`${at}`, putOnce(item)])))
  if (!outcome.ok) throw new Error(`already there: ${outcome.failed.join(', ')}`)
}

export async function exists(table: Table, key: Key): Promise<boolean> {
  return (await readItem(table, key)) !== undefined
}
