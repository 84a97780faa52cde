import * as z from 'zod'
import { FindingId, LicenseId, ProductId, TenantId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { isSame } from './canonical-json.ts'

/** What is held against what, and what it means that they differ. Each is critical: nobody but an intruder does this. */
export const INTEGRITY_CHECKS = {
  'license-unreadable': 'The row of a license is not what this program wrote.',
  'license-tampered': 'The row of a license is not what was signed.',
  'license-rolled-back': 'The row of a license is an older one than was recorded: genuine, but not in force.',
  'license-changed': 'What is not signed of a license was changed without a record.',
  'license-unrecorded': 'The row of a license, or its last change, was never recorded.',
  'license-missing': 'The row of a license that was recorded is gone.',
  'event-missing': 'The record of the last change of a row is gone.',
  'row-changed': 'A row is not what its events say.',
  'row-unrecorded': 'A row has no event.',
  'row-missing': 'A row that events tell of is gone.',
  'address-missing': 'A license is not found by its id, key or reference.',
  'address-wrong': 'The id, key or reference of a license leads elsewhere.',
  'key-unpublished': 'A license names a signing key that is not published.',
  'key-unknown': 'A published signing key is not the one that KMS has.',
  'log-broken': 'The audit log is not what its checkpoints say.',
} as const

export const IntegrityCheck = z.enum(Object.keys(INTEGRITY_CHECKS).filter(isCheck))
export type IntegrityCheck = keyof typeof INTEGRITY_CHECKS

function isCheck(name: string): name is IntegrityCheck {
  return Object.hasOwn(INTEGRITY_CHECKS, name)
}

/** A field that is not as it should be, as text; absent: the field is not there, or should not be. */
const Difference = z.strictObject({
  field: z.string(),
  stored: z.string().optional(),
  expected: z.string().optional(),
})
type Difference = z.infer<typeof Difference>

/** Something that was found not to be as it was signed or recorded. */
export type Found = {
  readonly check: IntegrityCheck
  readonly subject: { readonly type: string; readonly id: string }
  readonly differs: readonly Difference[]
}

/** Kept of what was found: since when, and what became of it. */
export const IntegrityEvent = z
  .strictObject({
    id: FindingId,
    tenantId: TenantId,
    check: IntegrityCheck,
    subject: z.strictObject({ type: z.string(), id: z.string() }),
    /** What it means, in a sentence. */
    detail: z.string(),
    differs: z.array(Difference),
    /** When it was found first; it may have been so before. */
    since: Instant,
    /** `superseded`: it differs in another way now, of which there is an event of its own. */
    state: z.enum(['open', 'acknowledged', 'superseded', 'mended']),
    acknowledged: z.strictObject({ by: z.string(), at: Instant, note: z.string() }).optional(),
    endedAt: Instant.optional(),
  })
  .meta({ id: 'IntegrityEvent' })
export type IntegrityEvent = z.infer<typeof IntegrityEvent>

/** How far the audit log was held against itself and its checkpoints. */
export const LogProgress = z.strictObject({
  /** Leaves that were looked at, in this check or before, and how many there are. */
  leaves: z.int(),
  of: z.int(),
  /** False: the next scan goes on where this one stopped. */
  isOver: z.boolean(),
  /** The whole log was read, and not only what came since the last check. */
  isWhole: z.boolean(),
  since: Instant,
  /** When the last check of the whole log that came to its end was begun. */
  wholeSince: Instant.optional(),
})
export type LogProgress = z.infer<typeof LogProgress>

/** What a scan held against what, and what it found. */
export const IntegrityScan = z.strictObject({
  startedAt: Instant,
  finishedAt: Instant,
  checked: z.strictObject({
    licenses: z.int(),
    /** Other rows: the tenant itself, organizations, webhooks, tokens. */
    rows: z.int().optional(),
    addresses: z.int(),
    keys: z.int(),
    /** Leaves of the audit log. */
    logged: z.int(),
  }),
  /** Critical events that were new. */
  found: z.int(),
  /** Those that were known, and are no more. */
  mended: z.int(),
  /** What could not be looked at, such as a key while KMS did not answer. */
  skipped: z.array(z.string()),
  log: LogProgress.optional(),
})
export type IntegrityScan = z.infer<typeof IntegrityScan>

/** It is still so, whether somebody took note of it or not. */
export const isStanding = ({ state }: Pick<IntegrityEvent, 'state'>) =>
  state === 'open' || state === 'acknowledged'

/** What was recorded last of a license: by the events that changed it. */
export const LicenseRecord = z.strictObject({
  licenseId: LicenseId,
  productId: ProductId,
  /** The event that says what the license was like. */
  eventId: z.string(),
  revision: z.int().positive(),
  /** The license's masked key, which has events of its own. */
  key: z.string(),
})
export type LicenseRecord = z.infer<typeof LicenseRecord>

/** A license as its events show it, as far as that is recorded of each change. */
const Recorded = z.looseObject({ productId: ProductId, revision: z.int().positive(), key: z.string() })

/** What is recorded of a license after one more of its events; undefined where that says nothing of the license. */
export function recorded(
  before: LicenseRecord | undefined,
  {
    id,
    type,
    subject,
    after,
  }: { id: string; type: string; subject: Found['subject']; after?: object | undefined },
): LicenseRecord | undefined {
  const licenseId = LicenseId.safeParse(subject.id)
  if (subject.type !== 'license' || !licenseId.success) return undefined
  if (type === 'license-key.rotated') {
    const key = z.looseObject({ key: z.string() }).safeParse(after)
    return before && key.success ? { ...before, key: key.data.key } : undefined
  }
  const view = Recorded.safeParse(after)
  if (!view.success) return undefined
  const { productId, revision, key } = view.data
  // Events of one moment come in no certain order.
  if (before !== undefined && before.revision > revision) return undefined
  return { licenseId: licenseId.data, productId, eventId: id, revision, key }
}

/** Changes by itself, with time or with other licenses, or is recorded elsewhere. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  'status',
  'tampered',
  'effectiveExpiresAt',
  'extendedBy',
  'key',
])

/** The longest value that is shown of a field. */
const LONGEST = 200

/** In which fields a license, as it is shown, is not what was recorded of it. */
export function differences(
  stored: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): Difference[] {
  const fields = new Set([...Object.keys(stored), ...Object.keys(expected)])
  return [...fields]
    .filter((field) => !NOT_COMPARED.has(field) && !isSame(stored[field], expected[field]))
    .toSorted()
    .map((field) => difference(field, stored[field], expected[field]))
}

export const difference = (field: string, stored: unknown, expected: unknown): Difference => ({
  field,
  ...(stored !== undefined && { stored: textOf(stored) }),
  ...(expected !== undefined && { expected: textOf(expected) }),
})

const textOf = (value: unknown) =>
  (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST)

/** A license as it lies there, beside what was recorded of it. */
export type Compared = {
  readonly licenseId: LicenseId
  /** As it would be shown. */
  readonly view: Readonly<Record<string, unknown>>
  readonly revision: number
  readonly key: string
  readonly isGenuine: boolean
  readonly record: LicenseRecord | undefined
  /** What the event of the record says; undefined where that is gone. */
  readonly recordedView: Readonly<Record<string, unknown>> | undefined
}

/** What is wrong with the row of a license. */
export function judgeLicense(compared: Compared): Found[] {
  const { licenseId, view, revision, key, isGenuine, record, recordedView } = compared
  const subject = { type: 'license', id: licenseId }
  if (record === undefined)
    return [
      { check: 'license-unrecorded', subject, differs: [] },
      ...(isGenuine ? [] : [{ check: 'license-tampered' as const, subject, differs: [] }]),
    ]
  const differs = [
    ...(recordedView ? differences(view, recordedView) : []),
    ...(key === record.key ? [] : [difference('key', key, record.key)]),
  ]
  const missing: Found[] = recordedView
    ? []
    : [{ check: 'event-missing', subject, differs: [difference('event', undefined, record.eventId)] }]
  const check = checkOf(isGenuine, revision, record, differs)
  return check === undefined ? missing : [...missing, { check, subject, differs }]
}

function checkOf(
  isGenuine: boolean,
  revision: number,
  record: LicenseRecord,
  differs: readonly Difference[],
): IntegrityCheck | undefined {
  if (!isGenuine) return 'license-tampered'
  if (revision < record.revision) return 'license-rolled-back'
  if (revision > record.revision) return 'license-unrecorded'
  return differs.length > 0 ? 'license-changed' : undefined
}
