import { createHash } from 'node:crypto'
import { type Caller, subjectOf } from '../../shared/domain/access.ts'
import { type Bulk, type BulkView, bulkView, isOver, NO_COUNTS, SMALL } from '../../shared/domain/bulk.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import { BulkId, digitsOf, newBulkId, type TenantId } from '../../shared/platform/ids.ts'
import {
  bulkEntity,
  bulkRowEntity,
  readBulk,
  readChunk,
  readOutcomes,
  shownRow,
  writeBulk,
} from '../../shared/store/bulk.ts'
import { BULK_ROW_PREFIX, bulkKey, ownedByTenant, tenantKey } from '../../shared/store/keys.ts'
import { readOrganizations } from '../../shared/store/organization.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { checkLive, type Table } from '../../shared/store/transact.ts'
import { findSeatPlace } from '../seating/seat-place.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import type { bulkRoutes } from './bulk-routes.ts'
import { driveBulk, withPeople } from './bulk-run.ts'

/** Milliseconds that must be left for another page of those who may be meant; the job goes on with the rest. */
const SELECTING = 20_000

type OrderCall = Call<(typeof bulkRoutes)['orderBulk']>

export const bulkHandlers: Handlers<typeof bulkRoutes, VerifyingServices> = {
  /**
   * An Idempotency-Key leads to its bulk change by itself, so that a request that was cut off is gone on with. The
   * answer is kept once it is final.
   */
  async orderBulk(call, services) {
    const { table } = services
    const { tenantId } = call.params
    const id = bulkIdOf(call)
    const known = call.idempotencyKey === undefined ? undefined : await readBulk(table, tenantId, id)
    if (known === undefined) {
      const refused = await create(call, id, services)
      if (refused) return refused
    } else if (known.fingerprint !== call.fingerprint)
      return refuse('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key came with another bulk change before.')
    // Whom a filter means can take long to find out, though in the end they are few.
    const goes = ({ state, selected }: Bulk) =>
      selected <= SMALL && (state !== 'selecting' || call.remaining() > SELECTING)
    const bulk = await driveBulk(services, { tenantId, id }, call, goes)
    if (bulk === undefined) throw new Error(`${id} is gone`)
    const view = await viewOf(table, bulk)
    if (!isOver(bulk)) return view
    return services.commit(call, { writes: {}, events: [], reply: view, refusals: {} })
  },

  async listBulks({ params: { tenantId }, query, caller }, { table, secrets }) {
    const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
    if (tenant === undefined) return notFound
    const range = { index: 'owned', pk: ownedByTenant(tenantId, 'BULKS'), newestFirst: true } as const
    return readPage(table, secrets.cursorKey, range, query, (items) =>
      Promise.all(
        items
          .map(bulkEntity.decode)
          .map((bulk) => (isSeen(caller, bulk, all) ? viewOf(table, bulk) : undefined)),
      ),
    )
  },

  async getBulk(call, { table }) {
    const bulk = await find(call, table)
    return isRefusal(bulk) ? bulk : viewOf(table, bulk)
  },

  async listBulkRows(call, { table, secrets }) {
    const bulk = await find(call, table)
    if (isRefusal(bulk)) return bulk
    const { outcome } = call.query
    const range = { pk: bulkKey(bulk.tenantId, bulk.id).pk, prefix: BULK_ROW_PREFIX }
    return readPage(table, secrets.cursorKey, range, call.query, async (items) =>
      items
        .map(bulkRowEntity.decode)
        .map((row) => (outcome === undefined || row.outcome === outcome ? shownRow(row) : undefined)),
    )
  },

  async continueBulk(call, services) {
    const found = await find(call, services.table)
    if (isRefusal(found)) return found
    const bulk = await driveBulk(services, found, call, () => true)
    return bulk === undefined ? notFound : viewOf(services.table, bulk)
  },

  cancelBulk: (call, services) =>
    untilFresh(async () => {
      const bulk = await find(call, services.table)
      if (isRefusal(bulk)) return bulk
      if (bulk.state === 'finished') return refuse('TRANSITION_NOT_ALLOWED', `It ended at ${bulk.endedAt}.`)
      if (bulk.state === 'canceled') {
        const reply = await viewOf(services.table, bulk)
        return services.commit(call, { writes: {}, events: [], reply, refusals: {} })
      }
      const after: Bulk = { ...bulk, state: 'canceled', endedAt: call.now }
      const { tenantId, id } = bulk
      return services.commit(call, {
        writes: { bulk: writeBulk(bulk, after) },
        events: [{ type: 'bulk.canceled', tenantId, subject: { type: 'bulk', id } }],
        reply: await viewOf(services.table, after),
        refusals: { bulk: outdated },
      })
    }),
}

