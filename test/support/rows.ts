import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/lib-dynamodb'
import type { Table } from '../../shared/store/transact.ts'

export type Row = Readonly<Record<string, unknown>>

/** What the service notes for itself, whatever becomes of a request: limits of rates and failures, tokens' last use. */
export const OWN_NOTES: ReadonlySet<unknown> = new Set(['count', 'token'])

/** Where a row is, as text. */
export const placeOf = ({ pk, sk }: Row) => `${pk} / ${sk}`

/** Everything in the table, by key. */
export async function everyRow({ client, name }: Table): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>()
  let from: Record<string, unknown> | undefined
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: name, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }),
    )
    for (const item of page.Items ?? []) rows.set(placeOf(item), item)
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return rows
}

/** Everything in the table, by key, without the service's own notes. */
export async function allRows(table: Table): Promise<Map<string, Row>> {
  const rows = await everyRow(table)
  return new Map([...rows].filter(([, { entity }]) => !OWN_NOTES.has(entity)))
}
