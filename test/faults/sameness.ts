import type { KeptTable } from '../support/kept-table.ts'
import type { Row } from '../support/rows.ts'

/** Ids, signatures, hashes, sealed texts: what is made at random, or from what is. */
const RANDOM = /[A-Za-z0-9_+/=-]{20,}/g

/** What is short and drawn by lot: names of leases, the part of a license key that is shown. */
const DRAWN = /("ref":|"keyHint",|"keyHint":|"key":)"[^"]*"/g
/** Where the life before a heartbeat ended: one that is sent twice is two of the same instant (store/activation.ts). */
const BEFORE = /"before":\d+/g
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
    const timeless = times === undefined ? text : text.replaceAll(INSTANT, '<when>')
    return timeless
      .replaceAll(DRAWN, '$1"<new>"')
      .replaceAll(BEFORE, '"before":0')
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
  const rest = Object.entries(row).filter(([name]) => !OWN_FIELDS.has(name))
  return figuresOf(rest).toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}
/** When a token was used last, and that work failed before it did not. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['lastUsedAt', 'failed', 'errorCount'])
/** That a job ran, and where its next check of a log goes on, is no matter of what it did. */
const isOfRun = (row: Row | undefined) =>
  row?.['entity'] === 'run' ||
  row?.['entity'] === 'last-success' ||
  String(row?.['pk']).startsWith('LOG-CHECKS#')

/** What was changed in the table since it was kept: a line for each row, comparable, in order. */
export async function changesOf(table: KeptTable, text: (value: unknown) => string): Promise<string[]> {
  const changes = [...(await table.changes())].filter(
    ([, { before, after }]) => ![before, after].some((row) => isOwnNote(row) || isOfRun(row)),
  )
  return changes
    .map(([place, { before, after }]) => [place, withoutNotes(before), withoutNotes(after)] as const)
    .filter(([, before, after]) => JSON.stringify(before) !== JSON.stringify(after))
    .map(([place, , after]) => `${text(place)}: ${text(after)}`)
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
