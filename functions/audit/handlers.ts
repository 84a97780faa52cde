import { type LogName, originOf, verifierKey } from '../../shared/domain/checkpoint.ts'
import { isRefusal, notFound } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { EventId, TenantId } from '../../shared/platform/ids.ts'
import { readCheckpoint } from '../../shared/store/audit-log.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { CommitRequest } from '../services.ts'
import { aliasFor, listEntries } from './entries.ts'
import { exportLog } from './export.ts'
import { checkpointName } from './publish-checkpoints.ts'
import {
  base64,
  checkpointFor,
  consistencyOf,
  type Included,
  inclusionOf,
  receiptOf,
  tileFor,
} from './read-log.ts'
import type { auditRoutes } from './routes.ts'
import { sequenceLate } from './sequence-late.ts'
import { type AuditServices, noteKeyOf } from './services.ts'

type Asking = Parameters<typeof checkpointFor>[2]
type EntryQuery = {
  readonly eventId?: EventId | undefined
  readonly index?: number | undefined
  readonly size?: number | undefined
}

export const auditHandlers: Handlers<typeof auditRoutes, AuditServices> = {
  async getAuditKey({ query }, services) {
    const { issuer, auditKey } = services
    const logs: LogName[] = ['checkpoints', ...(query.log === undefined ? [] : [query.log])]
    return {
      publicKey: base64(auditKey),
      origins: {
        checkpoints: originOf(issuer, 'checkpoints'),
        vendor: originOf(issuer, 'vendor'),
        tenant: `${originOf(issuer, 'vendor').replace(/vendor$/, '')}t/{tenantId}`,
      },
      keys: logs.map((log) => verifierKey(noteKeyOf(log, services))),
    }
  },

  getAuditCheckpoint: (call, services) => checkpoint(call.params.tenantId, call.query, call, services),
  getAuditTile: ({ params }, services) => tile(params.tenantId, params.tile, services),
  getAuditInclusion: ({ params, query }, services) => inclusion(params.tenantId, query, services),
  getAuditConsistency: ({ params, query }, services) => consistencyOf(params.tenantId, query, services),
  getAuditReceipt: (call, services) => receipt(call.params.tenantId, call.query, call, services),
  async listAuditEntries({ params, query, caller }, services) {
    const tenant = await readTenant(services.table, params.tenantId)
    return tenant === undefined
      ? notFound
      : listEntries(tenant.id, query, aliasFor(caller, services), services)
  },
  exportAudit: ({ params: { tenantId }, query, ...asking }, services) =>
    exportLog(tenantId, query, { ...asking, path: `/v1/tenants/${tenantId}/audit/export` }, services),

  async sequenceAuditEvents(call, services) {
    const tenant = await readTenant(services.table, call.params.tenantId)
    return tenant === undefined ? notFound : sequence(tenant.id, call, services)
  },

  getVendorAuditCheckpoint: (call, services) => checkpoint('vendor', call.query, call, services),
  getVendorAuditTile: ({ params }, services) => tile('vendor', params.tile, services),
  getVendorAuditInclusion: ({ query }, services) => inclusion('vendor', query, services),
  getVendorAuditConsistency: ({ query }, services) => consistencyOf('vendor', query, services),
  getVendorAuditReceipt: (call, services) => receipt('vendor', call.query, call, services),
  listVendorAuditEntries: async ({ query, caller }, services) =>
    listEntries(undefined, query, aliasFor(caller, services), services),
  exportVendorAudit: ({ query, ...asking }, services) =>
    exportLog(undefined, query, { ...asking, path: '/v1/audit/vendor/export' }, services),
  sequenceVendorAuditEvents: (call, services) => sequence(undefined, call, services),

  getGlobalCheckpoint: (call, services) => checkpoint('checkpoints', call.query, call, services),
  getGlobalTile: ({ params }, services) => tile('checkpoints', params.tile, services),
  getGlobalInclusion: ({ query }, services) =>
    included(
      'checkpoints',
      query.index === undefined
        ? { name: checkpointName(query.origin ?? '', query.logSize ?? 0) }
        : { index: query.index },
      query,
      services,
    ),
  getGlobalConsistency: ({ query }, services) => consistencyOf('checkpoints', query, services),
}

async function checkpoint(
  log: LogName,
  query: { readonly size?: number | undefined },
  asking: Asking,
  services: AuditServices,
) {
  const found = await checkpointFor(log, query, asking, services)
  return isRefusal(found) ? found : plain(found.note)
}

async function tile(log: LogName, path: string, services: AuditServices) {
  const bytes = await tileFor(log, path, services)
  if (isRefusal(bytes)) return bytes
  return { type: 'application/octet-stream' as const, content: base64(bytes) }
}

const inclusion = (log: LogName, query: EntryQuery, services: AuditServices) =>
  included(log, which(query), query, services)

async function included(
  log: LogName,
  entry: Parameters<typeof inclusionOf>[1],
  query: { readonly size?: number | undefined },
  services: AuditServices,
) {
  const found = await inclusionOf(log, entry, query, services)
  if (isRefusal(found)) return found
  const signed = await readCheckpoint(services.table, log, found.size)
  return { ...view(found), ...(signed && { checkpoint: signed.note }) }
}

const view = ({ index, size, entry, leaf, root, proof }: Included) => ({
  index,
  size,
  entry: base64(entry),
  leafHash: base64(leaf),
  root: base64(root),
  proof: proof.map(base64),
})

async function receipt(log: LogName, query: EntryQuery, asking: Asking, services: AuditServices) {
  const text = await receiptOf(log, which(query), query, asking, services)
  return isRefusal(text) ? text : plain(text)
}

/** What it does is done, and told, once it answers; the reply alone is left to keep. */
async function sequence(
  tenantId: TenantId | undefined,
  call: CommitRequest & { readonly query: { readonly from?: EventId | undefined } } & Pick<
      Parameters<typeof sequenceLate>[1],
      'remaining'
    >,
  { table, commit }: AuditServices,
) {
  const { query, remaining } = call
  const reply = await sequenceLate(tenantId, { from: query.from, remaining }, call, table)
  return commit(call, { writes: {}, events: [], reply, refusals: {} })
}

const plain = (content: string) => ({ type: 'text/plain; charset=utf-8' as const, content })

/** The contract takes one of the two. */
const which = ({ eventId, index }: EntryQuery) =>
  eventId === undefined ? { index: index ?? 0 } : { name: eventId }
