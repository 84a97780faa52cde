import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { RefusalCode } from '../../shared/domain/refusal.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import type { Item } from '../../shared/store/codec.ts'
import type { Key } from '../../shared/store/keys.ts'
import { putOnce, TRANSACTION_LIMIT, transact } from '../../shared/store/transact.ts'
import type { World } from './calls.ts'
import type { Sent } from './requests.ts'

/** Makes of a world, and of a request that would succeed in it, those in which it is refused. */
export type Spoil = (world: World, sent: Sent) => Promise<Sent> | Sent

/** An operation with a code of its own, and what it takes for that. */
export type Refused = readonly [operationId: string, code: RefusalCode, spoil: Spoil]

export const withBody =
  (fields: object): Spoil =>
  (_, sent) => ({ ...sent, body: { ...Object(sent.body), ...fields } })

export const tenantOf = ({ tenancy }: World, { params }: Sent) =>
  TenantId.parse(params?.['tenantId'] ?? tenancy.known.tenantId)

/** Changes fields of one row behind the API. */
export async function set(
  { api: { table } }: World,
  key: Key,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(fields)
  await table.client.send(
    new UpdateCommand({
      TableName: table.name,
      Key: key,
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`)}`,
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, fields[name]])),
    }),
  )
}

/** Puts so many rows into the table. */
export async function fill({ api: { table } }: World, count: number, itemOf: () => Item): Promise<void> {
  const items = Array.from({ length: count }, itemOf)
  for (let from = 0; from < items.length; from += TRANSACTION_LIMIT) {
    const some = items.slice(from, from + TRANSACTION_LIMIT)
    await transact(table, Object.fromEntries(some.map((item, index) => [index, putOnce(item)])))
  }
}
