import { eventEntry } from '../../shared/domain/audit-entry.ts'
import { LogName, type NoteKey, parseCheckpoint } from '../../shared/domain/checkpoint.ts'
import type { Event } from '../../shared/domain/event.ts'
import { EventId, TenantId } from '../../shared/platform/ids.ts'
import { type AuditLeaf, signedCheckpointEntity } from '../../shared/store/audit-log.ts'
import { type Item, readable } from '../../shared/store/codec.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { auditCheckpointKey, auditLeafKey, eventKey, type Key } from '../../shared/store/keys.ts'
import { readItems } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Finder } from './check-log.ts'

/**
 * Holds leaves against what they stand for: events, or checkpoints in the log of those. What is gone is told.
 *
 * @returns by index, the rows of those that say something else than their leaf
 */
export function heldAgainst(
  table: Table,
  log: LogName,
  key: NoteKey,
  leaves: readonly AuditLeaf[],
  find: Finder,
): Promise<ReadonlyMap<number, Key>> {
  return log === 'checkpoints'
    ? againstCheckpoints(table, key, leaves, find)
    : againstEvents(table, log, leaves, find)
}

async function againstEvents(
  table: Table,
  log: Exclude<LogName, 'checkpoints'>,
  leaves: readonly AuditLeaf[],
  find: Finder,
): Promise<ReadonlyMap<number, Key>> {
  const tenantId = log === 'vendor' ? undefined : TenantId.parse(log)
  const named = leaves.flatMap((leaf) => {
    const id = EventId.safeParse(leaf.name)
    if (id.success) return [{ leaf, key: eventKey(tenantId, id.data) }]
    find('LEAF_CHANGED', auditLeafKey(log, leaf.index))
    return []
  })
  const rows = await rowsOf(
    table,
    named.map((one) => one.key),
  )
  const wrong = new Map<number, Key>()
  for (const { leaf, key } of named) {
    const row = rows.get(`${key.pk} ${key.sk}`)
    if (row === undefined) find('EVENT_MISSING', key)
    else if (!saysTheSame(leaf, row)) wrong.set(leaf.index, key)
  }
  return wrong
}

function saysTheSame({ name, entry, salt }: AuditLeaf, row: Item): boolean {
  const event = readable<Event>(() => eventEntity.decode(row))
  if (event === undefined || event.id !== name || salt === undefined) return false
  return Buffer.compare(eventEntry(event, salt), entry) === 0
}

async function againstCheckpoints(
  table: Table,
  { name }: NoteKey,
  leaves: readonly AuditLeaf[],
  find: Finder,
): Promise<ReadonlyMap<number, Key>> {
  const origins = name.replace(/checkpoints$/, '')
  const told = leaves.map((leaf) => {
    const checkpoint = parseCheckpoint(Buffer.from(leaf.entry).toString())
    const of = LogName.safeParse(checkpoint?.origin.replace(origins, '').replace(/^t\//, ''))
    return { leaf, checkpoint, log: of.data }
  })
  const named = told.flatMap(({ leaf, checkpoint, log }) => {
    if (
      checkpoint !== undefined &&
      log !== undefined &&
      leaf.name === `${checkpoint.origin} ${checkpoint.size}`
    )
      return [{ leaf, checkpoint, key: auditCheckpointKey(log, checkpoint.size) }]
    find('LEAF_CHANGED', auditLeafKey('checkpoints', leaf.index))
    return []
  })
  const rows = await rowsOf(
    table,
    named.map((one) => one.key),
  )
  for (const { checkpoint, key } of named) {
    const row = rows.get(`${key.pk} ${key.sk}`)
    const kept = row && readable(() => signedCheckpointEntity.decode(row))
    if (row === undefined) find('CHECKPOINT_MISSING', key)
    else if (kept?.root !== Buffer.from(checkpoint.root).toString('base64'))
      find('CHECKPOINT_INCONSISTENT', key)
  }
  return new Map()
}

/** Rows by their keys. */
async function rowsOf(table: Table, keys: readonly Key[]): Promise<ReadonlyMap<string, Item>> {
  const unique = new Map(keys.map((key) => [`${key.pk} ${key.sk}`, key]))
  const items = await readItems(table, [...unique.values()])
  return new Map(items.map((item) => [`${item['pk']} ${item['sk']}`, item]))
}
