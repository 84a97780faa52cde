import { difference, type Found } from '../../shared/domain/integrity.ts'
import { judgeRow, type RecordedRow, recordedRow } from '../../shared/domain/recorded-row.ts'
import { type TenantId, TokenId } from '../../shared/platform/ids.ts'
import { type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import type { CorruptItemError, Item } from '../../shared/store/codec.ts'
import {
  eventLog,
  ORGANIZATION_PREFIX,
  organizationsKey,
  ownedByTenant,
  tenantKey,
  tokenKey,
  webhooksOf,
} from '../../shared/store/keys.ts'
import { readItem, readItems, readPages, readRange } from '../../shared/store/read.ts'
import { readRecordedRows } from '../../shared/store/recorded-row.ts'
import type { Table } from '../../shared/store/transact.ts'
import { LATE_AFTER } from '../logs/check-log.ts'
import { eventIn } from './compare-license.ts'
import { eventRows } from './event-rows.ts'

/** Where the rows of each type of subject are. */
const ROWS: Readonly<Record<string, (table: Table, tenantId: TenantId) => Promise<readonly Item[]>>> = {
  tenant: (table, tenantId) => readItems(table, [tenantKey(tenantId)]),
  organization: (table, tenantId) =>
    readRange(table, { pk: organizationsKey(tenantId), prefix: ORGANIZATION_PREFIX }),
  webhook: (table, tenantId) => readRange(table, { pk: webhooksOf(tenantId), prefix: 'ENDPOINT#' }),
  token: async (table, tenantId) => {
    // The index lags, and may have what the row has no more.
    const owned = await readRange(table, { index: 'owned', pk: ownedByTenant(tenantId, 'TOKENS') })
    return readItems(
      table,
      owned.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) })),
    )
  },
}

/**
 * Holds the rows of a tenant that people change against what their events say. What an event of the last minutes is about
 * is left to the next scan: its record follows by seconds.
 */
export async function scanRows(
  table: Table,
  tenantId: TenantId,
  now: Instant,
  tell: (error: CorruptItemError) => void,
): Promise<{ readonly checked: number; readonly found: readonly Found[] }> {
  const records = await readRecordedRows(table, tenantId, tell)
  const byName = new Map(records.map((record) => [nameOf(record), record]))
  const found: (Found | undefined)[] = []
  let checked = 0
  for (const [type, read] of Object.entries(ROWS)) {
    const rows = await read(table, tenantId)
    checked += rows.length
    const ids = new Set(rows.map(({ id }) => String(id)))
    for (const row of rows) {
      const subject = { type, id: String(row['id']) }
      found.push(judgeRow(subject, row, byName.get(nameOf(subject))))
    }
    for (const record of records)
      if (record.type === type && !ids.has(record.id)) found.push(await missing(table, record))
  }
  const events = await eventRows(table, tenantId, records)
  found.push(...records.filter(({ eventId }) => !events.has(eventId)).map(withoutEvent))
  const wrong = found.filter((one) => one !== undefined)
  if (wrong.length === 0) return { checked, found: [] }
  const fresh = await changedSince(table, tenantId, plusMilliseconds(now, -LATE_AFTER))
  return { checked, found: wrong.filter(({ subject }) => !fresh.has(nameOf(subject))) }
}

const nameOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type} ${id}`

/** One that an index did not show is asked for by its key. */
async function missing(table: Table, record: RecordedRow): Promise<Found | undefined> {
  const { type, id } = record
  if (type === 'token' && (await readItem(table, tokenKey(TokenId.parse(id)))) !== undefined) return undefined
  return judgeRow({ type, id }, undefined, record)
}

const withoutEvent = ({ type, id, eventId }: RecordedRow): Found => ({
  check: 'event-missing',
  subject: { type, id },
  differs: [difference('event', undefined, eventId)],
})

/** What events since then are about. */
async function changedSince(table: Table, tenantId: TenantId, since: Instant): Promise<ReadonlySet<string>> {
  const fresh = new Set<string>()
  for await (const { items } of readPages(table, { pk: eventLog(tenantId), newestFirst: true })) {
    const events = items.flatMap((item) => eventIn(item) ?? [])
    for (const event of events)
      if (event.at >= since && recordedRow(undefined, event)) fresh.add(nameOf(event.subject))
    if (events.some(({ at }) => at < since)) break
  }
  return fresh
}
