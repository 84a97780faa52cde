import { createHash } from 'node:crypto'
import type { Anchor, ExportHeader } from '../../shared/domain/audit-export.ts'
import { canonicalJson } from '../../shared/domain/canonical-json.ts'
import {
  type Checkpoint,
  checkpointText,
  type NoteKey,
  parseVerifierKey,
} from '../../shared/domain/checkpoint.ts'
import {
  EMPTY_FRONTIER,
  type Frontier,
  grown,
  leafHash,
  rootOf,
  sameHash,
} from '../../shared/domain/merkle.ts'
import { provesInclusion } from '../../shared/domain/merkle-proof.ts'
import { verifyCheckpoint } from '../../shared/platform/signing/note.ts'
import { Fault } from './fault.ts'
import type { ReadEntry, ReadLine } from './read-export.ts'

type Demands = {
  /** The key that is known from before; without it, the one that came with the file is taken. */
  readonly key?: NoteKey | undefined
  /** The signed checkpoint, where the file has none. */
  readonly checkpoint?: string | undefined
  /** A signed checkpoint that was kept from before. */
  readonly earlier?: string | undefined
}

export type Proven = {
  readonly checkpoint: Checkpoint
  readonly key: NoteKey
  readonly isPinned: boolean
  /** How many entries were verified, and how many of these have no event any more. */
  readonly entries: number
  readonly erased: number
  /** All of them are there, so none was left out or put in. */
  readonly isComplete: boolean
  readonly earlier?: Checkpoint
  /** Of the log of all checkpoints, in which this one is. */
  readonly anchor?: Checkpoint
}

/**
 * Verifies an export offline: that every entry stands for its event, is in the tree of the checkpoint at its index, and,
 * where all are there, that the tree is made of exactly these; that the key signed the checkpoint; that the log grew out
 * of an earlier checkpoint. One entry at a time, so it takes exports of any size.
 *
 * @throws Fault with the first reason why it is not proven
 */
