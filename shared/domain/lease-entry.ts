/** Whole seconds since 1970: what a lease's end is kept in, to be small. */
export type Seconds = number

/**
 * What a pool keeps of one lease or hold: who holds it is told by the record of the write (see lease-events.ts).
 *
 * - `lease`: a check-out; its generation rises with each heartbeat.
 * - `shared`: one unit that several processes of a user or machine share; its generation is that of the check-out, and
 *   `sharers` has a bit for each of them.
 * - `hold`: a freed place kept for a ticket until it is claimed.
 * - `borrow`: a long lease for offline use; no heartbeats.
 */
export type Entry = {
  readonly kind: 'lease' | 'shared' | 'hold' | 'borrow'
  readonly units: number
  /** Granted beyond the capacity, out of the overdraft. */
  readonly overdraft: boolean
  readonly until: Seconds
  /**
   * When it was granted or renewed last: to the second for leases of up to two hours; up to four minutes too late for those
   * of up to twelve days, and up to a day for longer ones.
   */
  readonly beat: Seconds
  /** 16 bits; wraps around. */
  readonly generation: number
  /** A set of 16 bits, for `shared` alone; 0 elsewhere. The last one stands for all who come once the others are taken. */
  readonly sharers: number
  /** The code of the department whose share it counts towards, if that has one; 16 bits. See shares.ts. */
  readonly department?: number
  /** It lies on a page of its pool, not in the item; see pool-pages.ts. Where it lies is not among its bytes. */
  readonly paged?: true
}

const KINDS = ['lease', 'shared', 'hold', 'borrow'] as const
/** The 16th bit of those who share an entry. */
export const LAST_SHARER = 0x8000
/** 2020-01-01: what ends are counted from, so that they fit into 31 bits until 2088. */
const FIRST_SECOND = 1_577_836_800
/** Spans that are kept to the second; so many more by `COARSE` seconds, and as many again by `COARSEST`, up to ten years. */
const FINE_SPANS = 0x2000
const COARSE_SPANS = FINE_SPANS / 2
const COARSE = 256
const COARSEST = 76_800
/** Twelve days. */
const LONG = COARSE_SPANS * COARSE

/**
 * Eight bytes for a lease of one unit: end and overdraft (4), kind and seconds since the last beat (2), generation (2);
 * then the sharers (2) if it is shared, the units (4) if they are not 1, the department (2) if that has a share. With a
 * name of 7 characters a lease costs 15 bytes of its pool's item, so that 50 of them and all else fit into the 1 KB of
 * one write unit.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE((entry.until - FIRST_SECOND) * 2 + Number(entry.overdraft), 0)
  bytes.writeUInt16BE(KINDS.indexOf(entry.kind) * 2 * FINE_SPANS + packSpan(entry.until - entry.beat), 4)
  bytes.writeUInt16BE(entry.generation, 6)
  const sharers = Buffer.alloc(entry.kind === 'shared' ? 2 : 0)
  if (entry.kind === 'shared') sharers.writeUInt16BE(entry.sharers)
  const units = Buffer.alloc(entry.units === 1 ? 0 : 4)
  if (entry.units !== 1) units.writeUInt32BE(entry.units)
  const department = Buffer.alloc(entry.department === undefined ? 0 : 2)
  if (entry.department !== undefined) department.writeUInt16BE(entry.department)
  return new Uint8Array(Buffer.concat([bytes, sharers, units, department]))
}

/** The entry of these bytes; throws RangeError where they are none. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const buffer = Buffer.from(bytes)
  const end = buffer.readUInt32BE(0)
  const packed = buffer.readUInt16BE(4)
  const kind = KINDS[Math.floor(packed / (2 * FINE_SPANS))] ?? 'lease'
  const until = FIRST_SECOND + Math.floor(end / 2)
  const tail = kind === 'shared' ? 10 : 8
  // What follows is told by its length: 2 is a department, 4 are units, 6 are both.
  const rest = buffer.length - tail
  return {
    kind,
    overdraft: end % 2 === 1,
    until,
    beat: until - unpackSpan(packed % (2 * FINE_SPANS)),
    generation: buffer.readUInt16BE(6),
    sharers: kind === 'shared' ? buffer.readUInt16BE(8) : 0,
    units: rest >= 4 ? buffer.readUInt32BE(tail) : 1,
    ...(rest % 4 === 2 && { department: buffer.readUInt16BE(buffer.length - 2) }),
  }
}

/** 14 bits. */
function packSpan(span: number): number {
  if (span < FINE_SPANS) return Math.max(0, span)
  if (span < LONG) return FINE_SPANS + Math.floor(span / COARSE)
  const coarse = Math.floor((span - LONG) / COARSEST)
  return FINE_SPANS + COARSE_SPANS + Math.min(coarse, COARSE_SPANS - 1)
}

function unpackSpan(packed: number): number {
  if (packed < FINE_SPANS) return packed
  const coarse = packed - FINE_SPANS
  return coarse < COARSE_SPANS ? coarse * COARSE : LONG + (coarse - COARSE_SPANS) * COARSEST
}

/** The generation after this one. */
export const nextGeneration = (generation: number) => (generation + 1) % 0x1_0000

/** Wherever they lie. */
export function sameEntry(a: Entry, b: Entry): boolean {
  return Buffer.compare(encodeEntry(a), encodeEntry(b)) === 0
}
