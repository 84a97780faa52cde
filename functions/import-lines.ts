import { CsvError, parse } from 'csv-parse/sync'
import * as z from 'zod'
import { type FieldError, type Refusal, refuse } from '../shared/domain/refusal.ts'

/** Rows of one import, of licenses or of people. */
export const IMPORT_LIMIT = 10_000
/** How many bad fields a report names; the rest shows once these are mended. */
const REPORTED = 1_000

/** What stands on a line: of the CSV text, header counted, or the place in the JSON list, from 1. */
export type Line<Row> = { readonly line: number; readonly row: Row }

/** What is wrong with a row. */
export type LineError = FieldError & { readonly line: number }

export const lineError = (line: number, field: string, message: string): LineError => ({
  line,
  field: field === '' ? `line ${line}` : `line ${line}, ${field}`,
  message,
})

/** JSON rows, or CSV text with a header line. */
type ImportText = { readonly rows: readonly unknown[] } | string

/** What makes a row of the cells of a CSV record, by their columns. */
type RowOf = (record: Readonly<Record<string, string>>) => unknown

/** How the rows of an import are read. */
type RowFormat<Row> = {
  readonly schema: z.ZodType<Row>
  readonly rowOf: RowOf
  /** What no two rows may share, by field. */
  readonly once: (row: Row) => Readonly<Record<string, string | undefined>>
}

/** The rows that can be read, and what is wrong with the others. */
export type ReadLines<Row> = { readonly rows: readonly Line<Row>[]; readonly errors: readonly LineError[] }

/** Reads an import; refused as a whole where the text is no CSV, or there are too many rows. */
export function readImport<Row>(
  body: ImportText,
  { schema, rowOf, once }: RowFormat<Row>,
): ReadLines<Row> | Refusal {
  const lines = linesOf(body, rowOf)
  if ('refused' in lines) return lines
  const errors: LineError[] = []
  const rows: Line<Row>[] = []
  const seen = new Map<string, number>()
  for (const { line, row } of lines) {
    const parsed = schema.safeParse(row)
    if (!parsed.success) {
      errors.push(...parsed.error.issues.map((issue) => lineError(line, issue.path.join('.'), issue.message)))
      continue
    }
    for (const [field, value] of Object.entries(once(parsed.data))) {
      if (value === undefined) continue
      const twin = seen.get(`${field} ${value}`)
      if (twin !== undefined) errors.push(lineError(line, field, `stands on line ${twin} already`))
      seen.set(`${field} ${value}`, line)
    }
    rows.push({ line, row: parsed.data })
  }
  return { rows, errors }
}

function linesOf(body: ImportText, rowOf: RowOf): Line<unknown>[] | Refusal {
  const lines =
    typeof body === 'string' ? fromCsv(body, rowOf) : body.rows.map((row, at) => ({ line: at + 1, row }))
  if ('refused' in lines || (lines.length > 0 && lines.length <= IMPORT_LIMIT)) return lines
  return refuse('IMPORT_INVALID', `An import has 1 to ${IMPORT_LIMIT} rows, this one ${lines.length}.`)
}

/** The refusal that names the bad rows, in their order. */
export function invalidLines(errors: readonly LineError[]): Refusal {
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

function fromCsv(text: string, rowOf: RowOf): Line<unknown>[] | Refusal {
  let twin: string | undefined
  try {
    // csv-parse counts a CRLF within quotes as two lines.
    const records: unknown[] = parse(text.replaceAll('\r\n', '\n'), {
      columns(names: string[]) {
        // Spreadsheets leave columns without a name behind; they hold nothing.
        twin = names.find((name, place) => name !== '' && names.indexOf(name) !== place)
        return names
      },
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
    })
    if (twin !== undefined) return refuse('IMPORT_INVALID', `The header has the column ${twin} twice.`)
    return records.map((entry) => {
      const { record, info } = CsvRecord.parse(entry)
      return { line: info.lines, row: rowOf(record) }
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    return refuse('IMPORT_INVALID', `The CSV text cannot be read: ${error.message}`)
  }
}
