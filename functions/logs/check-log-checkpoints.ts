import type { LogName, NoteKey } from '../../shared/domain/checkpoint.ts'
import { type Frontier, rootOf, sameHash } from '../../shared/domain/merkle.ts'
import { verifyCheckpoint } from '../../shared/platform/signing/note.ts'
import { type SignedCheckpoint, signedCheckpointEntity } from '../../shared/store/audit-log.ts'
import { type Item, readable } from '../../shared/store/codec.ts'
import { AUDIT_CHECKPOINT_PREFIX, auditCheckpointKey, auditSignedKey } from '../../shared/store/keys.ts'
import { readItem, readPages } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Finder } from './check-log.ts'

/**
 * Goes through the signed checkpoints of a log in the order of their sizes, as its tree grows: each is what was signed,
 * says what the tree is at its size, and follows the one before it. Of checkpoints that contradict the tree the first is
 * told: all after it do, too.
 */
export function checkpointWalk(
  table: Table,
  log: LogName,
  key: NoteKey,
  find: Finder,
  from: { readonly checkpoint?: number | undefined; readonly isForked: boolean },
) {
  const rows = rowsIn(table, log, from.checkpoint)
  let next: Item | undefined
  let isBegun = false
  let { isForked } = from
  let last = from.checkpoint
  let signedRow: Item | undefined

  async function advance(): Promise<void> {
    // First, so that the checkpoint it is of is among those that are read then.
    if (!isBegun) signedRow = await readItem(table, auditSignedKey(log))
    isBegun = true
    const { value, done } = await rows.next()
    next = done === true ? undefined : value
  }

  /** @returns whether the tree is what it says */
  function check(row: Item, tree: Frontier | undefined): boolean {
    const where = auditCheckpointKey(log, sizeOf(row))
    const checkpoint = readable(() => signedCheckpointEntity.decode(row))
    const signed = checkpoint && verifyCheckpoint(checkpoint.note, key)
    if (checkpoint === undefined || signed?.size !== sizeOf(row) || !isAsSigned(checkpoint, signed)) {
      find('CHECKPOINT_FORGED', where)
      return false
    }
    if (checkpoint.previous !== last) {
      // Of two that do not fit, either one between them is gone, or the first does not belong there.
      const { previous = -1 } = checkpoint
      if (previous > (last ?? -1)) find('CHECKPOINT_MISSING', auditCheckpointKey(log, previous))
      else find('CHECKPOINT_INSERTED', auditCheckpointKey(log, last ?? 0))
    }
    last = checkpoint.size
    if (isForked || tree === undefined) return false
    if (sameHash(rootOf(tree), signed.root)) return true
    isForked = true
    find('CHECKPOINT_INCONSISTENT', where)
    return false
  }

  return {
    /** The size of the last one that was passed. */
    get last(): number | undefined {
      return last
    },

    /**
     * @param tree undefined where leaves are missing, and one cannot tell
     * @returns whether just this was signed
     */
    async reached(size: number, tree: Frontier | undefined): Promise<boolean> {
      let isSigned = false
      if (!isBegun) await advance()
      for (; next !== undefined && sizeOf(next) <= size; await advance())
        isSigned = check(next, sizeOf(next) === size ? tree : undefined)
      return isSigned
    },

    /** @param size of the log: what was signed of more was not signed of it */
    async end(size: number): Promise<void> {
      if (!isBegun) await advance()
      for (; next !== undefined; await advance()) {
        if (sizeOf(next) > size) find('CHECKPOINT_INSERTED', auditCheckpointKey(log, sizeOf(next)))
        else check(next, undefined)
      }
      const row = signedRow
      const signed = row && readable(() => signedCheckpointEntity.decode(row))
      const where = auditSignedKey(log)
      if (row === undefined) {
        if (last !== undefined && (await readItem(table, where)) === undefined)
          find('CHECKPOINT_MISSING', where)
        return
      }
      const kept = signed && (await readItem(table, auditCheckpointKey(log, signed.size)))
      if (signed !== undefined && kept === undefined)
        find('CHECKPOINT_MISSING', auditCheckpointKey(log, signed.size))
      const copy = kept && readable(() => signedCheckpointEntity.decode(kept))
      const isSame = copy && signed && isTheSame(copy, signed)
      const isOld = signed !== undefined && last !== undefined && signed.size < last
      const isOlderThanNow = isOld && (await readItem(table, where))?.['size'] === signed.size
      if (signed === undefined || (kept !== undefined && !isSame) || isOlderThanNow)
        find('CHECKPOINT_FORGED', where)
    },
  }
}

const sizeOf = ({ sk }: Item) => Number(String(sk).slice(AUDIT_CHECKPOINT_PREFIX.length))

const isAsSigned = (
  { size, root }: SignedCheckpoint,
  signed: { readonly size: number; readonly root: Uint8Array },
) => size === signed.size && root === Buffer.from(signed.root).toString('base64')

const isTheSame = (one: SignedCheckpoint, other: SignedCheckpoint) =>
  one.note === other.note && one.size === other.size && one.root === other.root

/** Those behind one of a size. */
async function* rowsIn(table: Table, log: LogName, behind = -1): AsyncGenerator<Item> {
  const first = auditCheckpointKey(log, behind + 1)
  const range = { pk: first.pk, between: [first.sk, `${AUDIT_CHECKPOINT_PREFIX}~`] as const }
  for await (const { items } of readPages(table, range)) yield* items
}

/** Is what is remembered of a log still what was signed of it at that size? */
export async function isStillSigned(
  table: Table,
  log: LogName,
  key: NoteKey,
  tree: Frontier,
): Promise<boolean> {
  const row = await readItem(table, auditCheckpointKey(log, tree.size))
  const checkpoint = row && readable(() => signedCheckpointEntity.decode(row))
  const signed = checkpoint && verifyCheckpoint(checkpoint.note, key)
  return signed?.size === tree.size && sameHash(signed.root, rootOf(tree))
}
