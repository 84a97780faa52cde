import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { type Action, isConditionFailed, type Table } from './transact.ts'

/** One write by itself, not in a transaction; false if its condition failed. */
export async function writeRow(
  { client, name: TableName }: Table,
  action: Exclude<Action, { kind: 'check' }>,
): Promise<boolean> {
  const { condition, names, values } = action
  const rest = {
    TableName,
    ...(condition && { ConditionExpression: condition }),
    ...(names && { ExpressionAttributeNames: names }),
    ...(values && { ExpressionAttributeValues: values }),
  }
  try {
    if (action.kind === 'put') await client.send(new PutCommand({ ...rest, Item: action.item }))
    else if (action.kind === 'remove') await client.send(new DeleteCommand({ ...rest, Key: action.key }))
    else await client.send(new UpdateCommand({ ...rest, Key: action.key, UpdateExpression: action.update }))
    return true
  } catch (error) {
    if (isConditionFailed(error)) return false
    throw error
  }
}