export async function verifyExport(lines: AsyncIterable<ReadLine>, demands: Demands): Promise<Proven> {
  let { key } = demands
  let signed: Checkpoint | undefined
  let note = demands.checkpoint
  let anchor: Anchor | undefined
  /** All entries so far, as long as none was left out. */
  let tree: Frontier | undefined = EMPTY_FRONTIER
  let earlier: Checkpoint | undefined
  let [next, entries, erased, pageEnd] = [0, 0, 0, 0]
  let isFiltered = false

  for await (const read of lines) {
    if ('header' in read) begin(read.header)
    else take(read.entry)
  }
  signed ??= open()
  endPage()
  const isComplete = tree !== undefined && tree.size === signed.size
  if (isComplete && tree !== undefined && !sameHash(rootOf(tree), signed.root))
    throw new Fault('ROOT_WRONG', `the entries do not make the tree of the checkpoint of size ${signed.size}`)
  if (demands.earlier !== undefined && earlier === undefined) compareEarlier(EMPTY_FRONTIER)
  if (demands.earlier !== undefined && earlier === undefined)
    throw new Fault(
      'EARLIER_UNPROVEN',
      'only an export of all entries shows that the log grew out of the earlier checkpoint',
    )
  if (key === undefined) throw new Fault('KEY_UNREADABLE', 'there is no key')
  const anchored = anchor && verifyAnchor(anchor, signed)
  return {
    checkpoint: signed,
    key,
    isPinned: demands.key !== undefined,
    entries,
    erased,
    isComplete,
    ...(earlier && { earlier }),
    ...(anchored && { anchor: anchored }),
  }

  function open(): Checkpoint {
    if (note === undefined)
      throw new Fault('CHECKPOINT_MISSING', 'the export has no checkpoint: name one with --checkpoint')
    if (key === undefined) throw new Fault('KEY_UNREADABLE', 'the export has no key: name one with --key')
    const checkpoint = verifyCheckpoint(note, key)
    if (checkpoint !== undefined) return checkpoint
    throw new Fault('CHECKPOINT_UNSIGNED', `the checkpoint is not signed by the key of ${key.name}`)
  }

  function begin(header: ExportHeader): void {
    endPage()
    key ??= parseVerifierKey(header.key)
    note ??= header.checkpoint
    signed ??= open()
    if (header.checkpoint !== note || header.log !== signed.origin)
      throw new Fault('CHECKPOINT_OTHER', 'the pages are of different checkpoints or logs')
    if (header.from < next)
      throw new Fault('ENTRY_MISPLACED', `entry ${header.from} comes again, or out of order`)
    if (header.from > next || header.upTo > signed.size || header.upTo < header.from) tree = undefined
    isFiltered = header.isFiltered
    pageEnd = header.upTo
    next = header.from
    anchor ??= header.anchor
  }

  /** A page that has all entries has to have them. */
  function endPage(): void {
    if (pageEnd > next && !isFiltered) throw new Fault('ENTRY_MISSING', `entry ${next} is not there`)
    if (pageEnd > next) tree = undefined
    next = Math.max(next, pageEnd)
  }

  function take(entry: ReadEntry): void {
    signed ??= open()
    const { index } = entry
    if (index < next) throw new Fault('ENTRY_MISPLACED', `entry ${index} comes again, or out of order`)
    if (index > next && pageEnd > 0 && !isFiltered)
      throw new Fault('ENTRY_MISSING', `entry ${next} is not there`)
    if (index > next) tree = undefined
    verifyEntry(entry, signed)
    const leaf = leafHash(Buffer.from(entry.entry, 'base64'))
    compareEarlier(tree)
    tree = tree && grown(tree, leaf)
    compareEarlier(tree)
    next = index + 1
    entries += 1
    if (entry.event === undefined) erased += 1
  }

  function compareEarlier(so: Frontier | undefined): void {
    if (demands.earlier === undefined || earlier !== undefined || so === undefined || key === undefined)
      return
    const before = verifyCheckpoint(demands.earlier, key)
    if (before === undefined)
      throw new Fault('CHECKPOINT_UNSIGNED', `the earlier checkpoint is not signed by the key of ${key.name}`)
    if (signed !== undefined && before.size > signed.size)
      throw new Fault(
        'HISTORY_REWRITTEN',
        `the log has ${signed.size} entries, and ${before.size} were signed before`,
      )
    if (so.size !== before.size) return
    if (!sameHash(rootOf(so), before.root))
      throw new Fault(
        'HISTORY_REWRITTEN',
        `the first ${before.size} entries are not those of the earlier checkpoint`,
      )
    earlier = before
  }
}

function verifyEntry({ index, id, entry, salt, event, proof, size }: ReadEntry, signed: Checkpoint): void {
  if (event !== undefined) {
    const made = createHash('sha256')
      .update(Buffer.from(salt ?? '', 'base64'))
      .update(canonicalJson(event))
      .digest('base64')
    if (salt === undefined || made !== entry || event['id'] !== id)
      throw new Fault('ENTRY_CHANGED', `entry ${index} does not stand for its event`)
  }
  const claim = { index, size: signed.size, leaf: leafHash(Buffer.from(entry, 'base64')), root: signed.root }
  if (size !== signed.size)
    throw new Fault(
      'CHECKPOINT_OTHER',
      `entry ${index} is proven for size ${size}, the checkpoint is of ${signed.size}`,
    )
  if (
    !provesInclusion(
      claim,
      proof.map((hash) => Buffer.from(hash, 'base64')),
    )
  )
    throw new Fault('ENTRY_CHANGED', `entry ${index} is not in the tree of the checkpoint of size ${size}`)
}

/** The log of all checkpoints has the same key under another name. */
function verifyAnchor({ key, checkpoint, index, proof }: Anchor, signed: Checkpoint): Checkpoint {
  const anchorKey = parseVerifierKey(key)
  const all = anchorKey && verifyCheckpoint(checkpoint, anchorKey)
  const leaf = leafHash(Buffer.from(checkpointText(signed)))
  const hashes = proof.map((hash) => Buffer.from(hash, 'base64'))
  if (all !== undefined && provesInclusion({ index, size: all.size, leaf, root: all.root }, hashes))
    return all
  throw new Fault('ANCHOR_WRONG', 'the checkpoint is not in the log of all checkpoints that came with it')
}
