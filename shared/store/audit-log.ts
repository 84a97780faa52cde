import * as z from 'zod'
import { LogName } from '../domain/checkpoint.ts'
import { type Frontier, type Hash, isFrontier, rootOf } from '../domain/merkle.ts'
import { hashesOf, joinedHashes } from '../domain/tile.ts'
import { Instant } from '../platform/time.ts'
import { CorruptItemError, entity, type Item } from './codec.ts'
import {
  AUDIT_CHECKPOINT_PREFIX,
  AUDIT_PLACE_PREFIX,
  AUDIT_UNANCHORED,
  auditCheckpointKey,
  auditHeadKey,
  auditLeafKey,
  auditLogOf,
  auditPlaceKey,
  auditSignedKey,
  auditTileKey,
  auditUnanchoredKey,
} from './keys.ts'
import { readFirst, readItem, readItems, readRange } from './read.ts'
import { type Action, putOnce, type Remove, type Table } from './transact.ts'

const Bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)
const Root = z.base64().length(44)

/** How large a log is, and what one needs to add to it. Written by append-to-log.ts alone. */
const AuditHead = z.strictObject({
  size: z.int().nonnegative(),
  root: Root,
  /** The roots of the perfect trees of the log, one behind the other. */
  peaks: Bytes,
})
export const auditHeadEntity = entity('audit-head', 1, AuditHead)

/** A log's entry in its place. */
export const AuditLeaf = z.strictObject({
  index: z.int().nonnegative(),
  /** The id of the event, or origin and size of the checkpoint. */
  name: z.string(),
  entry: Bytes,
  /** Of an event's entry: with this and the event one can tell that the entry stands for it. */
  salt: Bytes.optional(),
})
export type AuditLeaf = z.infer<typeof AuditLeaf>
export const auditLeafEntity = entity('audit-leaf', 1, AuditLeaf)

/** Which leaf something is. There is one for each, so nothing comes into a log twice. */
const AuditPlace = z.strictObject({ index: z.int().nonnegative() })
export const auditPlaceEntity = entity('audit-place', 1, AuditPlace)

/** Of level 0, once it is full, its entry bundle, of which its hashes follow; of higher levels the hashes so far. */
const AuditTile = z.strictObject({ bytes: Bytes })
export const auditTileEntity = entity('audit-tile', 1, AuditTile)

/** A checkpoint that was signed. */
export const SignedCheckpoint = z.strictObject({
  size: z.int().nonnegative(),
  root: Root,
  /** The signed note. */
  note: z.string(),
  signedAt: Instant,
  /** The size of the one that was signed before. */
  previous: z.int().nonnegative().optional(),
  /** How large the log was when its checkpoint was last told as an event of its own, and when. */
  announced: z.strictObject({ size: z.int(), at: Instant }).optional(),
})
export type SignedCheckpoint = z.infer<typeof SignedCheckpoint>
export const signedCheckpointEntity = entity('audit-checkpoint', 1, SignedCheckpoint)

/** That a checkpoint is on its way into the log of all checkpoints. */
const UnanchoredCheckpoint = z.strictObject({ log: LogName, size: z.int().nonnegative() })
export const unanchoredEntity = entity('audit-unanchored', 1, UnanchoredCheckpoint)

const base64 = (hash: Hash) => Buffer.from(hash).toString('base64')

/** The head of a log; empty if nothing came into it yet. @throws CorruptItemError if it contradicts itself */
export async function readHead(table: Table, log: LogName): Promise<Frontier> {
  const key = auditHeadKey(log)
  const item = await readItem(table, key)
  return item === undefined ? { size: 0, peaks: [] } : frontierIn(item)
}

export function frontierIn(item: Item): Frontier {
  const { size, root, peaks } = auditHeadEntity.decode(item)
  const frontier = { size, peaks: hashesOf(peaks) }
  if (!isFrontier(frontier) || base64(rootOf(frontier)) !== root)
    throw new CorruptItemError(`item ${item['pk']} / ${item['sk']}: its root is not that of its tree`)
  return frontier
}

/** Replaces the head if it still is what it was read as. */
export function moveHead(log: LogName, before: Frontier, after: Frontier): Action {
  const value = { size: after.size, root: base64(rootOf(after)), peaks: joinedHashes(after.peaks) }
  const item = auditHeadEntity.encode(auditHeadKey(log), value)
  if (before.size === 0) return putOnce(item)
  return {
    kind: 'put',
    item,
    condition: '#size = :size AND #root = :root',
    names: { '#size': 'size', '#root': 'root' },
    values: { ':size': before.size, ':root': base64(rootOf(before)) },
  }
}

/** Holds while a log is as large as this. */
export const seenHead = (log: LogName, { size }: Pick<Frontier, 'size'>): Action =>
  size === 0
    ? { kind: 'check', key: auditHeadKey(log), condition: 'attribute_not_exists(pk)' }
    : {
        kind: 'check',
        key: auditHeadKey(log),
        condition: '#size = :size',
        names: { '#size': 'size' },
        values: { ':size': size },
      }

export const putLeaf = (log: LogName, leaf: AuditLeaf): Action =>
  putOnce(auditLeafEntity.encode(auditLeafKey(log, leaf.index), leaf))
export const putPlace = (log: LogName, name: string, index: number): Action =>
  putOnce(auditPlaceEntity.encode(auditPlaceKey(log, name), { index }))
