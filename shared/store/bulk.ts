import * as z from 'zod'
import { Bulk, BulkRow, isOver } from '../domain/bulk.ts'
import { type BulkId, type TenantId, UserId } from '../platform/ids.ts'
import { DAY, epochSeconds, plusMilliseconds } from '../platform/time.ts'
import { entity, type Item } from './codec.ts'
import { bulkChunkKey, bulkKey, bulkRowKey, KIND, ownedByTenant } from './keys.ts'
import { readItem, readItems } from './read.ts'
import { type Put, putVersion, type Table } from './transact.ts'

/** How long it is told what became of whom; the events of each change stay. */
const KEPT_FOR = 90 * DAY

/** What became of one person of a bulk change, and in which chunk: who was selected twice counts in one. */
const StoredRow = z.strictObject({ ...BulkRow.shape, chunk: z.int() })
type StoredRow = z.infer<typeof StoredRow>

export const bulkEntity = entity('bulk', 2, Bulk, 1)
export const bulkChunkEntity = entity('bulk-chunk', 1, z.strictObject({ users: z.array(UserId) }))
export const bulkRowEntity = entity('bulk-row', 1, StoredRow)

const ttlOf = ({ createdAt }: Pick<Bulk, 'createdAt'>) => ({
  ttl: epochSeconds(plusMilliseconds(createdAt, KEPT_FOR)),
})

/** Writes a bulk change one version on, if it is as it was read. */
export function writeBulk(before: Bulk | undefined, after: Bulk): Put {
  const { tenantId, id, createdAt } = after
  const version = (before?.version ?? 0) + 1
  const order = `${createdAt}#${id}`
  const item = bulkEntity.encode(
    bulkKey(tenantId, id),
    { ...after, version },
    {
      ownedPk: ownedByTenant(tenantId, 'BULKS'),
      ownedSk: order,
      ...(!isOver(after) && { kindPk: KIND.bulks, kindSk: order }),
      ...ttlOf(after),
    },
  )
  return putVersion(item, before?.version)
}

export const bulkChunkItem = (bulk: Bulk, chunk: number, users: UserId[]): Item =>
  bulkChunkEntity.encode(bulkChunkKey(bulk.tenantId, bulk.id, chunk), { users }, ttlOf(bulk))

/** A person's outcome; of a change that is made there is one, whoever makes it, and however often it is tried. */
export function writeRowOnce(bulk: Bulk, row: BulkRow): Put {
  return { ...putRow(bulk, row), condition: 'attribute_not_exists(pk)' }
}

export function putRow(bulk: Bulk, row: BulkRow): Put {
  const key = bulkRowKey(bulk.tenantId, bulk.id, row.userId)
  return { kind: 'put', item: bulkRowEntity.encode(key, { ...row, chunk: bulk.next }, ttlOf(bulk)) }
}

export async function readBulk(table: Table, tenantId: TenantId, id: BulkId): Promise<Bulk | undefined> {
  const item = await readItem(table, bulkKey(tenantId, id))
  return item && bulkEntity.decode(item)
}

/** Whom a chunk concerns; nobody if there is none. */
export async function readChunk(
  table: Table,
  { tenantId, id }: Pick<Bulk, 'tenantId' | 'id'>,
  chunk: number,
): Promise<UserId[]> {
  const item = await readItem(table, bulkChunkKey(tenantId, id, chunk))
  return item === undefined ? [] : bulkChunkEntity.decode(item).users
}

/** The outcomes of these people, as far as there are any. */
export async function readOutcomes(
  table: Table,
  { tenantId, id }: Pick<Bulk, 'tenantId' | 'id'>,
  users: readonly UserId[],
): Promise<StoredRow[]> {
  const items = await readItems(
    table,
    users.map((user) => bulkRowKey(tenantId, id, user)),
  )
  return items.map(bulkRowEntity.decode)
}

/** A row as it is shown. */
export function shownRow({ chunk: _, ...row }: StoredRow): BulkRow {
  return row
}
