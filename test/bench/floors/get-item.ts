import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb'

const client = DynamoDBDocumentClient.from(new DynamoDBClient({}))

/** The least a function can do to answer from the table: one strongly consistent read, its item as JSON. */
export async function handler(event: { body: string }) {
  const { table, key } = JSON.parse(event.body)
  const { Item } = await client.send(new GetCommand({ TableName: table, Key: key, ConsistentRead: true }))
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(Item) }
}
