import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Event } from '../../shared/domain/event.ts'
import { PageQuery, pageOf, rawBody, wholeNumber } from '../../shared/platform/http/shapes.ts'
import { EventId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

export const TenantParams = z.strictObject({ tenantId: TenantId })
export const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

/** Entries in a page of an export. */
const EXPORT_LIMIT = 1_000

/** 32 bytes, base64. */
const Hash = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)
export const Count = wholeNumber(0)

const text = { type: ['text/plain; charset=utf-8'] } as const
const Text = rawBody(...text.type)
const Bytes = rawBody('application/octet-stream')
const Export = rawBody('application/jsonl; charset=utf-8', 'text/csv; charset=utf-8')

export const Tile = z.string().regex(/^(\d{1,2}|entries)\/(x\d{3}\/)*\d{3}(\.p\/\d{1,3})?$/)
export const CheckpointQuery = z.strictObject({ size: Count.optional() })
const oneOf = (query: { readonly index?: number | undefined; readonly eventId?: string | undefined }) =>
  (query.index === undefined) !== (query.eventId === undefined)
export const EntryQuery = z
  .strictObject({ eventId: EventId.optional(), index: Count.optional(), size: Count.optional() })
  .refine(oneOf, { error: 'name either eventId or index', path: ['index'] })
export const ConsistencyQuery = z.strictObject({ from: Count, to: Count.optional() })

const Filter = {
  /** A type, or all of a family: `license.suspended`, `license.*`. */
  type: z
    .string()
    .regex(/^[a-z-]+(\.[a-z-]+)*(\.\*)?$/)
    .max(100)
    .optional(),
  /**
   * The subject of who did it: the id of a token, or a person at an identity provider. Of the vendor's staff a tenant's
   * events have an alias; the vendor itself may name the credential here, too.
   */
  actor: z.string().min(1).max(500).optional(),
  /** The id of what it was done to. */
  subject: z.string().min(1).max(500).optional(),
  requestId: z.string().min(1).max(100).optional(),
  since: Instant.optional(),
  until: Instant.optional(),
}

export const EntriesQuery = z.strictObject({
  ...PageQuery.shape,
  ...Filter,
  order: z.enum(['newest', 'oldest']).default('oldest'),
})
export type EntriesQuery = z.output<typeof EntriesQuery>

export const ExportQuery = z.strictObject({
  ...Filter,
  format: z.enum(['jsonl', 'csv']).default('jsonl'),
  /** The first entry by its index. */
  from: Count.default(0),
  limit: wholeNumber(1, EXPORT_LIMIT).default(EXPORT_LIMIT),
  /** Of the checkpoint that the proofs lead to; the last one unless said otherwise. */
  size: Count.optional(),
})
export type ExportQuery = z.output<typeof ExportQuery>

const Entry = z.strictObject({
  index: z.int(),
  event: Event,
  /** 32 bytes, base64. */
  salt: Hash,
  /** What the log has of it: SHA-256 of the salt and the event as canonical JSON (RFC 8785). */
  entry: Hash,
})
export const LateQuery = z.strictObject({ from: EventId.optional() })
const Sequenced = z.strictObject({
  /** What came into the log now, in the order of its entries. */
  events: z.array(EventId),
  /** Not all was looked at: ask again, from this event on. */
  next: EventId.optional(),
})
export const sequencedOf = { status: 200, body: Sequenced } as const
export const SEQUENCING =
  'A scan names such events (`EVENT_UNSEQUENCED`); they come to the end of the log, in the order in which they were made. Only events that were made more than 15 minutes ago are looked at. It can be repeated: what is in the log stays where it is. Where there is a `next`, ask again with `from`.'

const Inclusion = z.strictObject({
  index: z.int(),
  size: z.int(),
  entry: z.base64(),
  leafHash: Hash,
  root: Hash,
  proof: z.array(Hash),
  /** The signed checkpoint of this size, if there is one. */
  checkpoint: z.string().optional(),
})
const Consistency = z.strictObject({ from: z.int(), to: z.int(), proof: z.array(Hash) })

export const AuditKey = z.strictObject({
  /** Ed25519, 32 bytes in base64. */
  publicKey: Hash,
  /** The origins of the logs; in a tenant’s, `{tenantId}` stands for its id. */
  origins: z.strictObject({ checkpoints: z.string(), vendor: z.string(), tenant: z.string() }),
  /** Verifier keys as text, `<origin>+<hash>+<key>`, to be pinned: of the log of checkpoints, and of the one asked for. */
  keys: z.array(z.string()),
})

export const TILES =
  'C2SP tlog-tiles: `<level>/<number>` are 256 hashes, `entries/<number>` 256 entries, each behind its length of two bytes; numbers in groups of three digits, all but the last with an x (`x001/234`); `.p/<width>` behind it asks for a tile that is not full.'
export const checkpointOf = { status: 200, body: Text, media: text.type } as const
export const tileOf = { status: 200, body: Bytes, media: ['application/octet-stream'] } as const
export const inclusionOf = { status: 200, body: Inclusion } as const
export const consistencyOf = { status: 200, body: Consistency } as const
export const entriesOf = { status: 200, body: pageOf(Entry) } as const
export const exportOf = {
  status: 200,
  body: Export,
  media: ['application/jsonl; charset=utf-8', 'text/csv; charset=utf-8'],
} as const
