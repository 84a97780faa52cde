import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { expect, inject, test } from 'vitest'
import * as z from 'zod'
import { callDynamoDb } from '../../infra/local/dynamodb-wire.ts'
import { ofIndexes, ofTable, WireItem } from '../bench/support/write-units.ts'
import { localTable } from '../store/local-table.ts'

const { client, name } = await localTable()

const owned = { ownedPk: 'tenant', ownedSk: 'one' }
const kind = { kindPk: 'LICENSES', kindSk: 'one' }
const text = (length: number) => ({ text: 'ä'.repeat(length) })
const nested = {
  list: [1, 'two', { three: [null, true] }],
  bytes: new Uint8Array(1_100),
  count: 123_456_789.25,
}

const items: [string, Record<string, unknown>][] = [
  ['small', {}],
  ['of just 1 KB', text(499)],
  ['of just more', text(508)],
  ['of 5 KB with all types', { ...text(2_000), ...nested }],
  ['in one index', owned],
  ['in both, of 1.1 KB', { ...owned, ...kind, ...text(530) }],
]

// Of single writes DynamoDB Local tells what AWS documents; of transactions it does not (bench/support/meter.ts).
test.each(items)('an item %s: units are those that DynamoDB counts', async (label, attributes) => {
  const key = { pk: label, sk: 'ROW' }
  async function stored(): Promise<WireItem | undefined> {
    const Key = { pk: { S: key.pk }, sk: { S: key.sk } }
    const found = await callDynamoDb(inject('dynamodbEndpoint'), 'GetItem', { TableName: name, Key })
    return z.object({ Item: WireItem.optional() }).parse(found).Item
  }
  async function expectUnits(command: PutCommand | UpdateCommand): Promise<void> {
    const before = await stored()
    Object.assign(command.input, { ReturnConsumedCapacity: 'TOTAL' })
    const { ConsumedCapacity } =
      command instanceof PutCommand ? await client.send(command) : await client.send(command)
    const after = await stored()
    expect(ofTable(before, after) + ofIndexes(before, after)).toBe(ConsumedCapacity?.CapacityUnits)
  }
  const put = (item: object) => new PutCommand({ TableName: name, Item: { ...key, ...item } })
  const larger = { ...attributes, ...text(700) }
  const elsewhere = { ...larger, ...(attributes['ownedSk'] !== undefined && { ownedSk: 'other' }) }
  for (const item of [attributes, larger, elsewhere]) await expectUnits(put(item))
  await expectUnits(
    new UpdateCommand({
      TableName: name,
      Key: key,
      UpdateExpression: 'SET more = :more',
      ExpressionAttributeValues: { ':more': 'x' },
    }),
  )
})
