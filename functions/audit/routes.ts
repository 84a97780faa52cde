import * as z from 'zod'
import { VENDOR_ROLES } from '../../shared/domain/access.ts'
import { Event } from '../../shared/domain/event.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import { PageQuery, pageOf, rawBody } from '../../shared/platform/http/shapes.ts'
import { EventId, TenantId } from '../../shared/platform/ids.ts'
import { Instant } from '../../shared/platform/time.ts'

const TenantParams = z.strictObject({ tenantId: TenantId })
const readers = [...VENDOR_ROLES, 'tenant:admin', 'tenant:reporter'] as const

/** Entries in a page of an export. */
export const EXPORT_LIMIT = 1_000

const Hash = z.base64().length(44)
const Number_ = z.coerce.number().pipe(z.int().nonnegative())

const text = { type: ['text/plain; charset=utf-8'] } as const
const Text = rawBody(...text.type)
const Bytes = rawBody('application/octet-stream')
const Export = rawBody('application/jsonl; charset=utf-8', 'text/csv; charset=utf-8')

const Tile = z.string().regex(/^(\d{1,2}|entries)\/(x\d{3}\/)*\d{3}(\.p\/\d{1,3})?$/)
const CheckpointQuery = z.strictObject({ size: Number_.optional() })
const oneOf = (query: { readonly index?: number | undefined; readonly eventId?: string | undefined }) =>
  (query.index === undefined) !== (query.eventId === undefined)
const EntryQuery = z
  .strictObject({ eventId: EventId.optional(), index: Number_.optional(), size: Number_.optional() })
  .refine(oneOf, { error: 'name either eventId or index', path: ['eventId'] })
const ConsistencyQuery = z.strictObject({ from: Number_, to: Number_.optional() })

const Filter = {
  /** A type, or all of a family: `license.suspended`, `license.*`. */
  type: z
    .string()
    .regex(/^[a-z-]+(\.[a-z-]+)*(\.\*)?$/)
    .max(100)
    .optional(),
  /** The subject of who did it: the id of a token, or a person at an identity provider. */
  actor: z.string().min(1).max(500).optional(),
  /** The id of what it was done to. */
  subject: z.string().min(1).max(500).optional(),
  requestId: z.string().min(1).max(100).optional(),
  since: Instant.optional(),
  until: Instant.optional(),
}

const EntriesQuery = z.strictObject({
  ...PageQuery.shape,
  ...Filter,
  order: z.enum(['newest', 'oldest']).default('oldest'),
})
export type EntriesQuery = z.output<typeof EntriesQuery>

