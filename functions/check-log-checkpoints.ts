import type { LogName, NoteKey } from '../shared/domain/checkpoint.ts'
import { type Frontier, rootOf, sameHash } from '../shared/domain/merkle.ts'
import { verifyCheckpoint } from '../shared/platform/signing/note.ts'
import { type SignedCheckpoint, signedCheckpointEntity } from '../shared/store/audit-log.ts'
import type { Item } from '../shared/store/codec.ts'
import {
  AUDIT_CHECKPOINT_PREFIX,
  auditCheckpointKey,
  auditLogOf,
  auditSignedKey,
} from '../shared/store/keys.ts'
import { readItem, readPages } from '../shared/store/read.ts'
import type { Table } from '../shared/store/transact.ts'
import type { Finder } from './check-log.ts'
import { readable } from './check-log-entries.ts'

/**
 * Goes through the signed checkpoints of a log in the order of their sizes, as its tree grows: each is what was signed,
 * says what the tree is at its size, and follows the one before it. Of checkpoints that contradict the tree the first is
 * told: all after it do, too.
 */
export function checkpointWalk(table: Table, log: LogName, key: NoteKey, find: Finder) {
  const rows = rowsIn(table, log)
  let next: Item | undefined
  let isBegun = false
  let isForked = false
  let last: SignedCheckpoint | undefined
  // First, so that the checkpoint it is of is among those that are read then.
  const signedRow = readItem(table, auditSignedKey(log))

  async function advance(): Promise<void> {
    isBegun = true
    const { value, done } = await rows.next()
    next = done === true ? undefined : value
  }

  function check(row: Item, tree: Frontier | undefined): void {
    const where = auditCheckpointKey(log, sizeOf(row))
    const checkpoint = readable(() => signedCheckpointEntity.decode(row))
    const signed = checkpoint && verifyCheckpoint(checkpoint.note, key)
    if (checkpoint === undefined || signed?.size !== sizeOf(row) || !isAsSigned(checkpoint, signed)) {
      find('CHECKPOINT_FORGED', where)
      return
    }
    if (checkpoint.previous !== last?.size) {
      // Of two that do not fit, either one between them is gone, or the first does not belong there.
      const { previous = -1 } = checkpoint
      if (previous > (last?.size ?? -1)) find('CHECKPOINT_MISSING', auditCheckpointKey(log, previous))
      else find('CHECKPOINT_INSERTED', auditCheckpointKey(log, last?.size ?? 0))
    }
    last = checkpoint
    if (isForked || tree === undefined || sameHash(rootOf(tree), signed.root)) return
    isForked = true
    find('CHECKPOINT_INCONSISTENT', where)
  }

  return {
    /** @param tree undefined where leaves are missing, and one cannot tell */
    async reached(size: number, tree: Frontier | undefined): Promise<void> {
      if (!isBegun) await advance()
      for (; next !== undefined && sizeOf(next) <= size; await advance())
        check(next, sizeOf(next) === size ? tree : undefined)
    },

    /** @param size of the log: what was signed of more was not signed of it */
    async end(size: number): Promise<void> {
      if (!isBegun) await advance()
      for (; next !== undefined; await advance()) {
        if (sizeOf(next) > size) find('CHECKPOINT_INSERTED', auditCheckpointKey(log, sizeOf(next)))
        else check(next, undefined)
      }
      const row = await signedRow
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
      const isSame = kept && signed && isDeeplyTheSame(signedCheckpointEntity.decode(kept), signed)
      const isOld = signed !== undefined && last !== undefined && signed.size < last.size
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

const isDeeplyTheSame = (one: SignedCheckpoint, other: SignedCheckpoint) =>
  one.note === other.note && one.size === other.size && one.root === other.root

async function* rowsIn(table: Table, log: LogName): AsyncGenerator<Item> {
  for await (const { items } of readPages(table, { pk: auditLogOf(log), prefix: AUDIT_CHECKPOINT_PREFIX }))
    yield* items
}
