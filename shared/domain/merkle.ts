import { createHash } from 'node:crypto'

/** A SHA-256: 32 bytes. */
export type Hash = Uint8Array
export const HASH_BYTES = 32

const sha256 = (...parts: readonly Uint8Array[]): Hash => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** The hash of an entry (RFC 6962, section 2.1): one that cannot be taken for a node's. */
export const leafHash = (entry: Uint8Array): Hash => sha256(LEAF, entry)
export const nodeHash = (left: Hash, right: Hash): Hash => sha256(NODE, left, right)

/** The root of a log that has no entry. */
export const EMPTY_ROOT: Hash = sha256()

export const sameHash = (one: Hash, other: Hash): boolean => Buffer.compare(one, other) === 0

/** The largest power of two below a number above 1: where a tree of so many leaves divides (RFC 6962, section 2.1). */
export function split(leaves: number): number {
  let half = 1
  while (half * 2 < leaves) half *= 2
  return half
}

/**
 * A tree that only grows: its size, and the roots of the perfect trees that it is made of, the largest first, one for
 * each 1 in its size as a binary number. That is all one needs to add to it, and its root follows from it.
 */
export type Frontier = { readonly size: number; readonly peaks: readonly Hash[] }
export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] }

/** The tree with one leaf more. */
export function grown({ size, peaks }: Frontier, leaf: Hash): Frontier {
  const next = [...peaks, leaf]
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    const [left, right] = next.splice(-2)
    if (left === undefined || right === undefined) throw new RangeError('a frontier has too few peaks')
    next.push(nodeHash(left, right))
  }
  return { size: size + 1, peaks: next }
}

/** Is it of the form of one? A root of another number of peaks would be the root of something else. */
export const isFrontier = ({ size, peaks }: Frontier): boolean =>
  peaks.length === [...size.toString(2)].filter((bit) => bit === '1').length &&
  peaks.every(({ length }) => length === HASH_BYTES)

export const rootOf = ({ peaks }: Frontier): Hash => bagged(peaks) ?? EMPTY_ROOT

/** One root of several trees that lie side by side, each as large as all to the right of it or larger. */
export function bagged(roots: readonly Hash[]): Hash | undefined {
  return roots.reduceRight<Hash | undefined>(
    (right, left) => (right === undefined ? left : nodeHash(left, right)),
    undefined,
  )
}
