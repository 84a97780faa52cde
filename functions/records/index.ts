import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { readEnvironment } from '../../shared/platform/config/environment.ts'
import { createLog } from '../../shared/platform/log.ts'
import { Sha256 } from '../../shared/platform/signing/sha256.ts'
import type { Table } from '../../shared/store/transact.ts'
import { type BatchResult, type ConsumerServices, consume } from './consume.ts'
import { RecordsEnvironment } from './environment.ts'
import { eventSteps } from './event-steps.ts'
import { leaseMeaning } from './lease-meaning.ts'

const env = readEnvironment(RecordsEnvironment)
const client = DynamoDBDocumentClient.from(new DynamoDBClient({ sha256: Sha256 }), {
  marshallOptions: { removeUndefinedValues: true },
})
const table: Table = { client, name: env.TABLE_NAME }
const services: ConsumerServices = {
  table,
  log: createLog(env.LOG_LEVEL),
  meaningOf: leaseMeaning(table),
  eventSteps,
}

/**
 * Serves the stream of the table: changes of pools become their events and the rows that say who holds a lease, and
 * events become what follows from them.
 */
export function handler(event: unknown, context: { awsRequestId: string }): Promise<BatchResult> {
  return consume(event, context.awsRequestId, services)
}
