import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/lib-dynamodb'
import type { Table } from '../../shared/store/transact.ts'

/** What the service notes for itself, whatever becomes of a request: limits of rates and failures, tokens' last use. */
const OWN_NOTES: ReadonlySet<unknown> = new Set(['count', 'token'])

/** Everything in the table, by key, without the service's own notes. */
export async function allRows({ client, name }: Table): Promise<Map<string, Record<string, unknown>>> {
  const rows = new Map<string, Record<string, unknown>>()
  let from: Record<string, unknown> | undefined
  do {
    const page: ScanCommandOutput = await client.send(
      new ScanCommand({ TableName: name, ConsistentRead: true, ...(from && { ExclusiveStartKey: from }) }),
    )
    for (const item of page.Items ?? []) {
      if (!OWN_NOTES.has(item['entity'])) rows.set(`${item['pk']} / ${item['sk']}`, item)
    }
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return rows
}
