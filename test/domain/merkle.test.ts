import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  type Frontier,
  grown,
  type Hash,
  isFrontier,
  leafHash,
  nodeHash,
  rootOf,
  sameHash,
} from '../../shared/domain/merkle.ts'
import {
  consistencySpans,
  inclusionSpans,
  type Node,
  provesConsistency,
  provesInclusion,
  spanHash,
} from '../../shared/domain/merkle-proof.ts'

const hex = (hash: Uint8Array) => Buffer.from(hash).toString('hex')
const bytes = (text: string) => Buffer.from(text, 'hex')

// The leaves and roots that the tests of Certificate Transparency's own implementations share (RFC 6962, 2.1.3 has the
// shape of the same trees).
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

/** MTH of RFC 6962, word for word. */
function treeHash(leaves: readonly Hash[]): Hash {
  const [only] = leaves
  if (only === undefined) return createHash('sha256').digest()
  if (leaves.length === 1) return only
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

const leavesOf = (size: number) =>
  Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`${index}`)))
const frontierOf = (leaves: readonly Hash[]) => leaves.reduce<Frontier>(grown, EMPTY_FRONTIER)

test('the known trees have the known roots', () => {
  const leaves = LEAVES.map((leaf) => leafHash(bytes(leaf)))
  const roots = ROOTS.map((_, size) => hex(rootOf(frontierOf(leaves.slice(0, size)))))
  expect(roots).toEqual(ROOTS)
})

test('the known proofs are those of the known tree', () => {
  const leaves = LEAVES.map((leaf) => leafHash(bytes(leaf)))
  const hashesOf = (spans: readonly (readonly [number, number])[]) =>
    spans.map(([from, upTo]) => hex(treeHash(leaves.slice(from, upTo))))
  expect(hashesOf(inclusionSpans(5, 8))).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hashesOf(consistencySpans(6, 8))).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
})

const size = fc.integer({ min: 0, max: 300 })

test('a tree that grows leaf by leaf is the tree of all of them', () => {
  const leaves = leavesOf(300)
  fc.assert(
    fc.property(size, (count) => {
      const frontier = frontierOf(leaves.slice(0, count))
      expect(hex(rootOf(frontier))).toBe(hex(treeHash(leaves.slice(0, count))))
      expect(isFrontier(frontier)).toBe(true)
      expect(isFrontier({ ...frontier, size: count + 1 }) && count % 2 === 0).toBe(false)
    }),
  )
})

describe('proofs', () => {
  const leaves = leavesOf(300)
  const nodeOf = ({ level, index }: Node) =>
    treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  const proofOf = (spans: readonly (readonly [number, number])[]) =>
    spans.map((span) => spanHash(span, nodeOf))
  const headOf = (count: number) => ({ size: count, root: treeHash(leaves.slice(0, count)) })
  const within = fc
    .integer({ min: 1, max: 300 })
    .chain((count) => fc.tuple(fc.integer({ min: 0, max: count - 1 }), fc.constant(count)))

  test('of inclusion hold for the leaf in its place, and for nothing else', () => {
    fc.assert(
      fc.property(within, size, ([index, count], other) => {
        const proof = proofOf(inclusionSpans(index, count))
        const leaf = leaves[index] ?? EMPTY_ROOT
        const claim = { index, leaf, ...headOf(count) }
        expect(provesInclusion(claim, proof)).toBe(true)
        if (other !== index && other < count) {
          expect(provesInclusion({ ...claim, leaf: leaves[other] ?? EMPTY_ROOT }, proof)).toBe(false)
          expect(provesInclusion({ ...claim, index: other }, proof)).toBe(false)
        }
        if (other !== count)
          expect(provesInclusion({ ...claim, root: headOf(other).root }, proof)).toBe(false)
        expect(provesInclusion(claim, [...proof, EMPTY_ROOT])).toBe(false)
        if (proof.length > 0) expect(provesInclusion(claim, proof.slice(1))).toBe(false)
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(count)))
      }),
    )
  })

  test('of consistency hold for a beginning of the tree, and for nothing else', () => {
    const both = fc
      .tuple(size, size)
      .map(([one, other]): [number, number] => [Math.min(one, other), Math.max(one, other)])
    fc.assert(
      fc.property(both, fc.integer({ min: 0, max: 20 }), ([from, to], place) => {
        const proof = proofOf(consistencySpans(from, to))
        const [before, after] = [headOf(from), headOf(to)]
        expect(provesConsistency(before, after, proof)).toBe(true)
        // Another past of the same size, another present, a proof with a hash changed, left out or added.
        const forged = leafHash(Buffer.from('forged'))
        expect(provesConsistency({ ...before, root: forged }, after, proof)).toBe(false)
        if (from > 0) expect(provesConsistency(before, { ...after, root: forged }, proof)).toBe(false)
        expect(provesConsistency(before, after, [...proof, forged])).toBe(false)
        const changed = proof.map((hash, index) => (index === place % proof.length ? forged : hash))
        if (proof.length > 0) expect(provesConsistency(before, after, changed)).toBe(false)
        if (proof.length > 0) expect(provesConsistency(before, after, proof.slice(0, -1))).toBe(false)
      }),
    )
  })

  test('are refused for what is in no tree', () => {
    expect(() => inclusionSpans(3, 3)).toThrow(RangeError)
    expect(() => consistencySpans(4, 3)).toThrow(RangeError)
    expect(provesInclusion({ index: -1, size: 1, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, [])).toBe(false)
    expect(provesInclusion({ index: 1, size: 1, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, [])).toBe(false)
    expect(provesInclusion({ index: 0, size: 0, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, [])).toBe(false)
    expect(provesInclusion({ index: Number.NaN, size: 1, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, [])).toBe(
      false,
    )
    expect(provesInclusion({ index: 0, size: 1.5, leaf: EMPTY_ROOT, root: EMPTY_ROOT }, [])).toBe(false)
    expect(provesConsistency(headOf(3), headOf(2), [])).toBe(false)
    expect(sameHash(EMPTY_ROOT, headOf(0).root)).toBe(true)
  })
})
