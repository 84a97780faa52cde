import type { LogName } from '../domain/checkpoint.ts'
import { type Hash, leafHash } from '../domain/merkle.ts'
import { type Node, nodesOf, type Span, spanHash } from '../domain/merkle-proof.ts'
import { entriesOf, hashesOf, hashIn, placeOf, TILE_WIDTH, type TileAddress } from '../domain/tile.ts'
import { Remembered } from '../platform/remembered.ts'
import { type AuditLeaf, auditLeafEntity, leavesRange, readTile } from './audit-log.ts'
import { readRange } from './read.ts'
import type { Table } from './transact.ts'

/** The leaves from one number up to, not including, another, in order. */
export async function readLeaves(
  table: Table,
  log: LogName,
  from: number,
  upTo: number,
): Promise<AuditLeaf[]> {
  if (from >= upTo) return []
  return (await readRange(table, leavesRange(log, from, upTo))).map((item) => auditLeafEntity.decode(item))
}

/** Tiles that one remembers: 8 KB each. */
const REMEMBERED = 64

/**
 * The tiles of a log up to a size, each read once as long as it is remembered. Full tiles of leaves are one row; the one
 * at the end is made of its leaves.
 */
export class LogTiles {
  readonly #table: Table
  readonly #log: LogName
  readonly #size: number
  readonly #bundles = new Remembered<number, Promise<Uint8Array[]>>(REMEMBERED)
  readonly #tiles = new Remembered<string, Promise<Hash[]>>(REMEMBERED)

  constructor(table: Table, log: LogName, size: number) {
    this.#table = table
    this.#log = log
    this.#size = size
  }

  /** The entries of a tile of leaves, as far as the log goes. */
  entries(index: number): Promise<Uint8Array[]> {
    const known = this.#bundles.get(index) ?? this.#readEntries(index)
    this.#bundles.set(index, known)
    return known
  }

  /** The hashes of a tile; more than the log has at its size where it has grown since. */
  hashes({ level, index }: TileAddress): Promise<Hash[]> {
    const name = `${level}/${index}`
    const known = this.#tiles.get(name) ?? this.#readHashes(level, index)
    this.#tiles.set(name, known)
    return known
  }

  /** The tree hashes of spans within the log's size, as proofs are made of. */
  async hashesOf(spans: readonly Span[]): Promise<Hash[]> {
    const nodes = spans.flatMap(nodesOf)
    const found = await Promise.all(nodes.map((node) => this.#hashOf(node)))
    const hashes = new Map(nodes.map((node, place) => [nameOf(node), found[place]]))
    return spans.map((span) =>
      spanHash(span, (node) => {
        const hash = hashes.get(nameOf(node))
        if (hash === undefined)
          throw new Error(`the log ${this.#log} of size ${this.#size} has no hash of ${nameOf(node)}`)
        return hash
      }),
    )
  }

  async #hashOf(node: Node): Promise<Hash | undefined> {
    const place = placeOf(node)
    return hashIn(await this.hashes(place.tile), place)
  }

  async #readEntries(index: number): Promise<Uint8Array[]> {
    const from = index * TILE_WIDTH
    const upTo = Math.min(from + TILE_WIDTH, this.#size)
    if (upTo - from < TILE_WIDTH)
      return (await readLeaves(this.#table, this.#log, from, upTo)).map(({ entry }) => entry)
    const bytes = await readTile(this.#table, this.#log, 0, index)
    return (bytes && entriesOf(bytes)) ?? []
  }

  async #readHashes(level: number, index: number): Promise<Hash[]> {
    if (level === 0) return (await this.entries(index)).map(leafHash)
    return hashesOf((await readTile(this.#table, this.#log, level, index)) ?? Buffer.of())
  }
}

const nameOf = ({ level, index }: Node) => `${level}/${index}`
