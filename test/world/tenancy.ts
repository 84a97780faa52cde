import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { type Role, TenantRole } from '../../shared/domain/access.ts'
import type { Plan } from '../../shared/domain/catalog.ts'
import { TenantId } from '../../shared/platform/ids.ts'
import type { ApiClient } from '../support/api.ts'
import { sequenceAll } from '../support/audit.ts'
import { createTenant } from '../support/resources.ts'
import { expected, Issued } from '../support/scenario.ts'
import type { Catalog } from './catalog.ts'
import { leaveFindings, leaveIdle, leaveNotices, NOWHERE, seenWebhook } from './left-behind.ts'
import { newKey, newToken } from './tokens.ts'

export type Tenancy = Awaited<ReturnType<typeof createTenancy>>

const Created = z.object({ id: z.string() })
const Held = z.object({ leaseId: z.string() })
const Waiting = z.object({ ticketId: z.string() })
const Activated = z.object({ activation: z.object({ id: z.string() }) })
const Requested = z.object({ transfer: z.object({ id: z.string() }), transferCode: z.string() })

/** A tenant with licenses in force, use of them, a lease, a ticket, machines, a token of each tenant role, and events. */
export async function createTenancy(api: ApiClient, { product, plans }: Catalog) {
  const mark = `Tenant-${randomUUID()}`
  const tenant = await createTenant(api, { name: mark, customerId: mark })
  const vendor = await api.token('vendor:admin')
  const post = async (status: number, path: string, token: string, body: object) =>
    expected(status, await api.call('POST', path, { token, body, headers: newKey() }))

  const issue = async ({ id }: Plan) =>
    Issued.parse(await post(201, '/v1/licenses', vendor, { tenantId: tenant.id, planId: id }))
  const { license, key } = await issue(plans.named)
  const nodeLocked = await issue(plans['node-locked'])
  const floating = await issue(plans.floating)

  const people = `/v1/tenants/${tenant.id}`
  const organization = Created.parse(await post(201, `${people}/organizations`, vendor, { name: mark }))
  const below = { name: `Below ${mark}`, parentId: organization.id }
  const school = Created.parse(await post(201, `${people}/organizations`, vendor, below))
  const users: string[] = []
  // Two have a seat, the others wait for one.
  for (const name of ['first', 'second', 'third', 'fourth']) {
    const person = {
      name: `${name} ${mark}`,
      organizationId: organization.id,
      roles: ['author'],
      usageLocation: 'DE',
    }
    users.push(Created.parse(await post(201, `${people}/users`, vendor, person)).id)
  }
  const whose = {
    tenantId: TenantId.parse(tenant.id),
    productId: product.id,
    organizationId: organization.id,
  }
  await leaveIdle(api.table, whose, users.slice(0, 2), mark)

  const tokens = new Map<Role, string>()
  for (const role of TenantRole.options) tokens.set(role, await api.token(role, tenant.id))
  const keeper = await newToken(api, {
    role: 'org:admin',
    tenantId: tenant.id,
    organizationId: organization.id,
  })
  tokens.set('org:admin', keeper.token)
  // Both change nothing.
  const foreseen = { action: { do: 'suspend' }, users: users.slice(0, 2), dryRun: true }
  const bulk = Created.parse(await post(201, `${people}/bulk`, keeper.token, foreseen))
  await post(201, `${people}/bulk`, keeper.token, foreseen)
  const directory = await api.token('tenant:scim', tenant.id)
  const members = users.slice(0, 1).map((value) => ({ value }))
  const inIt = {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
    displayName: `Group ${mark}`,
    members,
  }
  const group = Created.parse(await post(201, '/scim/v2/Groups', directory, inIt))
  const app = await api.token('tenant:app', tenant.id)
  const spare = await newToken(api, { role: 'tenant:reporter', tenantId: tenant.id })

  const metrics = [
    { metric: 'users', value: 63 },
    { metric: 'signatures', add: 5 },
  ]
  await post(200, '/v1/usage', app, { records: metrics.map((one) => ({ product: product.code, ...one })) })
  for (const userId of ['first', 'second'])
    await post(200, '/v1/validate', app, { licenseId: license.id, userId, country: 'AQ' })
  const admin = await api.token('tenant:admin', tenant.id)
  const correction = { product: product.code, metric: 'signatures', adjust: 1, reason: mark }
  for (const id of ['first', 'second']) await post(201, '/v1/usage/corrections', admin, { ...correction, id })
  const out = { product: product.code, items: [{ metric: 'concurrent' }] }
  const { leaseId } = Held.parse(await post(201, '/v1/leases', app, out))
  const wait = { product: product.code, item: { metric: 'concurrent' } }
  const { ticketId } = Waiting.parse(await post(201, '/v1/tickets', app, wait))
  const activate = async (value: string) =>
    Activated.parse(
      await post(200, '/v1/activations', app, { product: product.code, fingerprints: [{ value }] }),
    ).activation.id
  const machines = [await activate(`${mark}-first`), await activate(`${mark}-second`)]

  const transfers = await Promise.all(
    [nodeLocked, floating].map(async (one) =>
      Requested.parse(await post(201, `/v1/licenses/${one.license.id}/transfers`, admin, {})),
    ),
  )

  const webhook = await seenWebhook(api, TenantId.parse(tenant.id), admin)
  const vendors = await post(201, '/v1/webhooks', vendor, { url: NOWHERE, enabled: false })
  const { id: vendorWebhookId } = Created.parse(vendors)

  const findings = await leaveFindings(api.table, whose.tenantId, license.id)
  await leaveNotices(api.table, whose.tenantId, mark)

  // What the consumer of the stream does where there is one.
  await sequenceAll(api.table, TenantId.parse(tenant.id))

  /** Values of fields by name: what an operation of this tenant is called with. */
  const known = {
    tenantId: tenant.id,
    licenseId: license.id,
    extends: license.id,
    tokenId: spare.id,
    leaseId,
    ticketId,
    activationId: machines[0] ?? '',
    transferId: transfers[0]?.transfer.id ?? '',
    transferCode: transfers[0]?.transferCode ?? '',
    userId: users[0] ?? '',
    groupId: group.id,
    organizationId: organization.id,
    parentId: school.id,
    bulkId: bulk.id,
    ...webhook,
    vendorWebhookId,
    findingId: findings[0] ?? '',
    url: NOWHERE,
    tile: '0/000.p/1',
    module: 'learn',
    productId: product.id,
    planId: plans.named.id,
    product: product.code,
    version: '1.0.0',
    reason: 'a test',
    role: 'tenant:reporter',
  }
  return {
    known,
    tokens,
    users,
    key,
    otherKeys: { nodeLocked: nodeLocked.key, floating: floating.key },
    /** A token of its own besides. */
    spare: spare.token,
    /** Texts that nobody but this tenant and the vendor may ever see. */
    marks: [
      mark,
      tenant.id,
      license.id,
      spare.id,
      leaseId,
      ticketId,
      ...machines,
      ...transfers.map(({ transfer }) => transfer.id),
      key,
      key.slice(-9),
      organization.id,
      school.id,
      bulk.id,
      webhook.webhookId,
      ...findings,
      ...users,
      group.id,
    ],
  }
}