export const putTile = (log: LogName, level: number, index: number, bytes: Uint8Array): Action => ({
  kind: 'put',
  item: auditTileEntity.encode(auditTileKey(log, level, index), { bytes }),
})

export async function readTile(
  table: Table,
  log: LogName,
  level: number,
  index: number,
): Promise<Uint8Array | undefined> {
  const item = await readItem(table, auditTileKey(log, level, index))
  return item && auditTileEntity.decode(item).bytes
}

/** Leaves are some 250 bytes: as many as this to a range for each that is wanted are no dearer than each by itself. */
const LEAVES_A_UNIT = 16

/** Leaves by their numbers; those that are not there are left out. Where they lie close together it is one query. */
export async function readLeavesAt(
  table: Table,
  log: LogName,
  indexes: readonly number[],
): Promise<ReadonlyMap<number, AuditLeaf>> {
  const numbers = [...new Set(indexes)].toSorted((a, b) => a - b)
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)]
  const isDense = last - first < numbers.length * LEAVES_A_UNIT
  const items = isDense
    ? await readRange(table, leavesRange(log, first, last + 1))
    : await readItems(
        table,
        numbers.map((index) => auditLeafKey(log, index)),
      )
  const leaves = items.map((item) => auditLeafEntity.decode(item))
  return new Map(leaves.map((leaf) => [leaf.index, leaf]))
}

/** Which leaf something is; undefined if it is not in the log, or not yet. */
export async function readPlace(table: Table, log: LogName, name: string): Promise<number | undefined> {
  const item = await readItem(table, auditPlaceKey(log, name))
  return item && auditPlaceEntity.decode(item).index
}

/** The same of many, by name; those that are not in the log are left out. */
export async function readPlaces(
  table: Table,
  log: LogName,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const nameAt = new Map(names.map((name) => [auditPlaceKey(log, name).sk, name]))
  const items = await readItems(
    table,
    [...nameAt.values()].map((name) => auditPlaceKey(log, name)),
  )
  return new Map(
    items.map((item) => [nameAt.get(String(item['sk'])) ?? '', auditPlaceEntity.decode(item).index]),
  )
}

/** The same of all whose names lie between two, these included, in one query. */
export async function readPlacesBetween(
  table: Table,
  log: LogName,
  first: string,
  last: string,
): Promise<ReadonlyMap<string, number>> {
  const between = [auditPlaceKey(log, first).sk, auditPlaceKey(log, last).sk] as const
  const items = await readRange(table, { pk: auditLogOf(log), between })
  return new Map(
    items.map((item) => [
      decodeURIComponent(String(item['sk']).slice(AUDIT_PLACE_PREFIX.length)),
      auditPlaceEntity.decode(item).index,
    ]),
  )
}

/** The leaves of a log from one on, up to, not including, another; at least one. */
export const leavesRange = (log: LogName, from: number, upTo: number) => ({
  pk: auditLogOf(log),
  between: [auditLeafKey(log, from).sk, auditLeafKey(log, upTo - 1).sk] as const,
})

/** The last checkpoint that was signed. */
export async function readSigned(table: Table, log: LogName): Promise<SignedCheckpoint | undefined> {
  const item = await readItem(table, auditSignedKey(log))
  return item && signedCheckpointEntity.decode(item)
}

/** The newest of the checkpoints that are kept, which is the last signed one if nobody tampered with it. */
export async function readLastCheckpoint(table: Table, log: LogName): Promise<SignedCheckpoint | undefined> {
  const range = { pk: auditLogOf(log), prefix: AUDIT_CHECKPOINT_PREFIX, newestFirst: true }
  const [item] = await readFirst(table, range, 1)
  return item && signedCheckpointEntity.decode(item)
}

/** The checkpoint that was signed at a size. */
export async function readCheckpoint(
  table: Table,
  log: LogName,
  size: number,
): Promise<SignedCheckpoint | undefined> {
  const item = await readItem(table, auditCheckpointKey(log, size))
  return item && signedCheckpointEntity.decode(item)
}

/** Makes a checkpoint the last signed one, if that still is the one it was signed after, and keeps it for good. */
export function writeSigned(
  log: LogName,
  before: SignedCheckpoint | undefined,
  after: SignedCheckpoint,
): { readonly signed: Action; readonly checkpoint: Action } {
  const item = signedCheckpointEntity.encode(auditSignedKey(log), after)
  const kept = signedCheckpointEntity.encode(auditCheckpointKey(log, after.size), after)
  if (before === undefined) return { signed: putOnce(item), checkpoint: putOnce(kept) }
  const signed: Action = {
    kind: 'put',
    item,
    condition: '#size = :size AND #root = :root',
    names: { '#size': 'size', '#root': 'root' },
    values: { ':size': before.size, ':root': before.root },
  }
  return { signed, checkpoint: putOnce(kept) }
}

/** Checkpoints that are to come into the log of all of them. */
export const unanchoredRange = { pk: AUDIT_UNANCHORED } as const
export const putUnanchored = (log: LogName, size: number): Action =>
  putOnce(unanchoredEntity.encode(auditUnanchoredKey(log, size), { log, size }))
export const removeUnanchored = (log: LogName, size: number): Remove => ({
  kind: 'remove',
  key: auditUnanchoredKey(log, size),
})
