import { licenseKey } from '../../../shared/store/keys.ts'
import { firstVendorToken } from '../../first-token.ts'
import type { LocalStack } from '../boot.ts'
import { callDynamoDb } from '../dynamodb-wire.ts'
import type { World } from './tale.ts'

/** A token of the role `vendor:admin`, made past the API, for nobody has one yet. */
export async function makeVendorToken({ functions, environment, endpoints }: LocalStack): Promise<string> {
  const variables = functions.map(environment).find((one) => 'CREDENTIAL_KEY_ID' in one)
  if (variables === undefined) throw new Error('No function of the template has a CREDENTIAL_KEY_ID')
  return firstVendorToken({ environment: variables, endpoints })
}

/** What the story needs of a booted stack. */
export function worldOf(stack: LocalStack, token: string): World {
  return {
    url: stack.url,
    token,
    issuer: String(stack.outputs['Issuer']),
    tamper: tamperAt(stack.endpoints.dynamodb, stack.tableName()),
  }
}

/** Writes behind the API, straight into a table. */
export function tamperAt(endpoint: string, table: string): World['tamper'] {
  return async ({ tenantId, productId, id }, users) => {
    const { pk, sk } = licenseKey(tenantId, productId, id)
    await callDynamoDb(endpoint, 'UpdateItem', {
      TableName: table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ConditionExpression: 'attribute_exists(pk)',
      UpdateExpression: 'SET limits.#users = :users',
      ExpressionAttributeNames: { '#users': 'users' },
      ExpressionAttributeValues: { ':users': { N: String(users) } },
    })
  }
}
