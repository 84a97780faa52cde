import * as z from 'zod'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { OrganizationId, TenantId } from '../../shared/platform/ids.ts'
import { createPlan, createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'
import {
  archived,
  Created,
  created,
  days,
  keep,
  lateEvent,
  mute,
  post,
  reclaimed,
  seenSuspended,
  setAside,
  someVendorEvent,
  stopMail,
  takenUp,
  tenantDeliveries,
  vendorDeliveries,
  vendorDelivery,
  waiting,
} from './beforehand.ts'
import type { Hint, World } from './calls.ts'

const vendorEvent = async (world: World) => ({ eventId: await someVendorEvent(world) })
const past = () => ({ from: days(-2), to: days(-1) })
const schema = 'urn:ietf:params:scim:schemas:core:2.0:User'
const patch = (path: string) => () => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: [{ op: 'replace', path, value: 'Another name' }],
})

/** What the operations need that do not succeed with what is plausible alone. */
export const hints: Readonly<Record<string, Hint>> = {
  createToken: { first: () => ({ organizationId: undefined }) },
  archiveTenant: { first: async ({ api }) => ({ tenantId: (await createTenant(api)).id }) },
  issueLicense: { first: () => ({ extends: undefined }) },
  importLicenses: {
    body: ({ planId, customerId }) => ({
      rows: [{ reference: 'R-1', customerId, planId, validFrom: days(-1), expiresAt: days(30) }],
    }),
    first: async ({ api }) => ({ customerId: (await createTenant(api)).customerId }),
  },
  reinstateLicense: {
    first: async (world) =>
      post(world, `/v1/licenses/${world.tenancy.known.licenseId}/suspend`, { reason: 'a test' }).then(
        () => ({}),
      ),
  },
  takeUpTransfer: { first: async ({ api }) => ({ tenantId: (await createTenant(api)).id }) },
  approveTransfer: { first: takenUp },
  cancelTransfer: { as: 'tenant:admin' },
  collectTransfer: {
    as: 'tenant:admin',
    first: async (world) => {
      const { transferId, tenantId, reason } = await takenUp(world)
      for (const side of ['giving', 'receiving'])
        await post(world, `/v1/transfers/${transferId}/approve`, { side, reason })
      await world.api.run('executeTransfers')
      return { tenantId }
    },
  },
  refreshInstalls: { first: seenSuspended },
  uploadLicense: {
    first: async (world) => {
      const { tenantId, planId } = world.tenancy.known
      const { file } = await post(world, '/v1/licenses', { tenantId, planId, applyOn: 'upload' })
      return { file: LicenseFile.parse(file) }
    },
  },
  borrow: {
    first: async (world) => {
      const { api, catalog } = world
      const rules = { borrow: { maximum: 'P7D', share: 40 } }
      const terms = { allocation: 'floating', limits: { concurrent: 10 }, features: {}, rules }
      const { id: planId } = await createPlan(api, catalog.product.id, terms)
      await post(world, '/v1/licenses', { tenantId: world.tenancy.known.tenantId, planId })
      return {}
    },
  },
  releaseLease: {
    as: 'tenant:admin',
    first: async ({ api, tenancy: { known, tokens } }) => {
      const token = tokens.get('tenant:admin')
      const answer = await api.call('GET', `/v1/tenants/${known.tenantId}/pools`, { token })
      const Pools = z.object({ items: z.array(z.object({ leases: z.array(z.object({ ref: z.string() })) })) })
      const [lease] = Pools.parse(expected(200, answer)).items.flatMap(({ leases }) => leases)
      return { metric: 'concurrent', ref: lease?.ref ?? '' }
    },
  },
  pingTicket: { first: waiting },
  getDenials: { first: past },
  getPoolUse: { first: past },
  recordUsage: {
    body: ({ tenantId, product }) => ({ tenantId, records: [{ product, metric: 'signatures', add: 1 }] }),
  },
  correctUsage: { first: () => ({ metric: 'signatures' }) },
  getUsage: { first: () => ({ metric: 'signatures', ...past() }) },
  explain: { body: ({ tenantId, licenseId }) => ({ tenantId, licenseId }) },
  evaluateFlag: { first: () => ({ key: 'sso' }) },
  withdrawRelease: {
    first: async (world) => {
      await post(world, `/v1/products/${world.tenancy.known.productId}/releases`, { version: '1.0.0' })
      return {}
    },
  },
  cancelBulk: {
    first: async ({ api, tenancy: { known, tokens } }) => {
      // Not enough time to find out who is meant.
      const answer = await api.call('POST', `/v1/tenants/${known.tenantId}/bulk`, {
        token: tokens.get('tenant:admin'),
        body: { action: { do: 'suspend' }, filter: { organizationId: known.organizationId } },
        remaining: () => 15_000,
      })
      return { bulkId: Created.parse(expected(201, answer)).id }
    },
  },
  editUser: { first: () => ({ name: 'Another name' }) },
  restoreUser: { first: archived },
  importUsers: { body: () => ({ rows: [{ name: 'Ada', email: 'ada@example.test' }] }) },
  editOrganization: { first: () => ({ parentId: undefined, name: 'Another name' }) },
  archiveOrganization: {
    first: ({ tenancy }) => ({ organizationId: OrganizationId.parse(tenancy.known.parentId) }),
  },
  restoreSeats: { first: reclaimed },
  getKeepLink: { first: keep },
  useKeepLink: { first: keep },
  getKeepPage: { first: keep },
  useKeepPage: { first: keep },
  requestSeat: {
    first: async (world) => {
      const person = { name: 'Somebody else' }
      return { userId: await created(world, `/v1/tenants/${world.tenancy.known.tenantId}/users`, person) }
    },
  },
  reserveSeats: {
    first: async (world) => {
      const { tenantId, planId } = world.tenancy.known
      await post(world, '/v1/licenses', { tenantId, planId, limits: { learners: 10 } })
      return {}
    },
  },
  patchScimUser: { body: patch('displayName') },
  patchScimGroup: { body: patch('displayName') },
  getScimSchema: { first: () => ({ id: schema }) },
  getScimResourceType: { first: () => ({ id: 'User' }) },
  editGroup: {
    first: async ({ api, tenancy: { known, tokens } }) => {
      const token = tokens.get('tenant:admin')
      const answer = await api.call('GET', `/v1/tenants/${known.tenantId}/groups`, { token })
      const Groups = z.object({ items: z.array(z.object({ revision: z.int() })) })
      const [group] = Groups.parse(expected(200, answer)).items
      return { ifMatch: `"${group?.revision}"` }
    },
  },
  retrySetAside: { first: setAside },
  discardSetAside: { first: setAside },
  getVendorWebhookDelivery: { first: vendorDelivery },
  replayVendorWebhookDelivery: { first: vendorDelivery },
  replayVendorWebhookDeliveries: { first: vendorDeliveries },
  replayWebhookDeliveries: { first: tenantDeliveries },
  editWebhook: { first: () => ({ description: 'Another one' }) },
  editVendorWebhook: { first: () => ({ description: 'Another one' }) },
  editNotifications: { first: () => ({ digestMinutes: 30 }) },
  editStaffNotifications: { first: () => ({ digestMinutes: 30 }) },
  setMailAddress: { first: () => ({ language: 'de' }) },
  setStaffMailAddress: { first: () => ({ language: 'de' }) },
  resumeMail: { first: (world) => stopMail(world, TenantId.parse(world.tenancy.known.tenantId)) },
  resumeStaffMail: { first: (world) => stopMail(world) },
  askUnsubscribe: { first: mute },
  unsubscribe: { first: mute },
  closeCalendar: {
    first: async (world) => {
      await post(world, `/v1/tenants/${world.tenancy.known.tenantId}/calendar`, undefined)
      return {}
    },
  },
  readCalendar: {
    first: async (world) => {
      const { url } = await post(world, `/v1/tenants/${world.tenancy.known.tenantId}/calendar`, undefined)
      return { file: decodeURIComponent(String(url).split('/').at(-1) ?? '') }
    },
  },
  sequenceAuditEvents: { first: (world) => lateEvent(world, TenantId.parse(world.tenancy.known.tenantId)) },
  sequenceVendorAuditEvents: { first: (world) => lateEvent(world) },
  getVendorAuditInclusion: { first: vendorEvent },
  getVendorAuditReceipt: { first: vendorEvent },
}
