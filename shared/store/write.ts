import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { isConditionFailed, type Put, type Remove, sendAlone, type Table, type Update } from './transact.ts'

/** One write by itself, not in a transaction; false if its condition failed. */
export async function writeRow(
  { client, name: TableName }: Table,
  action: Put | Update | Remove,
): Promise<boolean> {
  const { condition, names, values } = action
  const rest = {
    TableName,
    ...(condition && { ConditionExpression: condition }),
    ...(names && { ExpressionAttributeNames: names }),
    ...(values && { ExpressionAttributeValues: values }),
  }
  try {
    await sendAlone<unknown>(() => {
      switch (action.kind) {
        case 'put':
          return client.send(new PutCommand({ ...rest, Item: action.item }))
        case 'remove':
          return client.send(new DeleteCommand({ ...rest, Key: action.key }))
        case 'update':
          return client.send(new UpdateCommand({ ...rest, Key: action.key, UpdateExpression: action.update }))
      }
    })
    return true
  } catch (error) {
    if (isConditionFailed(error)) return false
    throw error
  }
}
