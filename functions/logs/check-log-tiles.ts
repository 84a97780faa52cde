import type { LogName } from '../../shared/domain/checkpoint.ts'
import { type Hash, leafHash } from '../../shared/domain/merkle.ts'
import { bundled, joinedHashes, perfect, TILE_WIDTH } from '../../shared/domain/tile.ts'
import type { LogPlace } from '../../shared/store/audit-check.ts'
import { type AuditLeaf, frontierIn, readTile } from '../../shared/store/audit-log.ts'
import { CorruptItemError, readable } from '../../shared/store/codec.ts'
import { AUDIT_TILE_PREFIX, auditHeadKey, auditTileKey, type Key } from '../../shared/store/keys.ts'
import { readFirst, readItem } from '../../shared/store/read.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { Finder } from './check-log.ts'

/** Makes the tiles of a log of its leaves, one after the other, and holds those that are stored against them. */
export class TileWalk {
  readonly #table: Table
  readonly #log: LogName
  readonly #find: Finder
  #entries: Uint8Array[]
  /** Of each level above the leaves, its hashes so far, of the tile at its end. */
  readonly #above: { index: number; hashes: Hash[] }[]
  #isWhole: boolean

  /** @param from where the leaves before it were read */
  constructor(table: Table, log: LogName, find: Finder, from: LogPlace) {
    this.#table = table
    this.#log = log
    this.#find = find
    this.#entries = from.entries.map(bytesOf)
    this.#above = from.tiles.map(({ index, hashes }) => ({ index, hashes: hashes.map(bytesOf) }))
    this.#isWhole = from.peaks !== undefined
  }

  /** What one needs to go on from here. */
  get place(): Pick<LogPlace, 'entries' | 'tiles'> {
    return {
      entries: this.#entries.map(base64),
      tiles: this.#above.map(({ index, hashes }) => ({ index, hashes: hashes.map(base64) })),
    }
  }

  /** @param isWhole no leaf before it is missing: of what is not whole one cannot tell */
  async grown({ index, entry }: AuditLeaf, isWhole: boolean): Promise<void> {
    this.#isWhole &&= isWhole
    if (!this.#isWhole) return
    this.#entries.push(entry)
    if (this.#entries.length < TILE_WIDTH) return
    const number = Math.floor(index / TILE_WIDTH)
    await this.#compare(0, number, bundled(this.#entries), 'whole')
    const hash = perfect(this.#entries.map(leafHash))
    this.#entries = []
    if (hash !== undefined) await this.#add(1, hash)
  }

  /** The tiles above that are not full yet. */
  async end(): Promise<void> {
    if (!this.#isWhole) return
    for (const [place, { index, hashes }] of this.#above.entries())
      if (hashes.length > 0) await this.#compare(place + 1, index, joinedHashes(hashes), 'beginning')
  }

  async #add(level: number, hash: Hash): Promise<void> {
    const tile = this.#above[level - 1] ?? { index: 0, hashes: [] }
    this.#above[level - 1] = tile
    tile.hashes.push(hash)
    if (tile.hashes.length < TILE_WIDTH) return
    await this.#compare(level, tile.index, joinedHashes(tile.hashes), 'whole')
    const above = perfect(tile.hashes)
    this.#above[level - 1] = { index: tile.index + 1, hashes: [] }
    if (above !== undefined) await this.#add(level + 1, above)
  }

  /** A tile at the end may have grown since. */
  async #compare(level: number, index: number, made: Uint8Array, part: 'whole' | 'beginning'): Promise<void> {
    const key = auditTileKey(this.#log, level, index)
    const stored = await readTile(this.#table, this.#log, level, index).catch(nothingOf)
    if (stored === undefined) return this.#find('TILE_MISSING', key)
    const compared = part === 'beginning' ? stored.subarray(0, made.length) : stored
    if (Buffer.compare(compared, made) !== 0) this.#find('TILE_CHANGED', key)
  }
}

/** Of each level no more than these are told. */
const MOST_STRAY = 50

/**
 * Tiles that lie where a log of this size has none: at each level behind the last one, which is all that is read.
 * A tile that came with leaves since is none of them.
 */
export async function strayTiles(table: Table, log: LogName, size: number, find: Finder): Promise<void> {
  const found: Key[] = []
  for (let level = 0, count = 1; count > 0; level += 1) {
    count = tilesOf(level, size)
    const { pk, sk } = auditTileKey(log, level, count)
    // Above a level without a tile there is none.
    const last = count > 0 ? `${sk.slice(0, sk.lastIndexOf('#'))}#~` : `${AUDIT_TILE_PREFIX}~`
    const rows = await readFirst(table, { pk, between: [sk, last] }, MOST_STRAY)
    found.push(...rows.map((row) => ({ pk, sk: String(row['sk']) })))
  }
  if (found.length === 0) return
  const head = await readItem(table, auditHeadKey(log))
  const later = head && readable(() => frontierIn(head))
  for (const key of found) {
    const [, level = 0, index = 0] = key.sk.split('#').map(Number)
    const isStored = index < tilesOf(level, Math.max(size, later?.size ?? 0))
    if (!isStored) find('TILE_INSERTED', key)
  }
}

/** How many tiles are stored of a level: of the leaves those that are full. */
function tilesOf(level: number, size: number): number {
  const tiles = Math.floor(size / TILE_WIDTH ** level) / TILE_WIDTH
  return level === 0 ? Math.floor(tiles) : Math.ceil(tiles)
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** A row that is no tile holds no hash. */
function nothingOf(error: unknown): Uint8Array {
  if (error instanceof CorruptItemError) return Buffer.of()
  throw error
}
