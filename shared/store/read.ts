import {
  BatchGetCommand,
  type BatchGetCommandOutput,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Item } from './codec.ts'
import type { Key } from './keys.ts'
import { pause } from './pause.ts'
import { type IndexName, TABLE } from './table.ts'
import type { Table } from './transact.ts'

/** One item, strongly consistent. */
export async function readItem({ client, name }: Table, key: Key): Promise<Item | undefined> {
  const { Item } = await client.send(new GetCommand({ TableName: name, Key: key, ConsistentRead: true }))
  return Item
}

/** AWS: at most 100 keys in a batch. */
const BATCH = 100
/** Times that a batch, and what is left over of it, is asked for. */
const ATTEMPTS = 8
/** Batches under way at the same time. */
const TOGETHER = 4

/**
 * Many items by key, strongly consistent, in no order; those that do not exist are left out.
 *
 * @param keys all different: AWS refuses a batch that has one twice
 */
export async function readItems({ client, name }: Table, keys: readonly Key[]): Promise<Item[]> {
  const items: Item[] = []
  const starts = Array.from({ length: Math.ceil(keys.length / BATCH) }, (_, index) => index * BATCH).values()
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const start of starts) await readBatch(keys.slice(start, start + BATCH))
    }),
  )
  return items

  async function readBatch(keysOfBatch: Item[]): Promise<void> {
    let wanted = keysOfBatch
    for (let attempt = 1; ; attempt += 1) {
      const batch: BatchGetCommandOutput = await client.send(
        new BatchGetCommand({ RequestItems: { [name]: { Keys: wanted, ConsistentRead: true } } }),
      )
      items.push(...(batch.Responses?.[name] ?? []))
      // What is left over is what the table was too busy for, or what is more than 16 MB.
      wanted = batch.UnprocessedKeys?.[name]?.Keys ?? []
      if (wanted.length === 0) return
      if (attempt === ATTEMPTS) throw new Error(`${wanted.length} items were left over ${attempt} times`)
      await pause(attempt)
    }
  }
}

/** What to query: a partition of the table, or of an index, and a part of its sort keys. */
export type Range = {
  readonly index?: IndexName
  readonly pk: string
  /** Sort keys that begin so. */
  readonly prefix?: string
  /** Sort keys below this. */
  readonly below?: string
  /** Sort keys from the first up to the second, both included. */
  readonly between?: readonly [string, string]
  readonly newestFirst?: boolean
}

/** The query for a range; consistent on the table, as an index allows it on an index (it may lag). */
export function rangeQuery(table: string, range: Range): QueryCommandInput {
  const { partitionKey, sortKey } = range.index === undefined ? TABLE : keysOf(range.index)
  const condition =
    range.prefix !== undefined
      ? ' AND begins_with(#sk, :sk)'
      : range.below !== undefined
        ? ' AND #sk < :sk'
        : range.between !== undefined
          ? ' AND #sk BETWEEN :sk AND :upTo'
          : ''
  const bound = range.prefix ?? range.below ?? range.between?.[0]
  const upTo = range.between?.[1]
  return {
    TableName: table,
    ...(range.index === undefined ? { ConsistentRead: true } : { IndexName: range.index }),
    KeyConditionExpression: `#pk = :pk${condition}`,
    ExpressionAttributeNames: { '#pk': partitionKey, ...(bound !== undefined && { '#sk': sortKey }) },
    ExpressionAttributeValues: {
      ':pk': range.pk,
      ...(bound !== undefined && { ':sk': bound }),
      ...(upTo !== undefined && { ':upTo': upTo }),
    },
    ScanIndexForward: range.newestFirst !== true,
  }
}

export function keysOf(index: IndexName): { partitionKey: string; sortKey: string } {
  const found = TABLE.indexes.find((one) => one.name === index)
  if (found === undefined) throw new RangeError(`no index ${index}`)
  return found
}

/** A page of a range as it was read, and where the next begins. */
type Read = { readonly items: Item[]; readonly next: Place | undefined }
/** The keys of an item, as DynamoDB goes on from it. */
export const Place = z.record(z.string(), z.string())
export type Place = z.infer<typeof Place>

/**
 * The pages of a range, from a place on; resumable, because each page says where the next begins.
 *
 * @param most items in a page; as many as DynamoDB gives, 1 MB, if absent
 */
export async function* readPages(
  { client, name }: Table,
  range: Range,
  from?: Place,
  most?: number,
): AsyncGenerator<Read> {
  let place = from
  do {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        ...rangeQuery(name, range),
        ...(most !== undefined && { Limit: most }),
        ...(place && { ExclusiveStartKey: place }),
      }),
    )
    place = page.LastEvaluatedKey && Place.parse(page.LastEvaluatedKey)
    yield { items: page.Items ?? [], next: place }
  } while (place !== undefined)
}

/** The first items of a range: no more than so many, nor than 1 MB. */
export async function readFirst({ client, name }: Table, range: Range, most: number): Promise<Item[]> {
  const { Items = [] } = await client.send(new QueryCommand({ ...rangeQuery(name, range), Limit: most }))
  return Items
}

/** Every item of a range. */
export async function readRange(table: Table, range: Range): Promise<Item[]> {
  const items: Item[] = []
  for await (const page of readPages(table, range)) items.push(...page.items)
  return items
}
