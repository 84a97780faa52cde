import { randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}))

/**
 * The usual design, and nothing else: a conditional counter and a row for the lease in one transaction, and both again
 * to give it back.
 */
export async function handler(event: { body: string }) {
  const { table: TableName, pool, capacity } = JSON.parse(event.body)
  const counter = { TableName, Key: { pk: pool, sk: 'COUNTER' } }
  const lease = { pk: pool, sk: `LEASE#${randomUUID()}` }
  await client.send(
    new TransactWriteCommand({
      TransactItems: [
        {
          Update: {
            ...counter,
            UpdateExpression: 'ADD used :one',
            ConditionExpression: 'attribute_not_exists(used) OR used < :capacity',
            ExpressionAttributeValues: { ':one': 1, ':capacity': capacity },
          },
        },
        {
          Put: {
            TableName,
            Item: { ...lease, holder: 'ada.lovelace@example.edu', expiresAt: '2026-06-01T12:10:00Z' },
            ConditionExpression: 'attribute_not_exists(pk)',
          },
        },
      ],
    }),
  )
  await client.send(
    new TransactWriteCommand({
      TransactItems: [
        {
          Update: {
            ...counter,
            UpdateExpression: 'ADD used :less',
            ConditionExpression: 'used > :none',
            ExpressionAttributeValues: { ':less': -1, ':none': 0 },
          },
        },
        { Delete: { TableName, Key: lease, ConditionExpression: 'attribute_exists(pk)' } },
      ],
    }),
  )
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{}' }
}
