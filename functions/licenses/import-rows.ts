import { CsvError, parse } from 'csv-parse/sync'
import * as z from 'zod'
import { type FieldError, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { IMPORT_LIMIT, ImportRow } from './import-contract.ts'

/** A row with the line it stands on: of the CSV text, header counted, or the place in the JSON list, from 1. */
export type NumberedRow = { readonly line: number; readonly row: ImportRow }

/** How many bad fields a report names; the rest shows once these are mended. */
const REPORTED = 1000

/** What is wrong with a row. */
export type LineError = FieldError & { readonly line: number }

/** The rows that can be read, and what is wrong with the others. */
export type ReadRows = { readonly rows: readonly NumberedRow[]; readonly errors: readonly LineError[] }

export function readRows(body: { rows: readonly unknown[] } | string): ReadRows | Refusal {
  const raw =
    typeof body === 'string' ? fromCsv(body) : body.rows.map((row, index) => ({ line: index + 1, row }))
  if ('refused' in raw) return raw
  if (raw.length === 0 || raw.length > IMPORT_LIMIT) {
    return refuse('IMPORT_INVALID', `An import has 1 to ${IMPORT_LIMIT} rows, this one ${raw.length}.`)
  }
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

export function lineError(line: number, field: string, message: string): LineError {
  return { line, field: field === '' ? `line ${line}` : `line ${line}, ${field}`, message }
}

export function invalidRows(errors: readonly LineError[]): Refusal {
  const lines = new Set(errors.map(({ line }) => line)).size
  return refuse('IMPORT_INVALID', `${lines} of the rows cannot be imported.`, {
    errors: errors
      .toSorted((a, b) => a.line - b.line)
      .slice(0, REPORTED)
      .map(({ field, message }) => ({ field, message })),
  })
}

const CsvRecord = z.object({
  record: z.record(z.string(), z.string()),
  info: z.object({ lines: z.number() }),
})

function fromCsv(text: string): { line: number; row: unknown }[] | Refusal {
  try {
    // csv-parse counts a CRLF within quotes as two lines.
    const records: unknown[] = parse(text.replaceAll('\r\n', '\n'), {
      columns: true,
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
    })
    return records.map((entry) => {
      const { record, info } = CsvRecord.parse(entry)
      return { line: info.lines, row: nested(record) }
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return refuse('IMPORT_INVALID', `The CSV text cannot be read: ${error.message}`)
  }
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
