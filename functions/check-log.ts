import type { LogName, NoteKey } from '../shared/domain/checkpoint.ts'
import { LOG_FINDINGS, type LogFinding, type LogFindingCode } from '../shared/domain/log-finding.ts'
import { EMPTY_FRONTIER, type Frontier, grown, leafHash, rootOf, sameHash } from '../shared/domain/merkle.ts'
import { type Instant, MINUTE, plusMilliseconds } from '../shared/platform/time.ts'
import { auditLeafEntity, frontierIn } from '../shared/store/audit-log.ts'
import { CorruptItemError, type Item } from '../shared/store/codec.ts'
import { AUDIT_LEAF_PREFIX, auditHeadKey, auditLeafKey, auditLogOf, type Key } from '../shared/store/keys.ts'
import { readItem, readPages } from '../shared/store/read.ts'
import type { Table } from '../shared/store/transact.ts'
import { checkpointWalk } from './check-log-checkpoints.ts'
import { heldAgainst, readable } from './check-log-entries.ts'
import { eventsAgainst, NameSums, placesAgainst } from './check-log-names.ts'
import { TileWalk } from './check-log-tiles.ts'

/** Tells what is wrong: the code, and the row. */
export type Finder = (code: LogFindingCode, where: Key) => void

/** How long an event may take into its log: the stream brings it within seconds, and is tried again for a while. */
const LATE_AFTER = 15 * MINUTE
/** More than this are not told one by one: somebody who finds so many has to look at all. */
const MOST_FINDINGS = 1_000

export type LogCheck = {
  /** How many leaves the log has. */
  readonly leaves: number
  readonly findings: readonly LogFinding[]
}

/**
 * Holds all that is stored of a log against each other: its leaves against the events they stand for, the tree that is
 * made of the leaves against head, tiles and every signed checkpoint, names against leaves, events against the log. It
 * trusts the key alone. Every row is read once, in pages, about R 1.5 for each event; memory does not grow with the log.
 * What comes into the log meanwhile is left out.
 *
 * @param key of the log: its origin, and the public key, which comes from KMS and not from the table
 */
export async function checkLog(
  table: Table,
  log: LogName,
  { key, now }: { readonly key: NoteKey; readonly now: Instant },
): Promise<LogCheck> {
  const findings = new Map<string, LogFinding>()
  const find: Finder = (code, { pk, sk }) => {
    const where = `${pk} / ${sk}`
    if (findings.size < MOST_FINDINGS)
      findings.set(`${code} ${where}`, { code, what: LOG_FINDINGS[code], where })
  }
  const head = await headOf(table, log, find)
  const checkpoints = checkpointWalk(table, log, key, find)
  const tiles = new TileWalk(table, log, find)
  const sums = new NameSums(plusMilliseconds(now, -LATE_AFTER))

  let tree: Frontier | undefined = EMPTY_FRONTIER
  let [size, behind] = [0, 0]
  /** Leaves that say something else than their events. */
  const disputed: { readonly leaf: Key; readonly event: Key }[] = []
  await checkpoints.reached(size, tree)
  for await (const { items } of readPages(table, { pk: auditLogOf(log), prefix: AUDIT_LEAF_PREFIX })) {
    const known = items.filter((item) => head === undefined || indexOf(item) < head.size)
    behind = Math.max(behind, ...items.slice(known.length).map((item) => indexOf(item) + 1))
    const leaves = known.map((item) => ({ item, leaf: readable(() => auditLeafEntity.decode(item)) }))
    const verdicts = await heldAgainst(
      table,
      log,
      key,
      leaves.flatMap(({ leaf }) => leaf ?? []),
      find,
    )
    for (const { item, leaf } of leaves) {
      const index = indexOf(item)
      for (; size < index; size += 1) {
        find('LEAF_MISSING', auditLeafKey(log, size))
        tree = undefined
      }
      size = index + 1
      if (leaf === undefined || leaf.index !== index) {
        find('LEAF_CHANGED', auditLeafKey(log, index))
        tree = undefined
        continue
      }
      const event = verdicts.get(leaf.index)
      if (event !== undefined) disputed.push({ leaf: auditLeafKey(log, index), event })
      sums.addLeaf(leaf)
      tree = tree && grown(tree, leafHash(leaf.entry))
      await tiles.grown(leaf, tree !== undefined)
      await checkpoints.reached(size, tree)
    }
  }
  for (; head !== undefined && size < head.size; size += 1) {
    find('LEAF_MISSING', auditLeafKey(log, size))
    tree = undefined
  }

  const row = await readItem(table, auditHeadKey(log))
  const later = row && readable(() => frontierIn(row))
  if (later !== undefined && behind > later.size) find('LEAF_INSERTED', auditLeafKey(log, behind - 1))
  if (row === undefined && size > 0) find('HEAD_MISSING', auditHeadKey(log))
  const isHeld = head !== undefined && tree !== undefined && sameHash(rootOf(head), rootOf(tree))
  // The tree decides who is right of two that contradict each other.
  for (const { leaf, event } of disputed) {
    if (isHeld || head === undefined) find('EVENT_CHANGED', event)
    else find('LEAF_CHANGED', leaf)
  }
  if (head !== undefined && tree !== undefined && !isHeld && disputed.length === 0)
    find('HEAD_CHANGED', auditHeadKey(log))
  await tiles.end(later?.size ?? size)
  await checkpoints.end(later?.size ?? size)
  await placesAgainst(table, log, sums, size, find)
  if (log !== 'checkpoints') await eventsAgainst(table, log, sums, find)
  return { leaves: size, findings: [...findings.values()] }
}

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
