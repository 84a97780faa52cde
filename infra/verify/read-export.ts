import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { CsvError, parse } from 'csv-parse'
import * as z from 'zod'
import { AUDIT_COLUMNS, ExportedEntry, ExportHeader, exportRow } from '../../shared/domain/audit-export.ts'
import { csvLine, unguarded } from '../../shared/domain/csv.ts'
import { Event } from '../../shared/domain/event.ts'
import { Fault } from './fault.ts'

/** An event is verified as it stands there, whatever types of events this program knows. */
const Entry = ExportedEntry.extend({ event: z.record(z.string(), z.unknown()).optional() })
export type ReadEntry = z.infer<typeof Entry>

/** A line of an export: the beginning of a page, or an entry. */
export type ReadLine =
  | { readonly header: ExportHeader; readonly line: number }
  | { readonly entry: ReadEntry; readonly line: number }

/** The lines of an export, one at a time, whichever form it has. @throws Fault */
export async function* readExport(file: string): AsyncGenerator<ReadLine> {
  let first: string | undefined
  for await (const line of linesOf(file)) {
    first = line
    break
  }
  if (first === undefined) throw new Fault('FILE_UNREADABLE', `${file} is empty`)
  yield* first.startsWith('{') ? readJsonLines(file) : readCsv(file)
}

async function* readJsonLines(file: string): AsyncGenerator<ReadLine> {
  let line = 0
  for await (const text of linesOf(file)) {
    line += 1
    if (text === '') continue
    const value = jsonOf(text, line)
    const header = ExportHeader.safeParse(value)
    if (header.success) yield { header: header.data, line }
    else yield { entry: entryOf(value, line), line }
  }
}

async function* rowsOf(file: string): AsyncGenerator<unknown> {
  try {
    yield* createReadStream(file).pipe(parse({ bom: true }))
  } catch (error) {
    if (error instanceof CsvError)
      throw new Fault('FILE_UNREADABLE', `it is not CSV to its end: ${error.message}`)
    throw error
  }
}

const Cells = z.array(z.string()).length(AUDIT_COLUMNS.length)

async function* readCsv(file: string): AsyncGenerator<ReadLine> {
  let line = 0
  for await (const row of rowsOf(file)) {
    line += 1
    const cells = Cells.safeParse(row)
    if (!cells.success) throw new Fault('FILE_UNREADABLE', `line ${line} is none of an export`)
    // Pages that were put together repeat their first line.
    if (cells.data.join() === AUDIT_COLUMNS.join()) continue
    const cell = (name: (typeof AUDIT_COLUMNS)[number]) =>
      unguarded(cells.data[AUDIT_COLUMNS.indexOf(name)] ?? '')
    const event = cell('event')
    const salt = cell('salt')
    const entry = entryOf(
      {
        index: Number(cell('index')),
        id: cell('id'),
        entry: cell('entry'),
        ...(salt !== '' && { salt }),
        ...(event !== '' && { event: jsonOf(event, line) }),
        proof: cell('proof').split(' ').filter(Boolean),
        size: Number(cell('size')),
      },
      line,
    )
    // The columns before the event are parts of it: a person reads those.
    const known = Event.optional().safeParse(entry.event)
    if (known.success && exportRow({ ...entry, event: known.data }) !== csvLine(cells.data.map(unguarded)))
      throw new Fault('ENTRY_CHANGED', `a column of entry ${entry.index} is not what its event says`)
    yield { entry, line }
  }
}

function jsonOf(text: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Fault('FILE_UNREADABLE', `line ${line} is not JSON`)
  }
}

function entryOf(value: unknown, line: number): ReadEntry {
  const entry = Entry.safeParse(value)
  if (entry.success) return entry.data
  throw new Fault('FILE_UNREADABLE', `line ${line} is neither an entry nor the beginning of a page`)
}

const linesOf = (file: string) =>
  createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
