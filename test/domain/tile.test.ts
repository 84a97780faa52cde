import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  EMPTY_FRONTIER,
  type Frontier,
  grown,
  type Hash,
  leafHash,
  nodeHash,
  rootOf,
} from '../../shared/domain/merkle.ts'
import { spanHash } from '../../shared/domain/merkle-proof.ts'
import {
  bundled,
  entriesOf,
  hashesOf,
  hashIn,
  joinedHashes,
  parseTilePath,
  placeOf,
  type TileAddress,
  tilesCompletedAt,
  tileWidth,
} from '../../shared/domain/tile.ts'

test.each([
  ['0/000', { level: 0, index: 0, width: 256 }],
  ['0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
  ['1/005.p/8', { level: 1, index: 5, width: 8 }],
  ['entries/x001/000.p/255', { level: 'entries', index: 1000, width: 255 }],
] as const)('%s asks for a tile', (path, request) => {
  expect(parseTilePath(path)).toEqual(request)
})

test.each([
  '',
  '0',
  '0/0',
  '0/1234',
  '64/000',
  '-1/000',
  '0/001/000',
  '0/x000/001',
  '0/000.p/0',
  '0/000.p/256',
  '0/000.p/01',
  '0/000.p/',
  '00/000',
  '0/000/',
  '/0/000',
  '0/x001/x000',
  'entries/../000',
  '0/０００',
])('%s asks for none', (path) => {
  expect(parseTilePath(path)).toBeUndefined()
})

const TREE = 70_000
const leaves = Array.from({ length: TREE }, (_, index) => leafHash(Buffer.from(`${index}`)))
/** Every level of the tree, as far as its nodes are perfect. */
const levels: Hash[][] = [leaves]
for (let below = leaves; below.length > 1; below = levels.at(-1) ?? []) {
  const above: Hash[] = []
  for (let index = 0; index + 1 < below.length; index += 2)
    above.push(nodeHash(below[index] ?? Buffer.of(), below[index + 1] ?? Buffer.of()))
  levels.push(above)
}
const tileOf = ({ level, index }: TileAddress, size: number) =>
  (levels[level * 8] ?? []).slice(index * 256, index * 256 + tileWidth({ level, index }, size))

test('the root of a log of any size is made of the hashes that its tiles have at that size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: TREE }), (size) => {
      const root = spanHash([0, size], (node) => {
        const place = placeOf(node)
        return hashIn(tileOf(place.tile, size), place) ?? Buffer.of()
      })
      const nodes = spanHash([0, size], ({ level, index }) => levels[level]?.[index] ?? Buffer.of())
      expect(Buffer.compare(root, nodes)).toBe(0)
    }),
  )
  const small = leaves.slice(0, 1000).reduce<Frontier>(grown, EMPTY_FRONTIER)
  const tiled = spanHash([0, 1000], (node) => {
    const place = placeOf(node)
    return hashIn(tileOf(place.tile, 1000), place) ?? Buffer.of()
  })
  expect(Buffer.compare(rootOf(small), tiled)).toBe(0)
})

test('a tile above the leaves grows exactly when the one below it is full', () => {
  expect(tilesCompletedAt(255)).toEqual([])
  expect(tilesCompletedAt(256)).toEqual([{ level: 1, index: 0 }])
  expect(tilesCompletedAt(65_536 + 256)).toEqual([{ level: 1, index: 1 }])
  expect(tilesCompletedAt(65_536)).toEqual([
    { level: 1, index: 0 },
    { level: 2, index: 0 },
  ])
  expect([tileWidth({ level: 0, index: 1 }, 300), tileWidth({ level: 1, index: 0 }, 300)]).toEqual([44, 1])
  expect([tileWidth({ level: 0, index: 2 }, 300), tileWidth({ level: 0, index: 0 }, 300)]).toEqual([0, 256])
})

test('a bundle holds its entries, and nothing else is one', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (entries) => {
      const bundle = bundled(entries)
      expect(entriesOf(bundle)?.map((entry) => [...entry])).toEqual(entries.map((entry) => [...entry]))
      if (entries.length > 0) expect(entriesOf(bundle.slice(0, -1))?.length).not.toBe(entries.length)
    }),
  )
  expect(entriesOf(Uint8Array.of(0, 3, 1, 2))).toBeUndefined()
  expect(hashesOf(joinedHashes(leaves.slice(0, 3))).map((hash) => [...hash])).toEqual(
    leaves.slice(0, 3).map((hash) => [...hash]),
  )
})
