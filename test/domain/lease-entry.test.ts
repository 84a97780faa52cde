import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeEntry, type Entry, encodeEntry, nextGeneration } from '../../shared/domain/lease-entry.ts'

const U16 = { min: 0, max: 0xffff }
const entries = fc
  .record({
    kind: fc.constantFrom<Entry['kind']>('lease', 'shared', 'hold', 'borrow'),
    units: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_000_000 })),
    overdraft: fc.boolean(),
    until: fc.integer({ min: 0x20_0000, max: 0xffff_ffff }),
    span: fc.integer({ min: 0, max: 0x1f_ffff }),
    generation: fc.integer(U16),
    sharers: fc.integer(U16),
  })
  .map(
    ({ span, ...rest }): Entry => ({
      ...rest,
      beat: rest.until - span,
      sharers: rest.kind === 'shared' ? rest.sharers : 0,
    }),
  )

test('an entry is what was stored', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
    }),
  )
})

test('a lease of one unit takes 9 bytes', () => {
  fc.assert(
    fc.property(entries, (entry) => {
      const size = 9 + (entry.kind === 'shared' ? 2 : 0) + (entry.units === 1 ? 0 : 4)
      expect(encodeEntry(entry)).toHaveLength(size)
    }),
  )
})

test('a span too long to keep makes the last beat unknown, and nothing else', () => {
  const entry: Entry = {
    kind: 'borrow',
    units: 2,
    overdraft: true,
    until: 3_000_000_000,
    beat: 1,
    generation: 3,
    sharers: 0,
  }
  expect(decodeEntry(encodeEntry(entry))).toEqual({ ...entry, beat: entry.until })
})

test('generations begin again after the last', () => {
  expect([nextGeneration(0), nextGeneration(0xffff)]).toEqual([1, 0])
})
