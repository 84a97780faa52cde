import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEntry, type Entry, encodeEntry, nextGeneration } from '../../shared/domain/lease-entry.ts'

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
  ['24 days', 2_073_600, 2_073_600],
  ['the longest that is kept', 2_097_151, 2_096_896],
  ['one too long to keep', 2_097_152, 0],
  ['years', 90_000_000, 0],
])('of a span of %s, the last beat is kept as well as it can be, and all else exactly', (_, span, kept) => {
  const entry = { ...LONG, beat: LONG.until - span }
  expect(decodeEntry(encodeEntry(entry))).toEqual({ ...entry, beat: entry.until - kept })
})

test('what was read is written the same: a change is on the condition that it is', () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 0, max: 0x3f_ffff }), (entry, span) => {
      const bytes = encodeEntry({ ...entry, beat: entry.until - span })
      expect(encodeEntry(decodeEntry(bytes))).toEqual(bytes)
    }),
  )
})

test('generations begin again after the last', () => {
  expect([nextGeneration(0), nextGeneration(0xffff)]).toEqual([1, 0])
})
