import type { KeptTable } from '../support/kept-table.ts'
import type { Row } from '../support/rows.ts'

/** Ids, signatures, hashes, sealed texts: what is made at random, or from what is. */
const RANDOM = /[A-Za-z0-9_+/=-]{20,}/g

/** What is short and drawn by lot: names of leases, the part of a license key that is shown. */
const DRAWN = /("ref":|"keyHint",|"keyHint":|"key":)"[^"]*"/g
/** Up to which time the names of a log were looked at. */
const NAMES = /("names":)"[^"]*"/g
/** Where the life before a heartbeat ended: one that is sent twice is two of the same instant (store/activation.ts). */
const BEFORE = /"before":\d+/g
/** How long others took to answer. */
const TAKEN = /("milliseconds",|"milliseconds":)\d+/g
/** Whether a mail may have come before: it is sent again where nobody knows. */
const REPEATED = /("repeated":)(true|false)/g
/** When a row may be removed. */
const ENDS = /("ttl",|"ttl":)\d+/g
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g

/**
 * Texts, with what is random and was not there before taken out, so that two runs of the same can be compared.
 *
 * @param times `whenever`: when things happened is no matter
 */
export function comparable(table: KeptTable, times?: 'whenever'): (value: unknown) => string {
  const known = new Set([...table.rows().values()].flatMap((row) => JSON.stringify(row).match(RANDOM) ?? []))
  return (value) => {
    const text = JSON.stringify(value) ?? ''
    const timeless =
      times === undefined
        ? text
        : text.replaceAll(INSTANT, '<when>').replaceAll(ENDS, '$10').replaceAll(NAMES, '$1"<when>"')
    return timeless
      .replaceAll(DRAWN, '$1"<new>"')
      .replaceAll(BEFORE, '"before":0')
      .replaceAll(TAKEN, '$10')
      .replaceAll(REPEATED, '$1false')
      .replaceAll(RANDOM, (one) => (known.has(one) ? one : '<new>'))
  }
}

/** What a request noted of itself, whatever became of it. */
const isOwnNote = (row: Row | undefined) => row?.['entity'] === 'count'
/** Of a pool its sums, and how many hold a place or have one that is named by lot. */
const figuresOf = (fields: readonly (readonly [string, unknown])[]) =>
  fields.map(([name, value]) => (value instanceof Uint8Array ? ['an entry', value.length] : [name, value]))
const withoutNotes = (row: Row | undefined) => {
  if (row === undefined) return null
  const counts = row['entity'] === 'integrity-scan' ? COUNTED : undefined
  const rest = Object.entries(row).filter(([name]) => !OWN_FIELDS.has(name) && !counts?.has(name))
  return figuresOf(rest).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}
/** When a token was used last, and that work failed before it did not. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['lastUsedAt', 'failed', 'errorCount'])
/** What the last scan of a tenant counted, which may be one more than the scan that told something. */
const COUNTED: ReadonlySet<string> = new Set(['checked', 'log', 'found', 'mended'])
/** That a job ran is no matter of what it did. */
const isOfRun = (row: Row | undefined) => row?.['entity'] === 'run' || row?.['entity'] === 'last-success'
/** Nor at which of its sizes the log of all checkpoints was signed, once two of them came with two runs. */
const isOfTheirLog = (row: Row | undefined) =>
  row?.['entity'] === 'audit-checkpoint' && row['pk'] === 'CHECKPOINTS#AUDIT'

/** The name of a lease or ticket is drawn by lot, too, and part of its place. */
const withoutName = (line: string, row: Row | undefined) =>
  [row?.['ref'], row?.['jti']].reduce<string>(
    (rest, name) => (typeof name === 'string' ? rest.replaceAll(name, '<new>') : rest),
    line,
  )

/** What was changed in the table since it was kept: a line for each row, comparable, in order. */
export async function changesOf(table: KeptTable, text: (value: unknown) => string): Promise<string[]> {
  const all = await table.changes()
  const changes = [...all].filter(
    ([, { before, after }]) =>
      ![before, after].some((row) => isOwnNote(row) || isOfRun(row) || isOfTheirLog(row)),
  )
  return changes
    .map(([place, { before, after }]) => [place, withoutNotes(before), withoutNotes(after)] as const)
    .filter(([, before, after]) => JSON.stringify(before) !== JSON.stringify(after))
    .map(([place, , after]) => withoutName(`${text(place)}: ${text(after)}`, all.get(place)?.after))
    .toSorted()
}

/** Lines that are in one and not in the other. */
export function differences(expected: readonly string[], found: readonly string[]): string[] {
  const rest = [...expected]
  const more = found.filter((line) => {
    const at = rest.indexOf(line)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
  return [...rest.map((line) => `- ${line}`), ...more.map((line) => `+ ${line}`)]
}
