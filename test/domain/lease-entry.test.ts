import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEntry, type Entry, encodeEntry, nextGeneration } from '../../shared/domain/lease-entry.ts'
import { findLease } from '../../shared/domain/pool-lease.ts'

/** 2020-01-01; the last is in 2088. */
const FIRST = 1_577_836_800
const U16 = { min: 0, max: 0xffff }
const entries = fc
  .record({
    kind: fc.constantFrom<Entry['kind']>('lease', 'shared', 'hold', 'borrow'),
    units: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_000_000 })),
    overdraft: fc.boolean(),
    until: fc.integer({ min: FIRST, max: FIRST + 0x7fff_ffff }),
    span: fc.integer({ min: 0, max: 0x1fff }),
    generation: fc.integer(U16),
    sharers: fc.integer(U16),
    department: fc.option(fc.integer({ min: 1, max: 0xffff }), { nil: undefined }),
  })
  .map(
    ({ span, department, ...rest }): Entry => ({
      ...rest,
      beat: rest.until - span,
      sharers: rest.kind === 'shared' ? rest.sharers : 0,
      ...(department !== undefined && { department }),
    }),
  )

test('an entry is what was stored', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
    }),
  )
})

test('a lease of one unit takes 8 bytes, and what is not so of most takes more', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const more = [
        entry.kind === 'shared' ? 2 : 0,
        entry.units === 1 ? 0 : 4,
        entry.department === undefined ? 0 : 2,
      ]
      expect(encodeEntry(entry)).toHaveLength(8 + more.reduce((sum, one) => sum + one))
    }),
  )
})

const LONG: Entry = {
  kind: 'borrow',
  units: 2,
  overdraft: true,
  until: FIRST + 90_000_000,
  beat: FIRST,
  generation: 3,
  sharers: 0,
}

test.each([
  ['two hours', 7_200, 7_200],
  ['the last that is kept to the second', 8_191, 8_191],
  ['the first that is not', 8_192, 8_192],
  ['the longest one that is rounded', 8_447, 8_192],
  ['twelve days', 1_036_800, 1_036_800],
  ['the last that is rounded so', 1_048_575, 1_048_320],
  ['the first that is rounded by the day', 1_048_576, 1_048_576],
  ['90 days', 7_776_000, 7_730_176],
  ['ten years, the longest there is', 315_619_200, 315_544_576],
  ['more', 400_000_000, 315_544_576],
])('of a span of %s, the last beat is kept as well as it can be, and all else exactly', (_, span, kept) => {
  const entry = { ...LONG, beat: LONG.until - span }
  expect(decodeEntry(encodeEntry(entry))).toEqual({ ...entry, beat: entry.until - kept })
})

test('what was read is written the same: a change is on the condition that it is', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 0, max: 400_000_000 }), (entry, span) => {
      const bytes = encodeEntry({ ...entry, beat: entry.until - span })
      expect(encodeEntry(decodeEntry(bytes))).toEqual(bytes)
    }),
  )
})

test.each([600, 86_400, 30 * 86_400, 3_652 * 86_400])(
  'whose heartbeat was not answered is answered again, of a lease of %d seconds, and not much later',
  (length) => {
    const now = FIRST + 200_000_000
    const before: Entry = { ...LONG, kind: 'lease', until: now + 60, beat: now - 60 }
    const beaten = { ...before, until: now + length, beat: now, generation: before.generation + 1 }
    const entries = new Map([['a', decodeEntry(encodeEntry(beaten))]])
    const pool = { fence: 1, used: 2, waiting: 0, borrowed: 0, inItem: 1, paged: 0, entries, last: undefined }
    expect(findLease(pool, 'a', before, 0, now + 30).is).toBe('previous')
    const late = now + 31 + length / 12
    expect(findLease(pool, 'a', before, 0, late).is).toBe('superseded')
  },
)

test('generations begin again after the last', () => {
  expect([nextGeneration(0), nextGeneration(0xffff)]).toEqual([1, 0])
})
