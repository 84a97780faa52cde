import * as z from 'zod'
import { linksOf } from '../../functions/notifications/links.ts'
import { suppress } from '../../functions/notifications/suppress.ts'
import { LicenseFile } from '../../shared/domain/license-file.ts'
import { EventId, OrganizationId, ProductId, TenantId, UserId, WebhookId } from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { newNotice } from '../../shared/store/notice.ts'
import { readRange } from '../../shared/store/read.ts'
import { readCase, writeCase } from '../../shared/store/reclaim.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import { putDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import { createPlan, createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'
import { secretsOf } from '../support/secrets.ts'
import type { Hint, World } from './calls.ts'
import { NOWHERE } from './left-behind.ts'
import { newKey } from './tokens.ts'

const Created = z.looseObject({ id: z.string() })
const days = (count: number) => plusMilliseconds(readClock(), count * 24 * HOUR)

/** Makes something by a call of the vendor's, or of somebody of the tenant's. */
async function post(
  { api, tenancy }: World,
  path: string,
  body: object | undefined,
  by: 'vendor:admin' | 'tenant:admin' | 'tenant:app' = 'vendor:admin',
) {
  const token = tenancy.tokens.get(by) ?? (await api.token(by))
  const answer = await api.call('POST', path, { token, body, headers: newKey() })
  return z.looseObject({}).parse(expected(answer.status < 300 ? answer.status : 201, answer))
}

const created = async (...given: Parameters<typeof post>) => Created.parse(await post(...given)).id

/** A transfer whose code another tenant took up. */
async function takenUp(world: World) {
  const { tenancy, api } = world
  const { transferId, transferCode } = tenancy.known
  const { id: tenantId } = await createTenant(api)
  await post(world, `/v1/tenants/${tenantId}/transfers`, { transferCode })
  return { transferId, tenantId, reason: 'a test' }
}

/** An endpoint of the vendor's that is enabled, with an event before it. */
async function vendorDelivery(world: World) {
  const { table } = world.api
  const vendorWebhookId = await created(world, '/v1/webhooks', { url: NOWHERE, eventTypes: ['webhook.*'] })
  const eventId = await someVendorEvent(world)
  const endpoint = { owner: 'vendor', id: WebhookId.parse(vendorWebhookId) } as const
  const [createdAt, dueAt] = [readClock(), days(1)]
  const delivery = { eventId, type: 'webhook.created', log: 'vendor', attempts: 0, failures: 0 } as const
  await writeRow(table, putDelivery(endpoint, { ...delivery, state: 'waiting', createdAt, dueAt }))
  return { vendorWebhookId, eventId, since: days(-1) }
}

async function someVendorEvent({ api }: World): Promise<EventId> {
  const [first] = await readRange(api.table, { pk: eventLog(undefined) })
  return EventId.parse(first?.['id'])
}

/** Work that failed so often that it is not tried any more. */
async function setAside({ api }: World) {
  const timer = { kind: 'seat-reclaim-review', subject: ['somebody'], dueAt: readClock() }
  const failed = { times: 6, reason: 'a test', at: readClock(), isSetAside: true as const }
  await writeRow(api.table, fileTimer({ ...timer, failed }))
  return { setAsideId: Buffer.from([timer.kind, ...timer.subject].join('#')).toString('base64url') }
}

/** The links of a mail that tells somebody of idle seats, and of a pool that fills up. */
async function links({ api, tenancy: { known } }: World) {
  const [tenantId, userId, productId] = [
    TenantId.parse(known.tenantId),
    UserId.parse(known.userId),
    ProductId.parse(known.productId),
  ]
  const found = await readCase(api.table, tenantId, userId, productId)
  if (found === undefined) throw new Error('nobody is idle')
  const [at, product] = [readClock(), 'Studio']
  const reclaim = {
    kind: 'seat-reclaim',
    userId,
    person: 'Ada',
    productId,
    product,
    openedAt: found.openedAt,
    at,
  } as const
  const capacity = {
    kind: 'capacity',
    productId,
    product,
    metric: 'users',
    used: 9,
    capacity: 10,
    threshold: 90,
  } as const
  const notices = [reclaim, capacity].map((about) =>
    newNotice({ about, occasion: ['x'], at, until: days(1) }, tenantId, {
      email: 'ada@example.test',
      name: 'Ada',
    }),
  )
  const { act, unsubscribe } = linksOf(notices, { publicUrl: 'http://x.test', secrets: await secretsOf(api) })
  return { keep: tokenIn(act(reclaim)), mute: tokenIn(unsubscribe) }
}

const tokenIn = (link: string | undefined) => new URL(link ?? '').searchParams.get('token') ?? ''
const keep = async (world: World) => ({ token: (await links(world)).keep })
const mute = async (world: World) => ({ token: (await links(world)).mute })

/** An address that gets no mail any more, of a tenant or the vendor's staff. */
async function stopMail({ api }: World, tenantId?: TenantId) {
  const why = { why: 'bounce', detail: 'a test' } as const
  const now = readClock()
  await suppress(api.table, tenantId, 'ada@example.test', { ...why, at: now }, { now, requestId: 'a-test' })
  return {}
}

/** Seats that were taken back, which can be undone. */
async function reclaimed({ api, tenancy: { known } }: World) {
  const of = [
    TenantId.parse(known.tenantId),
    UserId.parse(known.userId),
    ProductId.parse(known.productId),
  ] as const
  const found = await readCase(api.table, ...of)
  if (found === undefined) throw new Error('nobody is idle')
  const over = {
    endedAt: readClock(),
    undoUntil: days(1),
    cooldownDays: 0,
    taken: { direct: [], withheld: [] },
  }
  await writeRow(api.table, writeCase(of[0], found, { ...found, ...over, state: 'reclaimed', version: 2 }))
  return {}
}

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
  replayVendorWebhookDeliveries: { first: vendorDelivery },
  resumeMail: { first: (world) => stopMail(world, TenantId.parse(world.tenancy.known.tenantId)) },
  resumeStaffMail: { first: (world) => stopMail(world) },
  askUnsubscribe: { first: mute },
  unsubscribe: { first: mute },
  readCalendar: {
    first: async (world) => {
      const { url } = await post(world, `/v1/tenants/${world.tenancy.known.tenantId}/calendar`, undefined)
      return { file: decodeURIComponent(String(url).split('/').at(-1) ?? '') }
    },
  },
  getVendorAuditInclusion: { first: vendorEvent },
  getVendorAuditReceipt: { first: vendorEvent },
}
