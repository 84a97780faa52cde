import { type LogName, receipt } from '../../shared/domain/checkpoint.ts'
import { type Hash, leafHash, rootOf } from '../../shared/domain/merkle.ts'
import { consistencySpans, inclusionSpans } from '../../shared/domain/merkle-proof.ts'
import { notFound, type Refusal } from '../../shared/domain/refusal.ts'
import { bundled, joinedHashes, parseTilePath, TILE_WIDTH, tileWidth } from '../../shared/domain/tile.ts'
import { epochMilliseconds, type Instant } from '../../shared/platform/time.ts'
import {
  readCheckpoint,
  readHead,
  readPlace,
  readSigned,
  type SignedCheckpoint,
} from '../../shared/store/audit-log.ts'
import { LogTiles } from '../../shared/store/audit-tiles.ts'
import { publish } from './publish.ts'
import type { AuditServices } from './services.ts'

/** Milliseconds that a checkpoint may be behind its log before who asks for it has another signed. */
const STALE_AFTER = 10_000

type Asking = { readonly now: Instant; readonly requestId: string }
type SizeQuery = { readonly size?: number | undefined }

/** The checkpoint of a size, or the last one: signed now where the log has grown and that was signed a while ago. */
export async function checkpointFor(
  log: LogName,
  { size }: SizeQuery,
  asking: Asking,
  services: AuditServices,
): Promise<SignedCheckpoint | Refusal> {
  const { table } = services
  if (size !== undefined) return (await readCheckpoint(table, log, size)) ?? notFound
  const last = await readSigned(table, log)
  const age = last && epochMilliseconds(asking.now) - epochMilliseconds(last.signedAt)
  if (last !== undefined && age !== undefined && age < STALE_AFTER) return last
  return (await publish(log, asking, services))?.checkpoint ?? notFound
}

/** The bytes of a tile, as far as the log goes; a partial one as wide as asked for. */
export async function tileFor(
  log: LogName,
  path: string,
  { table }: AuditServices,
): Promise<Uint8Array | Refusal> {
  const asked = parseTilePath(path)
  if (asked === undefined) return notFound
  const { size } = await readHead(table, log)
  const level = asked.level === 'entries' ? 0 : asked.level
  const address = { level, index: asked.index }
  if (tileWidth(address, size) < asked.width) return notFound
  const tiles = new LogTiles(table, log, size)
  if (asked.level === 'entries') return bundled((await tiles.entries(asked.index)).slice(0, asked.width))
  return joinedHashes((await tiles.hashes(address)).slice(0, Math.min(asked.width, TILE_WIDTH)))
}

export type Included = {
  readonly index: number
  readonly size: number
  readonly entry: Uint8Array
  readonly leaf: Hash
  readonly root: Hash
  readonly proof: readonly Hash[]
}

/** An entry and the proof that it is in the log of a size: of now, unless said otherwise. */
export async function inclusionOf(
  log: LogName,
  which: { readonly name: string } | { readonly index: number },
  { size: asked }: SizeQuery,
  { table }: AuditServices,
): Promise<Included | Refusal> {
  const head = await readHead(table, log)
  const index = 'index' in which ? which.index : await readPlace(table, log, which.name)
  const size = asked ?? head.size
  if (index === undefined || index >= size || size > head.size) return notFound
  const tiles = new LogTiles(table, log, head.size)
  const entry = (await tiles.entries(Math.floor(index / TILE_WIDTH)))[index % TILE_WIDTH]
  if (entry === undefined) throw new Error(`the log ${log} has no entry ${index}`)
  const [root, ...proof] =
    size === head.size
      ? [rootOf(head), ...(await tiles.hashesOf(inclusionSpans(index, size)))]
      : await tiles.hashesOf([[0, size], ...inclusionSpans(index, size)])
  if (root === undefined) throw new Error('a log with an entry has a root')
  return { index, size, entry, leaf: leafHash(entry), root, proof }
}

/** The proof that the log of one size is the beginning of it at another: as it is now, unless said otherwise. */
export async function consistencyOf(
  log: LogName,
  { from, to: asked }: { readonly from: number; readonly to?: number | undefined },
  { table }: AuditServices,
): Promise<{ from: number; to: number; proof: string[] } | Refusal> {
  const { size } = await readHead(table, log)
  const to = asked ?? size
  if (size === 0 || from > to || to > size) return notFound
  const proof = await new LogTiles(table, log, size).hashesOf(consistencySpans(from, to))
  return { from, to, proof: proof.map(base64) }
}

/** What one keeps of an event: index, proof, and the signed checkpoint it leads to. */
export async function receiptOf(
  log: LogName,
  which: { readonly name: string } | { readonly index: number },
  query: SizeQuery,
  asking: Asking,
  services: AuditServices,
): Promise<string | Refusal> {
  const { table } = services
  const index = 'index' in which ? which.index : await readPlace(table, log, which.name)
  if (index === undefined) return notFound
  let checkpoint = await checkpointFor(log, query, asking, services)
  // It is in the log, and the last checkpoint is from before: who asks for its receipt has one signed.
  if (!('refused' in checkpoint) && query.size === undefined && checkpoint.size <= index)
    checkpoint = (await publish(log, asking, services))?.checkpoint ?? notFound
  if ('refused' in checkpoint) return checkpoint
  const included = await inclusionOf(log, { index }, { size: checkpoint.size }, services)
  return 'refused' in included ? included : receipt(index, included.proof, checkpoint.note)
}

export const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
