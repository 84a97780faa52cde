import type { LogName, NoteKey } from '../../shared/domain/checkpoint.ts'
import { type Frontier, grown, leafHash, rootOf, sameHash } from '../../shared/domain/merkle.ts'
import { EventId, TenantId } from '../../shared/platform/ids.ts'
import { DAY } from '../../shared/platform/time.ts'
import type { LogChecks, LogPlace } from '../../shared/store/audit-check.ts'
import { type AuditLeaf, auditLeafEntity, frontierIn } from '../../shared/store/audit-log.ts'
import { CorruptItemError, type Item, readable } from '../../shared/store/codec.ts'
import {
  AUDIT_LEAF_PREFIX,
  auditHeadKey,
  auditLeafKey,
  auditLogOf,
  eventKey,
} from '../../shared/store/keys.ts'
import { readItem, readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Finder, Pace } from './check-log.ts'
import { checkpointWalk } from './check-log-checkpoints.ts'
import { heldAgainst } from './check-log-entries.ts'
import { madeAt, placesOf } from './check-log-names.ts'
import { TileWalk } from './check-log-tiles.ts'

type Pass = NonNullable<LogChecks['pass']>

/** Of leaves and events that contradict each other no more than these are remembered until the tree decides. */
const MOST_DISPUTED = 200
/** An event that came into its log a day behind others was not made when it says. Streams are repeated for half of that. */
const BACKDATED_AFTER = DAY

/**
 * Goes through the leaves of a log, from where a pass stopped: each against what it stands for and its name, the tree that
 * they make against tiles, checkpoints, and the head.
 *
 * @returns where it stopped, and the last signed checkpoint it passed
 */
export async function walkLeaves(
  table: Table,
  log: LogName,
  key: NoteKey,
  pass: Pass,
  find: Finder,
  { hasTime, page }: Pace,
) {
  const head = await headOf(table, log, find)
  const isForked = pass.findings.some(({ code }) => code === 'CHECKPOINT_INCONSISTENT')
  const checkpoints = checkpointWalk(table, log, key, find, { ...pass.place, isForked })
  const tiles = new TileWalk(table, log, find, pass.place)
  const disputed = [...pass.disputed]
  let tree = frontierAt(pass.place)
  let { size, newest } = pass.place
  let behind = 0
  let { anchor } = pass

  const place = (): LogPlace => ({
    size,
    ...(tree && { peaks: tree.peaks.map(base64) }),
    newest,
    ...tiles.place,
    ...(checkpoints.last !== undefined && { checkpoint: checkpoints.last }),
    names: pass.place.names,
  })
  const missing = () => {
    find('LEAF_MISSING', auditLeafKey(log, size))
    size += 1
    tree = undefined
  }
  const stopped = (isOver: boolean) => ({
    place: place(),
    anchor,
    isOver,
    of: Math.max(size, head?.size ?? 0),
    pass: { ...(anchor && { anchor }), disputed },
  })

  await checkpoints.reached(size, tree)
  const first = auditLeafKey(log, size)
  const range = { pk: auditLogOf(log), between: [first.sk, `${AUDIT_LEAF_PREFIX}~`] as const }
  for await (const { items, next } of readPages(table, range, undefined, page)) {
    const known = items.filter((item) => head === undefined || indexOf(item) < head.size)
    behind = Math.max(behind, ...items.slice(known.length).map((item) => indexOf(item) + 1))
    const leaves = known.map((item) => ({ item, leaf: readable(() => auditLeafEntity.decode(item)) }))
    const read = leaves.flatMap(({ leaf }) => leaf ?? [])
    const verdicts = await heldAgainst(table, log, key, read, find)
    await placesOf(table, log, read, find)
    for (const { item, leaf } of leaves) {
      const index = indexOf(item)
      while (size < index) missing()
      size = index + 1
      if (leaf === undefined || leaf.index !== index) {
        find('LEAF_CHANGED', auditLeafKey(log, index))
        tree = undefined
        continue
      }
      const event = verdicts.get(index)
      if (event !== undefined && disputed.length < MOST_DISPUTED) disputed.push({ index, ...event })
      newest = datedBy(leaf, newest)
      tree = tree && grown(tree, leafHash(leaf.entry))
      await tiles.grown(leaf, tree !== undefined)
      if (await checkpoints.reached(size, tree)) anchor = place()
    }
    if (next !== undefined && !hasTime()) return stopped(false)
  }
  while (head !== undefined && size < head.size) missing()

  const row = await readItem(table, auditHeadKey(log))
  const later = row && readable(() => frontierIn(row))
  if (later !== undefined && behind > later.size) find('LEAF_INSERTED', auditLeafKey(log, behind - 1))
  if (row === undefined && size > 0) find('HEAD_MISSING', auditHeadKey(log))
  const isHeld = head !== undefined && tree !== undefined && sameHash(rootOf(head), rootOf(tree))
  // The tree decides who is right of two that contradict each other.
  for (const { index, pk, sk } of disputed) {
    if (isHeld || head === undefined) find('EVENT_CHANGED', { pk, sk })
    else find('LEAF_CHANGED', auditLeafKey(log, index))
  }
  if (head !== undefined && tree !== undefined && !isHeld && disputed.length === 0)
    find('HEAD_CHANGED', auditHeadKey(log))
  await tiles.end()
  await checkpoints.end(later?.size ?? size)
  return stopped(true)

  /** The latest time at which an event of the log was made; tells of one that says it was made long before that. */
  function datedBy({ name, index }: AuditLeaf, latest: number): number {
    const made = madeAt(name)
    if (made === undefined) return latest
    if (made < latest - BACKDATED_AFTER) {
      const id = EventId.safeParse(name)
      const tenant = TenantId.safeParse(log)
      find('EVENT_BACKDATED', id.success ? eventKey(tenant.data, id.data) : auditLeafKey(log, index))
    }
    return Math.max(latest, made)
  }
}

/** The tree of the leaves before a place; undefined where one of them is missing. */
export const frontierAt = ({ size, peaks }: LogPlace): Frontier | undefined =>
  peaks && { size, peaks: peaks.map((peak) => Buffer.from(peak, 'base64')) }

async function headOf(table: Table, log: LogName, find: Finder): Promise<Frontier | undefined> {
  const item = await readItem(table, auditHeadKey(log))
  try {
    return item && frontierIn(item)
  } catch (error) {
    if (!(error instanceof CorruptItemError)) throw error
    find('HEAD_CHANGED', auditHeadKey(log))
    return undefined
  }
}

const indexOf = ({ sk }: Item) => Number(String(sk).slice(AUDIT_LEAF_PREFIX.length))
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
