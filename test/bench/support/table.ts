import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import type { Table } from '../../../shared/store/transact.ts'
import { clientSettings } from '../../support/dynamodb.ts'

/** A table as functions see it, for what is put there beside the API; its client has to be destroyed. */
export function tableAt(endpoint: string, name: string): Table {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings(endpoint)), {
    marshallOptions: { removeUndefinedValues: true },
  })
  return { client, name }
}
