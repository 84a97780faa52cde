import type { LogName } from '../../shared/domain/checkpoint.ts'
import { EventId, eventIdsFrom, eventIdTime, TenantId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { type AuditLeaf, auditLeafEntity, auditPlaceEntity } from '../../shared/store/audit-log.ts'
import { type Item, readable } from '../../shared/store/codec.ts'
import {
  AUDIT_PLACE_PREFIX,
  auditLeafKey,
  auditLogOf,
  auditPlaceKey,
  eventLog,
} from '../../shared/store/keys.ts'
import { readItems, readPages, readRange } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Finder, Pace } from './check-log.ts'

/** Each of these leaves is found by its name. */
export async function placesOf(
  table: Table,
  log: LogName,
  leaves: readonly AuditLeaf[],
  find: Finder,
): Promise<void> {
  const keys = leaves.map(({ name }) => auditPlaceKey(log, name))
  const rows = await readItems(table, [...new Map(keys.map((key) => [key.sk, key])).values()])
  const bySk = new Map(rows.map((row) => [String(row['sk']), row]))
  for (const { name, index } of leaves) {
    const key = auditPlaceKey(log, name)
    const row = bySk.get(key.sk)
    if (row === undefined) find('PLACE_MISSING', key)
    else if (indexIn(row) !== index) find('PLACE_CHANGED', key)
  }
}

/** Up to which name it came, and whether that is all. */
type Stretch = { readonly upTo: string; readonly isOver: boolean }

/**
 * Every event is in its log, and every name leads to a leaf of that name: of events that were made after one, up to a
 * deadline, page by page while there is time.
 *
 * @param from the id of an event; empty for all
 */
export async function eventsAgainst(
  table: Table,
  log: Exclude<LogName, 'checkpoints'>,
  { from, deadline }: { readonly from: string; readonly deadline: Instant },
  find: Finder,
  { hasTime, page }: Pace,
): Promise<Stretch> {
  const pk = eventLog(log === 'vendor' ? undefined : TenantId.parse(log))
  const end = eventIdsFrom(deadline)
  let upTo = from
  if (lower(upTo) >= end) return { upTo, isOver: true }
  for await (const { items, next } of readPages(
    table,
    { pk, between: [lower(upTo), end] },
    undefined,
    page,
  )) {
    const names = items.map(({ sk }) => String(sk))
    const last = next === undefined ? end : (names.at(-1) ?? upTo)
    // Of the same stretch of time, in the same order.
    const places = await readRange(table, {
      pk: auditLogOf(log),
      between: [`${AUDIT_PLACE_PREFIX}${lower(upTo)}`, `${AUDIT_PLACE_PREFIX}${last}`],
    })
    const placed = new Set(places.map(nameOf))
    for (const sk of names) if (!placed.has(sk)) find('EVENT_UNSEQUENCED', { pk, sk })
    await namesAgainst(table, log, places, find)
    upTo = last
    if (!hasTime()) return { upTo, isOver: next === undefined }
  }
  return { upTo, isOver: true }
}

/**
 * Every name of the log of all checkpoints leads to a leaf of that name, page by page while there is time. They are not
 * in the order of time.
 *
 * @param from a name; empty for all
 */
export async function checkpointNames(
  table: Table,
  from: string,
  find: Finder,
  { hasTime, page }: Pace,
): Promise<Stretch> {
  const { pk, sk } = auditPlaceKey('checkpoints', from)
  const range = { pk, between: [lower(sk), `${AUDIT_PLACE_PREFIX}~`] as const }
  let upTo = from
  for await (const { items, next } of readPages(table, range, undefined, page)) {
    await namesAgainst(table, 'checkpoints', items, find)
    upTo = items.map(nameOf).at(-1) ?? upTo
    if (!hasTime()) return { upTo, isOver: next === undefined }
  }
  return { upTo, isOver: true }
}

async function namesAgainst(
  table: Table,
  log: LogName,
  places: readonly Item[],
  find: Finder,
): Promise<void> {
  const keys = places.flatMap((place) => {
    const index = indexIn(place)
    return index === undefined ? [] : [auditLeafKey(log, index)]
  })
  const rows = await readItems(table, [...new Map(keys.map((key) => [key.sk, key])).values()])
  const bySk = new Map(rows.map((row) => [String(row['sk']), row]))
  for (const place of places) {
    const index = indexIn(place)
    const row = index === undefined ? undefined : bySk.get(auditLeafKey(log, index).sk)
    const leaf = row && readable(() => auditLeafEntity.decode(row))
    if (leaf?.name !== nameOf(place)) find('PLACE_CHANGED', auditPlaceKey(log, nameOf(place)))
  }
}

/** What comes behind a name, or behind a time that names begin with: `!` is before all that ids are made of. */
const lower = (name: string) => `${name}!`
const nameOf = ({ sk }: Item) => decodeURIComponent(String(sk).slice(AUDIT_PLACE_PREFIX.length))
const indexIn = (item: Item) => readable(() => auditPlaceEntity.decode(item).index)

/** When an event was made, by its id; undefined of what is no event. */
export function madeAt(name: string): number | undefined {
  const id = EventId.safeParse(name)
  return id.success ? eventIdTime(id.data) : undefined
}
