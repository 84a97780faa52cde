import { createHash } from 'node:crypto'
import { decodeTime } from 'ulid'
import type { LogName } from '../shared/domain/checkpoint.ts'
import { EventId, TenantId } from '../shared/platform/ids.ts'
import { DAY, epochMilliseconds, type Instant } from '../shared/platform/time.ts'
import { type AuditLeaf, auditPlaceEntity, readLeavesAt, readPlaces } from '../shared/store/audit-log.ts'
import type { Item } from '../shared/store/codec.ts'
import {
  AUDIT_PLACE_PREFIX,
  auditLeafKey,
  auditLogOf,
  auditPlaceKey,
  eventKey,
  eventLog,
} from '../shared/store/keys.ts'
import { readPages } from '../shared/store/read.ts'
import type { Table } from '../shared/store/transact.ts'
import type { Finder } from './check-log.ts'
import { readable } from './check-log-entries.ts'

/** An event that came into its log a day behind others was not made when it says. Streams are repeated for half of that. */
const BACKDATED_AFTER = DAY

/**
 * Sums of hashes over the names of a log, to tell with one number whether two lists in different orders have the same:
 * only where they have not is every one looked up.
 */
export class NameSums {
  /** Of names with their indexes. */
  leaves = 0n
  /** Of ids of events that were made before the deadline. */
  due = 0n
  newest = 0
  readonly backdated: AuditLeaf[] = []
  readonly deadline: number

  constructor(deadline: Instant) {
    this.deadline = epochMilliseconds(deadline)
  }

  addLeaf(leaf: AuditLeaf): void {
    this.leaves += hashOf(`${leaf.name} ${leaf.index}`)
    const made = madeAt(leaf.name)
    if (made === undefined) return
    if (made < this.newest - BACKDATED_AFTER) this.backdated.push(leaf)
    this.newest = Math.max(this.newest, made)
    if (made < this.deadline) this.due += hashOf(leaf.name)
  }
}

/** Every leaf is found by its name, and every name leads to its leaf. */
export async function placesAgainst(
  table: Table,
  log: LogName,
  { leaves }: NameSums,
  size: number,
  find: Finder,
): Promise<void> {
  const pages = () => readPages(table, { pk: auditLogOf(log), prefix: AUDIT_PLACE_PREFIX })
  let places = 0n
  for await (const { items } of pages())
    for (const item of items) {
      const index = indexIn(item)
      // What came into the log meanwhile is left out.
      if (index === undefined || index < size) places += hashOf(`${nameOf(item)} ${index}`)
    }
  if (places === leaves) return
  for await (const { items } of pages()) {
    const indexes = items.flatMap((item) => indexIn(item) ?? [])
    const there = await readLeavesAt(table, log, indexes)
    for (const item of items) {
      const index = indexIn(item)
      if (index === undefined || there.get(index)?.name !== nameOf(item))
        find('PLACE_CHANGED', auditPlaceKey(log, nameOf(item)))
    }
  }
  for (let from = 0; from < size; from += PAGE) {
    const indexes = Array.from({ length: Math.min(PAGE, size - from) }, (_, place) => from + place)
    const there = [...(await readLeavesAt(table, log, indexes)).values()]
    const found = await readPlaces(
      table,
      log,
      there.map(({ name }) => name),
    )
    for (const { name, index } of there) {
      if (!found.has(name)) find('PLACE_MISSING', auditPlaceKey(log, name))
      else if (found.get(name) !== index) find('PLACE_CHANGED', auditPlaceKey(log, name))
    }
  }
}

const PAGE = 100

/** Every event came into its log in time, and at its time. */
export async function eventsAgainst(
  table: Table,
  log: Exclude<LogName, 'checkpoints'>,
  { due, deadline, backdated }: NameSums,
  find: Finder,
): Promise<void> {
  const tenantId = log === 'vendor' ? undefined : TenantId.parse(log)
  for (const { name, index } of backdated) {
    const id = EventId.safeParse(name)
    find('EVENT_BACKDATED', id.success ? eventKey(tenantId, id.data) : auditLeafKey(log, index))
  }
  const range = { pk: eventLog(tenantId) }
  const isDue = ({ sk }: Item) => (madeAt(String(sk)) ?? 0) < deadline
  let events = 0n
  for await (const { items } of readPages(table, range))
    for (const item of items) if (isDue(item)) events += hashOf(String(item['sk']))
  if (events === due) return
  for await (const { items } of readPages(table, range)) {
    const late = items.filter(isDue).map(({ sk }) => String(sk))
    const places = await readPlaces(table, log, late)
    for (const sk of late) if (!places.has(sk)) find('EVENT_UNSEQUENCED', { pk: range.pk, sk })
  }
}

const hashOf = (text: string): bigint => BigInt(`0x${createHash('sha256').update(text).digest('hex')}`)
const nameOf = ({ sk }: Item) => decodeURIComponent(String(sk).slice(AUDIT_PLACE_PREFIX.length))
const indexIn = (item: Item) => readable(() => auditPlaceEntity.decode(item).index)

/** When an event was made, by its id; undefined of what is no event. */
function madeAt(name: string): number | undefined {
  const id = EventId.safeParse(name)
  return id.success ? decodeTime(id.data.slice('evt_'.length)) : undefined
}
