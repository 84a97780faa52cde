import type { Refusal } from '../../shared/domain/refusal.ts'
import { type Line, type ReadLines, readImport } from '../import-lines.ts'
import { ImportRow } from './import-contract.ts'

export type NumberedRow = Line<ImportRow>
export type ReadRows = ReadLines<ImportRow>

export const readRows = (body: Parameters<typeof readImport>[0]): ReadRows | Refusal =>
  readImport(body, { schema: ImportRow, rowOf: nested, once: ({ reference }) => ({ reference }) })

/** `limits.users` becomes a field of `limits`; an empty cell is an absent field. */
function nested(record: Readonly<Record<string, string>>): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  const limits: Record<string, unknown> = {}
  const features: Record<string, unknown> = {}
  for (const [column, cell] of Object.entries(record)) {
    if (cell === '') continue
    if (column.startsWith('limits.'))
      limits[column.slice('limits.'.length)] = cell === 'unlimited' ? cell : Number(cell)
    else if (column.startsWith('features.')) features[column.slice('features.'.length)] = cell
    else row[column] = cell
  }
  return { ...row, limits, features }
}