const ExportQuery = z.strictObject({
  ...Filter,
  format: z.enum(['jsonl', 'csv']).default('jsonl'),
  /** The first entry by its index. */
  from: Number_.default(0),
  limit: z.coerce.number().pipe(z.int().min(1).max(EXPORT_LIMIT)).default(EXPORT_LIMIT),
  /** Of the checkpoint that the proofs lead to; the last one unless said otherwise. */
  size: Number_.optional(),
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

const AuditKey = z.strictObject({
  /** Ed25519, 32 bytes in base64. */
  publicKey: Hash,
  /** The origins of the logs; in a tenant’s, `{tenantId}` stands for its id. */
  origins: z.strictObject({ checkpoints: z.string(), vendor: z.string(), tenant: z.string() }),
  /** Verifier keys as text, `<origin>+<hash>+<key>`, to be pinned: of the log of checkpoints, and of the one asked for. */
  keys: z.array(z.string()),
})

const TILES =
  'C2SP tlog-tiles: `<level>/<number>` are 256 hashes, `entries/<number>` 256 entries, each behind its length of two bytes; numbers in groups of three digits, all but the last with an x (`x001/234`); `.p/<width>` behind it asks for a tile that is not full.'
const checkpointOf = { status: 200, body: Text, media: text.type } as const
const tileOf = { status: 200, body: Bytes, media: ['application/octet-stream'] } as const
const inclusionOf = { status: 200, body: Inclusion } as const
const consistencyOf = { status: 200, body: Consistency } as const
const entriesOf = { status: 200, body: pageOf(Entry) } as const
const exportOf = {
  status: 200,
  body: Export,
  media: ['application/jsonl; charset=utf-8', 'text/csv; charset=utf-8'],
} as const

export const auditRoutes = {
  getAuditKey: {
    method: 'GET',
    path: '/v1/audit/key',
    access: 'public',
    query: z.strictObject({ log: z.union([TenantId, z.literal('vendor')]).optional() }),
    success: { status: 200, body: AuditKey },
    errors: [],
    summary: 'The key that signs the checkpoints of all audit logs, as verifiers pin it (C2SP signed-note)',
    cacheSeconds: 300,
  },
  getAuditCheckpoint: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/checkpoint',
    access: readers,
    params: TenantParams,
    query: CheckpointQuery,
    success: checkpointOf,
    errors: [],
    summary: 'The signed checkpoint of the tenant’s audit log (C2SP tlog-checkpoint)',
    description:
      'The last one, signed now if the log has grown since; or the one of a size. Keep it: it is what a later one is held against.',
  },
  getAuditTile: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/tile/{path+}',
    access: readers,
    params: z.strictObject({ ...TenantParams.shape, path: Tile }),
    success: tileOf,
    errors: [],
    summary: 'A tile of hashes, or of entries, of the tenant’s audit log',
    description: TILES,
  },
  getAuditInclusion: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/inclusion',
    access: readers,
    params: TenantParams,
    query: EntryQuery,
    success: inclusionOf,
    errors: [],
    summary: 'Proof that an event is in the tenant’s audit log (RFC 6962, section 2.1.1)',
  },
  getAuditConsistency: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/consistency',
    access: readers,
    params: TenantParams,
    query: ConsistencyQuery,
    success: consistencyOf,
    errors: [],
    summary:
      'Proof that the tenant’s audit log at one size is the beginning of it at another (RFC 6962, section 2.1.2)',
  },
  getAuditReceipt: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/receipt',
    access: readers,
    params: TenantParams,
    query: EntryQuery,
    success: checkpointOf,
    errors: [],
    summary: 'A receipt of an event that can be checked offline, with its checkpoint (C2SP tlog-proof)',
  },
  listAuditEntries: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/entries',
    access: readers,
    params: TenantParams,
    query: EntriesQuery,
    success: entriesOf,
    errors: [],
    summary:
      'Events of the tenant with their places in its audit log, by type, actor, subject, request and time',
    description:
      'Only what is in the log, which takes a second or so; the list of events has it at once. A page may have fewer than its limit, and still be followed by others.',
  },
  exportAudit: {
    method: 'GET',
    path: '/v1/tenants/{tenantId}/audit/export',
    access: readers,
    params: TenantParams,
    query: ExportQuery,
    success: exportOf,
    errors: [],
    summary: 'The tenant’s audit log as JSON Lines or CSV, each entry with its proof, page by page',
    description:
      'A header `Link` with rel="next" has the path of the next page. `npx latchkey-verify` verifies what the pages make together.',
  },

  getVendorAuditCheckpoint: {
    method: 'GET',
    path: '/v1/audit/vendor/checkpoint',
    access: VENDOR_ROLES,
    query: CheckpointQuery,
    success: checkpointOf,
    errors: ['NOT_FOUND'],
    summary: 'The signed checkpoint of the vendor’s own audit log: of what concerns no tenant',
  },
  getVendorAuditTile: {
    method: 'GET',
    path: '/v1/audit/vendor/tile/{path+}',
    access: VENDOR_ROLES,
    params: z.strictObject({ path: Tile }),
    success: tileOf,
    errors: [],
    summary: 'A tile of hashes, or of entries, of the vendor’s own audit log',
    description: TILES,
  },
  getVendorAuditInclusion: {
    method: 'GET',
    path: '/v1/audit/vendor/inclusion',
    access: VENDOR_ROLES,
    query: EntryQuery,
    success: inclusionOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that an event is in the vendor’s own audit log',
  },
  getVendorAuditConsistency: {
    method: 'GET',
    path: '/v1/audit/vendor/consistency',
    access: VENDOR_ROLES,
    query: ConsistencyQuery,
    success: consistencyOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that the vendor’s own audit log at one size is the beginning of it at another',
  },
  getVendorAuditReceipt: {
    method: 'GET',
    path: '/v1/audit/vendor/receipt',
    access: VENDOR_ROLES,
    query: EntryQuery,
    success: checkpointOf,
    errors: ['NOT_FOUND'],
    summary: 'A receipt of an event of the vendor’s own that can be checked offline',
  },
  listVendorAuditEntries: {
    method: 'GET',
    path: '/v1/audit/vendor/entries',
    access: VENDOR_ROLES,
    query: EntriesQuery,
    success: entriesOf,
    errors: [],
    summary: 'Events that concern no tenant, with their places in the vendor’s own audit log',
  },
  exportVendorAudit: {
    method: 'GET',
    path: '/v1/audit/vendor/export',
    access: VENDOR_ROLES,
    query: ExportQuery,
    success: exportOf,
    errors: ['NOT_FOUND'],
    summary: 'The vendor’s own audit log as JSON Lines or CSV, each entry with its proof',
  },

  getGlobalCheckpoint: {
    method: 'GET',
    path: '/v1/audit/checkpoints/checkpoint',
    access: 'public',
    query: CheckpointQuery,
    success: checkpointOf,
    errors: ['NOT_FOUND'],
    summary: 'The signed checkpoint of the log of all checkpoints, which everybody sees alike',
    description:
      'Its entries are the checkpoints of all logs: origin, size and root, a line each. So nobody can be shown a history of his own.',
  },
  getGlobalTile: {
    method: 'GET',
    path: '/v1/audit/checkpoints/tile/{path+}',
    access: 'public',
    params: z.strictObject({ path: Tile }),
    success: tileOf,
    errors: [],
    summary: 'A tile of hashes, or of entries, of the log of all checkpoints',
    description: TILES,
  },
  getGlobalInclusion: {
    method: 'GET',
    path: '/v1/audit/checkpoints/inclusion',
    access: 'public',
    query: z
      .strictObject({
        origin: z.string().min(1).max(500).optional(),
        /** Of the log that the checkpoint is of. */
        logSize: Number_.optional(),
        index: Number_.optional(),
        size: Number_.optional(),
      })
      .refine(
        ({ origin, logSize, index }) =>
          index === undefined
            ? origin !== undefined && logSize !== undefined
            : origin === undefined && logSize === undefined,
        {
          error: 'name either origin and logSize, or index',
          path: ['index'],
        },
      ),
    success: inclusionOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that a checkpoint is in the log of all checkpoints',
  },
  getGlobalConsistency: {
    method: 'GET',
    path: '/v1/audit/checkpoints/consistency',
    access: 'public',
    query: ConsistencyQuery,
    success: consistencyOf,
    errors: ['NOT_FOUND'],
    summary: 'Proof that the log of all checkpoints at one size is the beginning of it at another',
  },
} as const satisfies RouteTable
