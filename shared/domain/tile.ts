import { bagged, HASH_BYTES, type Hash } from './merkle.ts'
import type { Node } from './merkle-proof.ts'

/** A tile has 256 hashes: eight levels of the tree (C2SP tlog-tiles). */
export const TILE_WIDTH = 256
const TILE_HEIGHT = 8

/** A row of hashes of perfect trees: of level `8 * level`, from number `256 * index` on. */
export type TileAddress = { readonly level: number; readonly index: number }

/** How many hashes a tile has in a log of this size; 256 is all of them. */
export function tileWidth({ level, index }: TileAddress, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level)
  return Math.min(TILE_WIDTH, Math.max(0, hashes - index * TILE_WIDTH))
}

/** The tiles above the leaves that get another hash when a log grows to this size: for each level, the one at its end. */
export function tilesCompletedAt(size: number): TileAddress[] {
  const tiles: TileAddress[] = []
  for (let level = 1; size > 0 && size % TILE_WIDTH ** level === 0; level += 1) {
    const hashes = size / TILE_WIDTH ** level
    tiles.push({ level, index: Math.floor((hashes - 1) / TILE_WIDTH) })
  }
  return tiles
}

/** In which tile the hash of a perfect tree is found, and from which of its hashes it is made. */
export function placeOf({ level, index }: Node): {
  readonly tile: TileAddress
  readonly from: number
  readonly count: number
} {
  const tileLevel = Math.floor(level / TILE_HEIGHT)
  const count = 2 ** (level - tileLevel * TILE_HEIGHT)
  const first = index * count
  const tile = { level: tileLevel, index: Math.floor(first / TILE_WIDTH) }
  return { tile, from: first - tile.index * TILE_WIDTH, count }
}

/** The hash of a perfect tree, out of its tile; undefined where the tile does not reach so far. */
export function hashIn(
  tile: readonly Hash[],
  { from, count }: { from: number; count: number },
): Hash | undefined {
  const hashes = tile.slice(from, from + count)
  return hashes.length === count ? perfect(hashes) : undefined
}

/** The root of a perfect tree over these; their number is a power of two. */
export function perfect(hashes: readonly Hash[]): Hash | undefined {
  if (hashes.length <= 2) return bagged(hashes)
  const middle = hashes.length / 2
  const [left, right] = [perfect(hashes.slice(0, middle)), perfect(hashes.slice(middle))]
  return left && right && bagged([left, right])
}

export const joinedHashes = (hashes: readonly Hash[]): Uint8Array => Buffer.concat(hashes)

/** The hashes in a tile's bytes. */
export function hashesOf(bytes: Uint8Array): Hash[] {
  return Array.from({ length: Math.floor(bytes.length / HASH_BYTES) }, (_, index) =>
    bytes.slice(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  )
}

/** An entry bundle: each entry behind its length, of two bytes, big-endian. An entry has fewer than 64 KiB. */
export function bundled(entries: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(entry.length)
      return [length, entry]
    }),
  )
}

/** The entries of a bundle; undefined where it is none. */
export function entriesOf(bundle: Uint8Array): Uint8Array[] | undefined {
  const entries: Uint8Array[] = []
  const bytes = Buffer.from(bundle)
  for (let place = 0; place < bytes.length; ) {
    if (place + 2 > bytes.length) return undefined
    const end = place + 2 + bytes.readUInt16BE(place)
    if (end > bytes.length) return undefined
    entries.push(bytes.subarray(place + 2, end))
    place = end
  }
  return entries
}

/** What a client asks for: hashes of a level, or entries; all 256 of the tile unless a width is named. */
type TileRequest = {
  readonly level: number | 'entries'
  readonly index: number
  readonly width: number
}

const PATH = /^(entries|[0-9]|[1-5][0-9]|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/
/** Enough for 2^53 leaves. */
const MOST_GROUPS = 6

/**
 * What the path of a tile, behind `tile/`, asks for; undefined where it is none. Its number is in groups of three digits,
 * all but the last with an `x`: 1234067 is `x001/x234/067`.
 */
export function parseTilePath(path: string): TileRequest | undefined {
  const [, level, number = '', width] = PATH.exec(path) ?? []
  if (level === undefined) return undefined
  const groups = number.split('/')
  // There is one way to write each number: no group of zeros in front.
  if (groups.length > MOST_GROUPS || (groups.length > 1 && groups[0] === 'x000')) return undefined
  const index = Number(groups.map((group) => group.replace('x', '')).join(''))
  const partial = width === undefined ? TILE_WIDTH : Number(width)
  if (width !== undefined && partial >= TILE_WIDTH) return undefined
  return { level: level === 'entries' ? level : Number(level), index, width: partial }
}
