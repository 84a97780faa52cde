import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'

const client = new DynamoDBClient({})

/** Nothing but the SDK's client for DynamoDB, as a function that uses it would load it. */
export async function handler(event: { body: string }) {
  const { table, key } = JSON.parse(event.body)
  const { Item } = await client.send(
    new GetItemCommand({
      TableName: table,
      Key: { pk: { S: key.pk }, sk: { S: key.sk } },
      ConsistentRead: true,
    }),
  )
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(Item) }
}
