import * as z from 'zod'
import { difference, differences, type Found } from './integrity.ts'

/**
 * What of a row is told by its events, by the type of their subject: the fields that are held against what was recorded.
 * Of these an event has each that it changed, under the name it has in the row.
 */
export const RECORDED_ROWS: Readonly<Record<string, readonly string[]>> = {
  tenant: ['name', 'customerId', 'timeZone', 'contacts', 'archivedAt', 'revision'],
  organization: ['name', 'parentId', 'archivedAt', 'revision'],
  webhook: ['url', 'eventTypes', 'revision'],
  token: ['role', 'organizationId', 'scopes', 'expiresAt', 'rotatedTo', 'revokedAt'],
}

/** After these the row is gone. */
const ENDS: ReadonlySet<string> = new Set(['webhook.deleted'])

/** What was recorded of a row: its facts as its events tell them, and the last of these. */
export const RecordedRow = z.strictObject({
  type: z.string(),
  id: z.string(),
  eventId: z.string(),
  facts: z.record(z.string(), z.unknown()),
  isGone: z.literal(true).optional(),
})
export type RecordedRow = z.infer<typeof RecordedRow>

type Telling = {
  readonly id: string
  readonly type: string
  readonly subject: Found['subject']
  readonly before?: Readonly<Record<string, unknown>> | undefined
  readonly after?: Readonly<Record<string, unknown>> | undefined
}

/** What is recorded of a row after one more of its events; undefined where that tells nothing new of it. */
export function recordedRow(known: RecordedRow | undefined, event: Telling): RecordedRow | undefined {
  const { type, id } = event.subject
  const fields = RECORDED_ROWS[type]
  if (fields === undefined) return undefined
  const common = { type, id, eventId: event.id }
  if (ENDS.has(event.type)) return { ...common, facts: {}, isGone: true }
  const [before, after] = [factsOf(fields, event.before ?? {}), factsOf(fields, event.after ?? {})]
  if (Object.keys({ ...before, ...after }).length === 0 || isOld(known, after)) return undefined
  const kept = Object.entries(known?.facts ?? {}).filter(([field]) => before[field] === undefined)
  return { ...common, facts: { ...Object.fromEntries(kept), ...after } }
}

/** It was told already: a stream may bring it twice. */
const isOld = (known: RecordedRow | undefined, after: Readonly<Record<string, unknown>>) =>
  Number(after['revision']) <= Number(known?.facts['revision'])

const factsOf = (fields: readonly string[], row: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(fields.map((field) => [field, row[field]]).filter(([, value]) => value !== undefined))

/** What is wrong with a row, by what was recorded of it. */
export function judgeRow(
  subject: Found['subject'],
  row: Readonly<Record<string, unknown>> | undefined,
  known: RecordedRow | undefined,
): Found | undefined {
  const { eventId = '', isGone, facts = {} } = known ?? {}
  if (known === undefined || (isGone && row !== undefined))
    return { check: 'row-unrecorded', subject, differs: [] }
  if (isGone) return undefined
  if (row === undefined) return { check: 'row-missing', subject, differs: [recordedBy(eventId)] }
  const differs = differences(factsOf(RECORDED_ROWS[subject.type] ?? [], row), facts)
  return differs.length === 0 ? undefined : { check: 'row-changed', subject, differs }
}

const recordedBy = (eventId: string) => difference('row', undefined, `as recorded by ${eventId}`)
