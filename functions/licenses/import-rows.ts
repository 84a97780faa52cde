import type { Refusal } from '../../shared/domain/refusal.ts'
import { type LineError, lineError, readLines } from '../import-lines.ts'
import { ImportRow } from './import-contract.ts'

/** A row with the line it stands on. */
export type NumberedRow = { readonly line: number; readonly row: ImportRow }

/** The rows that can be read, and what is wrong with the others. */
export type ReadRows = { readonly rows: readonly NumberedRow[]; readonly errors: readonly LineError[] }

export function readRows(body: { rows: readonly unknown[] } | string): ReadRows | Refusal {
  const raw = readLines(body, nested)
  if ('refused' in raw) return raw
  const errors: LineError[] = []
  const rows: NumberedRow[] = []
  const lines = new Map<string, number>()
  for (const { line, row } of raw) {
    const parsed = ImportRow.safeParse(row)
    if (!parsed.success) {
      errors.push(...parsed.error.issues.map((issue) => lineError(line, issue.path.join('.'), issue.message)))
      continue
    }
    const twin = lines.get(parsed.data.reference)
    if (twin !== undefined) errors.push(lineError(line, 'reference', `stands on line ${twin} already`))
    lines.set(parsed.data.reference, line)
    rows.push({ line, row: parsed.data })
  }
  return { rows, errors }
}

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
