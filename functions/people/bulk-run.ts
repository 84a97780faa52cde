import { addCounts, type Bulk, CHUNK, isOver } from '../../shared/domain/bulk.ts'
import { chunks } from '../../shared/domain/chunks.ts'
import { isRefusal } from '../../shared/domain/refusal.ts'
import type { UserId } from '../../shared/platform/ids.ts'
import { readClock } from '../../shared/platform/time.ts'
import { bulkChunkItem, readBulk, readChunk, readOutcomes, writeBulk } from '../../shared/store/bulk.ts'
import { bySystem } from '../../shared/store/commit.ts'
import { readPages } from '../../shared/store/read.ts'
import { type Action, transact } from '../../shared/store/transact.ts'
import { readablePerson } from '../seating/readable-person.ts'
import { findSeatPlace } from '../seating/seat-place.ts'
import { readSeating } from '../seating/seating.ts'
import { outdated } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { createChunk, TOGETHER } from './bulk-chunk.ts'
import { selected, selectionOf } from './selection.ts'

/** Milliseconds to keep for noting how far it came, and for answering. */
const RESERVE = 4_000
/** People that a filter is held against at a time: a page of them takes well below the reserve, on a slow day too. */
const SELECTED_AT_ONCE = 500

/** Of whom, and with which time left. */
type Drive = { readonly remaining: () => number; readonly requestId: string }

/**
 * Goes on with a bulk change while there is time and `goes` says so, a page of the selection or a chunk of people at a
 * time. All that it knows is in the table, so it may be cut off anywhere, and several may drive the same one.
 */
export async function driveBulk(
  services: VerifyingServices,
  { tenantId, id }: Pick<Bulk, 'tenantId' | 'id'>,
  drive: Drive,
  goes: (bulk: Bulk) => boolean,
): Promise<Bulk | undefined> {
  for (;;) {
    const bulk = await readBulk(services.table, tenantId, id)
    if (bulk === undefined || isOver(bulk) || !goes(bulk) || drive.remaining() < RESERVE) return bulk
    const isDone =
      bulk.state === 'selecting'
        ? await selectMore(bulk, drive, services)
        : await runChunk(bulk, drive, services)
    if (!isDone) return readBulk(services.table, tenantId, id)
  }
}

/** A page of those whom the filter means, put down in chunks. Who moves meanwhile may be put down twice. */
async function selectMore(bulk: Bulk, drive: Drive, services: VerifyingServices): Promise<boolean> {
  const { table } = services
  const { tenantId, filter = {}, by } = bulk
  const seating = await readSeating(services, tenantId, readClock())
  if (seating === undefined) return false
  const { product, module, ...rest } = filter
  const place = module === undefined ? undefined : await findSeatPlace(table, product, module)
  // The product has no such module any more: who was found until then it is.
  if (isRefusal(place)) return finish(bulk, { ...bulk, state: 'running' }, drive, services)
  // The days are counted back from when it was ordered, whenever it is selected.
  const asked = { caller: by, now: bulk.createdAt }
  const selection = selectionOf(
    { ...rest, includeBelow: true, place },
    seating.tenant,
    seating.organizations,
    asked,
  )
  const pages = readPages(table, selection.range, bulk.place, SELECTED_AT_ONCE)
  for await (const { items, next: goOn } of pages) {
    const found = await selected(table, tenantId, selection, items)
    const users = [...new Set(found.flatMap((user) => (user ? [user.id] : [])))]
    const { after, puts } = withPeople(bulk, users)
    const { place: _, ...others } = after
    const next = { ...others, ...(goOn ? { place: goOn } : { state: 'running' as const }) }
    // It fails where somebody else selects as well, or it was canceled: that is read next.
    await transact(table, { bulk: writeBulk(bulk, next), ...puts })
    return true
  }
  return false
}

/** Puts people down in chunks, behind those that a bulk change has: what it is then, and the writes of the chunks. */
export function withPeople(
  bulk: Bulk,
  users: readonly UserId[],
): { readonly after: Bulk; readonly puts: Readonly<Record<string, Action>> } {
  const more = chunks(users, CHUNK)
  const after = { ...bulk, selected: bulk.selected + users.length, chunks: bulk.chunks + more.length }
  const puts = more.map((some, place): [string, Action] => {
    const index = bulk.chunks + place
    return [`chunk ${index}`, { kind: 'put', item: bulkChunkItem(bulk, index, some) }]
  })
  return { after, puts: Object.fromEntries(puts) }
}

/** Those of one chunk of whom it is not known yet; false if the time ran out, or others were quicker too often. */
async function runChunk(bulk: Bulk, drive: Drive, services: VerifyingServices): Promise<boolean> {
  const { table } = services
  const { tenantId } = bulk
  if (bulk.next >= bulk.chunks) return finish(bulk, bulk, drive, services)
  const users = await readChunk(table, bulk, bulk.next)
  const chunk = await createChunk(bulk, drive.requestId, services)
  if (chunk === undefined) return false
  let isLate = false
  for (const some of chunks(users, TOGETHER)) {
    if (isLate) break
    const [now, known, persons] = await Promise.all([
      readBulk(table, tenantId, bulk.id),
      readOutcomes(table, bulk, some),
      Promise.all(some.map((id) => readablePerson(services, tenantId, id, drive))),
    ])
    if (now === undefined || isOver(now) || now.next !== bulk.next) {
      // What was freed until then is served all the same.
      if (!bulk.dryRun) await chunk.end()
      return true
    }
    for (const [index, id] of some.entries()) {
      if (known.some(({ userId, chunk }) => userId === id && isToldOf(bulk, chunk))) continue
      isLate = drive.remaining() < RESERVE
      if (isLate) break
      await chunk.row(id, persons[index])
    }
  }
  const foreseen = await chunk.end()
  if (isLate && bulk.dryRun) return false
  const rows = await readOutcomes(table, bulk, users)
  if (rows.length < users.length) return false
  const own = rows.filter((row) => row.chunk === bulk.next)
  const after: Bulk = {
    ...bulk,
    next: bulk.next + 1,
    selected: bulk.selected - (rows.length - own.length),
    counts: addCounts(bulk.counts, own),
    foreseen,
  }
  return finish(bulk, after, drive, services)
}

/** A dry run that is cut off within a chunk decides it anew: all in it follows from what came before it. */
const isToldOf = ({ dryRun, next }: Bulk, chunk: number) => !dryRun || chunk !== next

/** Notes a chunk as done, and the bulk change with the last. */
async function finish(
  bulk: Bulk,
  after: Bulk,
  { requestId }: Drive,
  services: VerifyingServices,
): Promise<boolean> {
  const now = readClock()
  const isLast = after.next >= after.chunks
  const next: Bulk = isLast ? { ...after, state: 'finished', endedAt: now } : after
  const { tenantId, id, counts, dryRun } = next
  await services.commit(bySystem('bulk', { now, requestId }), {
    writes: { bulk: writeBulk(bulk, next) },
    events: isLast
      ? [{ type: 'bulk.finished', tenantId, subject: { type: 'bulk', id }, after: { dryRun, counts } }]
      : [],
    reply: undefined,
    // Another driver noted it, or it was canceled: that is read next.
    refusals: { bulk: outdated },
  })
  return true
}
