import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { EpochSeconds } from '../platform/time.ts'
import { countKey } from './keys.ts'
import type { Table } from './transact.ts'

/** Adds to a count of a window of time and returns the new total. The count is forgotten some time after `ttl`. */
export async function addCount(
  { client, name }: Table,
  subject: string,
  window: string,
  amount: number,
  ttl: EpochSeconds,
): Promise<number> {
  const { Attributes } = await client.send(
    new UpdateCommand({
      TableName: name,
      Key: countKey(subject, window),
      UpdateExpression: 'SET #ttl = :ttl, entity = :entity ADD #total :amount',
      ExpressionAttributeNames: { '#ttl': 'ttl', '#total': 'total' },
      ExpressionAttributeValues: { ':ttl': ttl, ':amount': amount, ':entity': 'count' },
      ReturnValues: 'UPDATED_NEW',
    }),
  )
  return Total.parse(Attributes).total
}

const Total = z.object({ total: z.number() })
