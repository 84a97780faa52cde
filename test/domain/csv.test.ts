import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { csvLine, unguarded } from '../../shared/domain/csv.ts'

const cell = fc.oneof(fc.string(), fc.stringMatching(/^'?[=+\-@\t\r'",\n]{0,4}[a-z]{0,3}$/))

test('any cells come back as they were, and none begins as a formula does', () => {
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 5 }), (cells) => {
      const [row = []]: string[][] = parse(csvLine(cells), { record_delimiter: '\r\n' })
      expect(row.filter((text) => /^[=+\-@\t\r]/.test(text))).toEqual([])
      expect(row.map(unguarded)).toEqual(cells)
    }),
  )
})
