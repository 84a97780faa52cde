import * as z from 'zod'
import { canonicalJson } from './canonical-json.ts'
import { csvLine } from './csv.ts'
import { Event } from './event.ts'

const Hash = z.base64().length(44)

/** An entry of a log as it leaves: with its event and salt, unless they were erased, and its proof for a tree of a size. */
export const ExportedEntry = z.strictObject({
  index: z.int().nonnegative(),
  /** Of the event. */
  id: z.string(),
  entry: z.base64(),
  salt: Hash.optional(),
  event: Event.optional(),
  proof: z.array(Hash).max(64),
  size: z.int().positive(),
})
export type ExportedEntry = z.infer<typeof ExportedEntry>

/** That a checkpoint is an entry of the log of all checkpoints. */
export const Anchor = z.strictObject({
  /** Verifier key of that log. */
  key: z.string(),
  /** Its signed checkpoint. */
  checkpoint: z.string(),
  index: z.int().nonnegative(),
  proof: z.array(Hash).max(64),
})
export type Anchor = z.infer<typeof Anchor>

/** The first line of a page of JSON Lines. */
export const ExportHeader = z.strictObject({
  /** The origin of the log. */
  log: z.string(),
  /** Its verifier key: worth something only where it is held against one that came another way. */
  key: z.string(),
  /** The signed checkpoint that all proofs lead to. */
  checkpoint: z.string(),
  /** The entries that this page looked at: all from one index up to, not including, another, … */
  from: z.int().nonnegative(),
  upTo: z.int().nonnegative(),
  /** … of which it has those that pass a filter. */
  isFiltered: z.boolean(),
  anchor: Anchor.optional(),
})
export type ExportHeader = z.infer<typeof ExportHeader>

export const exportHeader = (header: ExportHeader): string => `${JSON.stringify(header)}\n`
export const exportedLine = (entry: ExportedEntry): string => `${JSON.stringify(entry)}\n`

/** The columns of an export as CSV. `event` is the whole event, as canonical JSON; those before it are parts of it. */
export const AUDIT_COLUMNS = [
  'index',
  'id',
  'at',
  'type',
  'actorKind',
  'actor',
  'role',
  'subjectType',
  'subject',
  'reason',
  'event',
  'salt',
  'entry',
  'proof',
  'size',
] as const

export function exportRow({ index, id, event, salt, entry, proof, size }: ExportedEntry): string {
  return csvLine([
    String(index),
    id,
    event?.at ?? '',
    event?.type ?? '',
    event?.actor.kind ?? '',
    event?.actor.subject ?? '',
    event?.actor.role ?? '',
    event?.subject.type ?? '',
    event?.subject.id ?? '',
    event?.reason ?? '',
    event === undefined ? '' : canonicalJson(event),
    salt ?? '',
    entry,
    proof.join(' '),
    String(size),
  ])
}
