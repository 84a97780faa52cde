import { BatchGetCommand, BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import type { Table } from '../../shared/store/transact.ts'
import { everyRow, placeOf, type Row } from './rows.ts'
import { interposeAll, type SdkCall } from './sdk.ts'

/** AWS: rows of one BatchGetItem, and of one BatchWriteItem. */
const READ_TOGETHER = 100
const WRITTEN_TOGETHER = 25

export type Change = { readonly before: Row | undefined; readonly after: Row | undefined }

export type KeptTable = {
  /** The rows that are not as they were, by their place. */
  changes(): Promise<ReadonlyMap<string, Change>>
  /** Puts back what was written since. */
  restore(): Promise<void>
  /** Another one, which keeps the table as it is now. */
  fork(): Promise<KeptTable>
  /** What is kept. */
  rows(): ReadonlyMap<string, Row>
  close(): void
}

/**
 * Remembers the table as it is, and which rows are written from now on by any SDK client of this process, so that it can
 * be put back after each of many calls, which costs what was written and not what is there.
 */
export async function keepTable(table: Table): Promise<KeptTable> {
  return keepRows(table, await everyRow(table))
}

function keepRows(table: Table, kept: ReadonlyMap<string, Row>): KeptTable {
  const { client, name } = table
  const written = new Map<string, Row>()
  const undo = interposeAll((call, send) => {
    for (const key of keysWritten(call, name)) written.set(placeOf(key), key)
    return send()
  })

  async function changes(): Promise<ReadonlyMap<string, Change>> {
    const now = new Map<string, Row>()
    for (const Keys of pages([...written.values()], READ_TOGETHER)) {
      const request = {
        RequestItems: { [name]: { Keys: Keys.map((key) => ({ ...key })), ConsistentRead: true } },
      }
      const { Responses } = await client.send(new BatchGetCommand(request))
      for (const row of Responses?.[name] ?? []) now.set(placeOf(row), row)
    }
    const all = [...written.keys()].map(
      (place) => [place, { before: kept.get(place), after: now.get(place) }] as const,
    )
    return new Map(all.filter(([, { before, after }]) => textOf(before) !== textOf(after)))
  }

  async function restore(): Promise<void> {
    const requests = [...(await changes())].map(([place, { before }]) =>
      before === undefined
        ? { DeleteRequest: { Key: { ...written.get(place) } } }
        : { PutRequest: { Item: { ...before } } },
    )
    for (const some of pages(requests, WRITTEN_TOGETHER))
      await client.send(new BatchWriteCommand({ RequestItems: { [name]: some } }))
    written.clear()
  }

  return {
    changes,
    restore,
    async fork() {
      const now = new Map(kept)
      for (const [place, { after }] of await changes())
        if (after === undefined) now.delete(place)
        else now.set(place, after)
      return keepRows(table, now)
    },
    rows: () => kept,
    close: undo,
  }
}

const textOf = (row: Row | undefined) => row && JSON.stringify(Object.entries(row).toSorted())

function pages<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, page) =>
    all.slice(page * size, (page + 1) * size),
  )
}

const Key = z
  .object({ pk: z.object({ S: z.string() }), sk: z.object({ S: z.string() }) })
  .transform(({ pk, sk }) => ({ pk: pk.S, sk: sk.S }))
const Written = z.object({ TableName: z.string(), Key: Key.optional(), Item: Key.optional() })
const Transaction = z.object({
  TransactItems: z.array(
    z.object({ Put: Written.optional(), Update: Written.optional(), Delete: Written.optional() }),
  ),
})

/** The keys of what a call puts, changes or takes away. */
export function keysWritten({ command, input }: SdkCall, table: string): Row[] {
  const writes =
    command === 'TransactWriteItemsCommand'
      ? Transaction.parse(input).TransactItems.flatMap(
          ({ Put, Update, Delete }) => Put ?? Update ?? Delete ?? [],
        )
      : /^(Put|Update|Delete)ItemCommand$/.test(command)
        ? [Written.parse(input)]
        : []
  return writes
    .filter(({ TableName }) => TableName === table)
    .flatMap(({ Key: key, Item }) => key ?? Item ?? [])
}
