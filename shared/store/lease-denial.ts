import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Instant } from '../platform/time.ts'
import { leaseDenialKey, leaseDenialsKey } from './keys.ts'
import type { PoolAddress } from './pool.ts'
import { readRange } from './read.ts'
import type { Table } from './transact.ts'

/** How often a pool had nothing to give in an hour. */
export const LeaseDenials = z.object({
  /** The hour's beginning, UTC. */
  hour: z.string(),
  requests: z.int(),
  units: z.int(),
})
export type LeaseDenials = z.infer<typeof LeaseDenials>

/** Counts a request that found no place: one write. */
export async function countDenial(
  { client, name }: Table,
  { tenantId, productId, metric }: PoolAddress,
  units: number,
  now: Instant,
): Promise<void> {
  await client.send(
    new UpdateCommand({
      TableName: name,
      Key: leaseDenialKey(tenantId, productId, metric, now.slice(0, 13)),
      UpdateExpression: 'SET #hour = :hour, entity = :entity ADD requests :one, #units :units',
      ExpressionAttributeNames: { '#hour': 'hour', '#units': 'units' },
      ExpressionAttributeValues: {
        ':hour': `${now.slice(0, 13)}:00:00.000Z`,
        ':entity': 'lease-denials',
        ':one': 1,
        ':units': units,
      },
    }),
  )
}

/** The hours of a pool in which something was denied, the latest first. */
export async function readDenials(
  table: Table,
  { tenantId, productId, metric }: PoolAddress,
): Promise<LeaseDenials[]> {
  const pk = leaseDenialsKey(tenantId, productId, metric)
  const items = await readRange(table, { pk, newestFirst: true })
  return items.map((item) => LeaseDenials.parse(item))
}
