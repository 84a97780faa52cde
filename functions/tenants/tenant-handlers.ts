import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { archived, changes, checkEdit, checkNotArchived, edited } from '../../shared/domain/revision.ts'
import { Tenant } from '../../shared/domain/tenant.ts'
import { checkUnused } from '../../shared/domain/tenant-rules.ts'
import { visitsView } from '../../shared/domain/visits.ts'
import type { Call, Handlers } from '../../shared/platform/http/contract.ts'
import { newTenantId, type TenantId } from '../../shared/platform/ids.ts'
import { customerItem, findLicense } from '../../shared/store/address.ts'
import { eventEntity } from '../../shared/store/event.ts'
import { seenTenantFence } from '../../shared/store/fence.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { customerKey, eventLog, KIND } from '../../shared/store/keys.ts'
import { readPage } from '../../shared/store/page.ts'
import { readTenant, tenantEntity, tenantItem } from '../../shared/store/tenant.ts'
import { putOnce, putRevision, type Table } from '../../shared/store/transact.ts'
import { visitsEntity, visitsRange } from '../../shared/store/visits.ts'
import type { Services } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { tenantsRoutes } from './routes.ts'

export const tenantHandlers: Omit<Handlers<typeof tenantsRoutes, Services>, 'getOverview'> = {
  async createTenant(call, { commit }) {
    const tenant: Tenant = { id: newTenantId(call.now), ...call.body, createdAt: call.now, revision: 1 }
    return commit(call, {
      writes: {
        customer: putOnce(customerItem(tenant.customerId, tenant.id)),
        tenant: putOnce(tenantItem(tenant)),
      },
      events: [{ ...eventOf('tenant.created', tenant), after: tenant }],
      reply: tenant,
      refusals: { customer: taken(tenant) },
    })
  },

  async listTenants({ query }, { table, secrets }) {
    const wanted = query.archived ?? false
    return readPage(
      table,
      secrets.cursorKey,
      { index: 'kind', pk: KIND.tenants, newestFirst: true },
      query,
      async (items) =>
        items.map(tenantEntity.decode).map((tenant) => (isArchived(tenant) === wanted ? tenant : undefined)),
    )
  },

  async getTenant({ params }, { table }) {
    return loadTenant(table, params.tenantId)
  },

  async editTenant(call, { table, commit }) {
    const current = await loadTenant(table, call.params.tenantId)
    if (isRefusal(current)) return current
    const refused = checkEdit(current, call.revision)
    if (refused) return refused
    const tenant = edited(Tenant, current, call.body)
    return commit(call, {
      writes: {
        tenant: putRevision(tenantItem(tenant), current.revision),
        ...(tenant.customerId !== current.customerId && {
          customer: putOnce(customerItem(tenant.customerId, tenant.id)),
          oldCustomer: { kind: 'remove', key: customerKey(current.customerId) },
        }),
      },
      events:
        tenant === current ? [] : [{ ...eventOf('tenant.edited', tenant), ...changes(current, tenant) }],
      reply: tenant,
      refusals: { tenant: outdated, customer: taken(tenant) },
    })
  },

  async archiveTenant(call, { table, commit }) {
    return untilFresh(async () => {
      const current = await loadTenant(table, call.params.tenantId)
      if (isRefusal(current)) return current
      const fence = await seenTenantFence(table, current.id)
      const refused =
        checkNotArchived(current) ?? checkUnused(await readAllHoldings(table, current.id), call.now)
      if (refused) return refused
      const tenant = archived(current, call.now)
      return commit(call, {
        writes: { tenant: putRevision(tenantItem(tenant), current.revision), fence },
        events: [{ ...eventOf('tenant.archived', tenant), ...changes(current, tenant) }],
        reply: tenant,
        refusals: { tenant: outdated, fence: outdated },
      })
    })
  },

  async listEvents({ params, query }, { table, secrets }) {
    const tenant = await loadTenant(table, params.tenantId)
    if (isRefusal(tenant)) return tenant
    return readEvents(tenant.id, query, { table, secrets })
  },

  async listPlaces({ params, query }, { table, secrets }) {
    const tenant = await loadTenant(table, params.tenantId)
    if (isRefusal(tenant)) return tenant
    const license = query.licenseId && (await findLicense(table, query.licenseId))
    if (query.licenseId !== undefined && (!license || license.tenantId !== tenant.id)) return notFound
    const range = visitsRange(tenant.id, query.licenseId)
    return readPage(table, secrets.cursorKey, range, query, async (items) =>
      items.map((item) => visitsView(visitsEntity.decode(item))),
    )
  },

  async listVendorEvents({ query }, services) {
    return readEvents(undefined, query, services)
  },
}

function readEvents(
  tenantId: TenantId | undefined,
  query: Call<(typeof tenantsRoutes)['listEvents']>['query'],
  { table, secrets }: Pick<Services, 'table' | 'secrets'>,
) {
  const range = { pk: eventLog(tenantId), newestFirst: query.order === 'newest' }
  return readPage(table, secrets.cursorKey, range, query, async (items) => items.map(eventEntity.decode))
}

const isArchived = ({ archivedAt }: Tenant) => archivedAt !== undefined

async function loadTenant(table: Table, id: TenantId): Promise<Tenant | Refusal> {
  return (await readTenant(table, id)) ?? notFound
}

function taken({ customerId }: Tenant): Refusal {
  return refuse('CODE_TAKEN', `Another tenant has the customer id ${customerId}.`)
}

function eventOf(type: EventDraft['type'], { id }: Tenant): EventDraft {
  return { type, tenantId: id, subject: { type: 'tenant', id } }
}
