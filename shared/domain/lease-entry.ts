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
  /** When it was granted or renewed last; `until` if that is longer ago than can be kept. */
  readonly beat: Seconds
  /** 16 bits; wraps around. */
  readonly generation: number
  /** A set of 16 bits, for `shared` alone; 0 elsewhere. */
  readonly sharers: number
  /** The code of the department whose share it counts towards, if that has one; 16 bits. See shares.ts. */
  readonly department?: number
}

const KINDS = ['lease', 'shared', 'hold', 'borrow'] as const
/** 21 bits: 24 days. */
const LONGEST_SPAN = 0x1f_ffff

/**
 * Nine bytes for a lease of one unit: end (4), kind, overdraft and seconds since the last beat (3), generation (2); then
 * the sharers (2) if it is shared, the units (4) if they are not 1, the department (2) if that has a share. With a name of 8 characters a lease costs 17 bytes
 * of its pool's item, so that 40 of them and all else fit into the 1 KB of one write unit.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const span = entry.until - entry.beat
  const kept = span > LONGEST_SPAN ? 0 : Math.max(0, span)
  const flags = (KINDS.indexOf(entry.kind) << 1) | Number(entry.overdraft)
  const bytes = Buffer.alloc(9)
  bytes.writeUInt32BE(entry.until, 0)
  bytes.writeUIntBE(flags * (LONGEST_SPAN + 1) + kept, 4, 3)
  bytes.writeUInt16BE(entry.generation, 7)
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
  const packed = buffer.readUIntBE(4, 3)
  const flags = Math.floor(packed / (LONGEST_SPAN + 1))
  const kind = KINDS[flags >> 1] ?? 'lease'
  const until = buffer.readUInt32BE(0)
  const tail = kind === 'shared' ? 11 : 9
  // What follows is told by its length: 2 is a department, 4 are units, 6 are both.
  const rest = buffer.length - tail
  return {
    kind,
    overdraft: (flags & 1) === 1,
    until,
    beat: until - (packed % (LONGEST_SPAN + 1)),
    generation: buffer.readUInt16BE(7),
    sharers: kind === 'shared' ? buffer.readUInt16BE(9) : 0,
    units: rest >= 4 ? buffer.readUInt32BE(tail) : 1,
    ...(rest % 4 === 2 && { department: buffer.readUInt16BE(buffer.length - 2) }),
  }
}

/** The generation after this one. */
export const nextGeneration = (generation: number) => (generation + 1) % 0x1_0000

export function sameEntry(a: Entry, b: Entry): boolean {
  return Buffer.compare(encodeEntry(a), encodeEntry(b)) === 0
}
