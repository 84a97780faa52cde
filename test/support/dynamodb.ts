// Global setup of vitest: one DynamoDB Local and one KMS for the whole run. Tests find them by
// `inject('dynamodbEndpoint')`, `inject('kmsEndpoint')` and `inject('kmsKeys')`.
import { randomUUID } from 'node:crypto'
import type { TestProject } from 'vitest/node'
import { startDynamoDb } from '../../infra/local/dynamodb.ts'
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts'
import { TABLE } from '../../shared/store/table.ts'
import { startTestKms, type TestKeys } from './kms.ts'

declare module 'vitest' {
  interface ProvidedContext {
    dynamodbEndpoint: string
    kmsEndpoint: string
    kmsKeys: TestKeys
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [dynamoDb, kms] = await Promise.all([startDynamoDb(), startTestKms()])
  project.provide('dynamodbEndpoint', dynamoDb.endpoint)
  project.provide('kmsEndpoint', kms.endpoint)
  project.provide('kmsKeys', kms.keys)
  return async () => {
    await Promise.all([dynamoDb.close(), kms.close()])
  }
}

/** Settings of any AWS SDK client for a local endpoint. */
export function clientSettings(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }
}

/**
 * Makes the one table, empty and under a name of its own, so that test files do not meet. Its stream is for tests that
 * read it: DynamoDB Local looks through all records of all streams at each write to a table that has one.
 */
export async function createTestTable(endpoint: string, { stream = false } = {}): Promise<string> {
  const TableName = `test-${randomUUID()}`
  const keySchema = (partitionKey: string, sortKey: string) => [
    { AttributeName: partitionKey, KeyType: 'HASH' },
    { AttributeName: sortKey, KeyType: 'RANGE' },
  ]
  const keys = [TABLE, ...TABLE.indexes].flatMap(({ partitionKey, sortKey }) => [partitionKey, sortKey])
  await callDynamoDb(endpoint, 'CreateTable', {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: keySchema(TABLE.partitionKey, TABLE.sortKey),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    GlobalSecondaryIndexes: TABLE.indexes.map(({ name, partitionKey, sortKey }) => ({
      IndexName: name,
      KeySchema: keySchema(partitionKey, sortKey),
      Projection: { ProjectionType: 'ALL' },
    })),
    ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } }),
  })
  return TableName
}