/** The same for the same key of the same caller; a new one without a key. */
function bulkIdOf({ idempotencyKey, caller, now }: OrderCall): BulkId {
  if (idempotencyKey === undefined) return newBulkId(now)
  const digest = createHash('sha256')
    .update(JSON.stringify([subjectOf(caller), idempotencyKey]))
    .digest()
  return BulkId.parse(`blk_${digitsOf(digest.subarray(0, 26))}`)
}

/** Puts down what is wanted; what could never be is refused. That the same was put down meanwhile is fine. */
async function create(
  call: OrderCall,
  id: BulkId,
  services: VerifyingServices,
): Promise<Refusal | undefined> {
  const { table } = services
  const { params, body, caller, now, fingerprint } = call
  const { tenantId } = params
  const [tenant, all] = await Promise.all([readTenant(table, tenantId), readOrganizations(table, tenantId)])
  if (tenant === undefined) return notFound
  const { action, users, filter, dryRun, reason } = body
  const named = [
    filter?.organizationId,
    action.do === 'move' ? (action.organizationId ?? undefined) : undefined,
  ]
  const isThere = (one: (typeof named)[number]) =>
    one === undefined || (all.has(one) && seesOrganization(caller, one, all))
  if (!named.every(isThere)) return notFound
  const target = action.do === 'move' && action.organizationId ? all.get(action.organizationId) : undefined
  if (target?.archivedAt !== undefined) return refuse('ARCHIVED', `${target.name} is archived.`)
  if (action.do === 'move' && action.organizationId === null && !seesOrganization(caller, undefined, all))
    return notFound
  const place =
    filter?.module === undefined ? undefined : await findSeatPlace(table, filter.product, filter.module)
  if (isRefusal(place)) return place
  const empty: Bulk = {
    id,
    tenantId,
    action,
    ...(filter && { filter }),
    dryRun,
    ...(reason && { reason }),
    by: caller,
    fingerprint,
    state: users === undefined ? 'selecting' : 'running',
    selected: 0,
    chunks: 0,
    next: 0,
    counts: NO_COUNTS,
    foreseen: [],
    createdAt: now,
    version: 1,
  }
  const { after: bulk, puts } = withPeople(empty, users ?? [])
  const after = { action, ...(filter && { filter }), ...(users && { users: users.length }), dryRun }
  const committed = await services.commit(
    { ...call, idempotencyKey: undefined },
    {
      writes: {
        bulk: writeBulk(undefined, bulk),
        tenant: checkLive(tenantKey(tenantId)),
        ...puts,
      },
      events: [
        { type: 'bulk.ordered', tenantId, subject: { type: 'bulk', id }, after, ...(reason && { reason }) },
      ],
      reply: undefined,
      refusals: { bulk: outdated, tenant: refuse('ARCHIVED', 'The tenant is archived.') },
    },
  )
  if (!isRefusal(committed) || committed.refused !== outdated.refused)
    return isRefusal(committed) ? committed : undefined
  const twin = await readBulk(table, tenantId, id)
  return twin?.fingerprint === fingerprint
    ? undefined
    : refuse('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key came with another bulk change before.')
}

async function viewOf(table: Table, bulk: Bulk): Promise<BulkView> {
  if (bulk.state === 'finished') return bulkView(bulk, [])
  const rows = await readOutcomes(table, bulk, await readChunk(table, bulk, bulk.next))
  return bulkView(
    bulk,
    rows.filter(({ chunk }) => chunk === bulk.next),
  )
}

async function find(
  { params, caller }: { params: { tenantId: TenantId; bulkId: BulkId }; caller: Caller },
  table: Table,
): Promise<Bulk | Refusal> {
  const bulk = await readBulk(table, params.tenantId, params.bulkId)
  if (bulk === undefined) return notFound
  return isSeen(caller, bulk, await readOrganizations(table, params.tenantId)) ? bulk : notFound
}

/** Administrators of an organization know of what those of it or below it ordered. */
function isSeen(caller: Caller, { by }: Bulk, all: Parameters<typeof seesOrganization>[2]): boolean {
  return seesOrganization(caller, by.kind === 'tenant' ? by.organizationId : undefined, all)
}
