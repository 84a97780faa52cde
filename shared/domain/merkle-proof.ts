import { bagged, EMPTY_ROOT, type Hash, nodeHash, sameHash, split } from './merkle.ts'

/** Leaves from one number up to, not including, another. */
export type Span = readonly [from: number, upTo: number]

/** A perfect tree inside a log: that of the leaves `index * 2^level` up to `(index + 1) * 2^level`. */
export type Node = { readonly level: number; readonly index: number }

/**
 * The spans whose tree hashes prove that a leaf is in a tree of some size, from the leaf to the root: PATH(m, D[n]) of RFC
 * 6962, section 2.1.1.
 */
export function inclusionSpans(index: number, size: number): Span[] {
  demand(Number.isInteger(index) && index >= 0 && index < size, 'the leaf is not in the tree')
  const path = (from: number, upTo: number): Span[] => {
    if (upTo - from === 1) return []
    const middle = from + split(upTo - from)
    return index < middle ? [...path(from, middle), [middle, upTo]] : [...path(middle, upTo), [from, middle]]
  }
  return path(0, size)
}

/**
 * The spans whose tree hashes prove that a tree of one size is the beginning of one of another: PROOF(m, D[n]) of RFC
 * 6962, section 2.1.2. None where one of them is empty or both are the same.
 */
export function consistencySpans(from: number, to: number): Span[] {
  demand(Number.isInteger(from) && from >= 0 && from <= to, 'the smaller tree is the larger one')
  if (from === 0 || from === to) return []
  const subproof = (start: number, end: number, isWhole: boolean): Span[] => {
    if (end === from) return isWhole ? [] : [[start, end]]
    const middle = start + split(end - start)
    return from <= middle
      ? [...subproof(start, middle, isWhole), [middle, end]]
      : [...subproof(middle, end, false), [start, middle]]
  }
  return subproof(0, to, true)
}

/** The perfect trees that the tree of a span is made of, from the left; `bagged` makes its hash of theirs. */
export function nodesOf([from, upTo]: Span): Node[] {
  const nodes: Node[] = []
  for (let start = from; start < upTo; ) {
    let level = 0
    while (start % 2 ** (level + 1) === 0 && start + 2 ** (level + 1) <= upTo) level += 1
    nodes.push({ level, index: start / 2 ** level })
    start += 2 ** level
  }
  return nodes
}

/** The tree hash of a span, out of the hashes of its perfect trees. */
export function spanHash(span: Span, hashOf: (node: Node) => Hash): Hash {
  return bagged(nodesOf(span).map(hashOf)) ?? EMPTY_ROOT
}

/** Does the proof lead from the leaf to the root? RFC 9162, section 2.1.3.2. */
export function provesInclusion(
  { index, size, leaf, root }: { index: number; size: number; leaf: Hash; root: Hash },
  proof: readonly Hash[],
): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false
  let [fn, sn, hash] = [index, size - 1, leaf]
  for (const other of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(other, hash)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else hash = nodeHash(hash, other)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && sameHash(hash, root)
}

/** A tree, as far as a checkpoint tells it. */
export type TreeHead = { readonly size: number; readonly root: Hash }

/** Does the proof show the one tree to be the beginning of the other? RFC 9162, section 2.1.4.2. */
export function provesConsistency(before: TreeHead, after: TreeHead, proof: readonly Hash[]): boolean {
  if (!Number.isSafeInteger(before.size) || !Number.isSafeInteger(after.size) || before.size > after.size)
    return false
  if (before.size === after.size) return proof.length === 0 && sameHash(before.root, after.root)
  if (before.size === 0) return proof.length === 0 && sameHash(before.root, EMPTY_ROOT)
  let [fn, sn] = [before.size - 1, after.size - 1]
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  // A perfect tree is a node of the larger one: its root is not repeated.
  const hashes = isPowerOfTwo(before.size) ? [before.root, ...proof] : proof
  const [first, ...others] = hashes
  if (first === undefined) return false
  let [old, all] = [first, first]
  for (const other of others) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      old = nodeHash(other, old)
      all = nodeHash(other, all)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else all = nodeHash(all, other)
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && sameHash(old, before.root) && sameHash(all, after.root)
}

function isPowerOfTwo(size: number): boolean {
  let power = 1
  while (power < size) power *= 2
  return power === size
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new RangeError(message)
}
