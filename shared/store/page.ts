import { createHmac, timingSafeEqual } from 'node:crypto'
import { QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Item } from './codec.ts'
import { keysOf, Place, type Range, rangeQuery } from './read.ts'
import { TABLE } from './table.ts'
import type { Table } from './transact.ts'

export type Page<T> = { items: T[]; nextCursor?: string }

/** Signs cursors, so that nobody reads from a place that a list did not lead to. */
type CursorKey = Uint8Array

/** Items that a page looks at, unless it says otherwise: what is left out costs time, too. A second or so. */
const MOST_LOOKED_AT = 10_000
/** Items that are read at a time once some were left out. */
const STRIDE = 100

/**
 * One page of a list: reads on until `limit` items pass `take` (which decodes an item, or leaves it out) or the range
 * ends, or `most` were looked at. The cursor names the last item taken and the range it belongs to; it is signed.
 */
export async function readPage<T>(
  { client, name }: Table,
  cursorKey: CursorKey,
  range: Range,
  {
    limit,
    cursor,
    most = MOST_LOOKED_AT,
  }: { limit: number; cursor?: string | undefined; most?: number | undefined },
  take: (items: readonly Item[]) => Promise<(T | undefined)[]>,
): Promise<Page<T> | Refusal> {
  let from: Item | undefined
  if (cursor !== undefined) {
    from = openCursor(cursor, range, cursorKey)
    if (from === undefined) return refuse('INVALID_CURSOR', 'This cursor was not given for this list.')
  }
  const taken: T[] = []
  let looked = 0
  for (;;) {
    const page: QueryCommandOutput = await client.send(
      new QueryCommand({
        ...rangeQuery(name, range),
        Limit: looked === 0 ? limit : Math.max(limit, STRIDE),
        ...(from && { ExclusiveStartKey: from }),
      }),
    )
    const read: Item[] = page.Items ?? []
    for (const [index, value] of (await take(read)).entries()) {
      if (value === undefined) continue
      if (taken.length === limit) {
        return { items: taken, nextCursor: sealCursor(placeOf(read[index - 1], range), range, cursorKey) }
      }
      taken.push(value)
    }
    from = page.LastEvaluatedKey
    if (from === undefined) return { items: taken }
    looked += read.length
    if (taken.length === limit || looked >= most)
      return { items: taken, nextCursor: sealCursor(from, range, cursorKey) }
  }
}

/** The keys DynamoDB needs to go on after an item. */
function placeOf(item: Item | undefined, range: Range): Item {
  const { partitionKey, sortKey } = range.index === undefined ? TABLE : keysOf(range.index)
  const fields = new Set([TABLE.partitionKey, TABLE.sortKey, partitionKey, sortKey])
  return Object.fromEntries(Object.entries(item ?? {}).filter(([field]) => fields.has(field)))
}

function sealCursor(place: Item, range: Range, key: CursorKey): string {
  const body = Buffer.from(JSON.stringify(place)).toString('base64url')
  return `${body}.${sign(body, range, key)}`
}

function openCursor(cursor: string, range: Range, key: CursorKey): Item | undefined {
  const parts = cursor.split('.')
  const body = parts[0] ?? ''
  const given = Buffer.from(parts[1] ?? '')
  const expected = Buffer.from(sign(body, range, key))
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return Place.parse(JSON.parse(Buffer.from(body, 'base64url').toString()))
}

function sign(body: string, range: Range, key: CursorKey): string {
  return createHmac('sha256', key)
    .update(`${JSON.stringify(range)}\n${body}`)
    .digest('base64url')
    .slice(0, 22)
}
