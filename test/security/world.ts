import { randomUUID } from 'node:crypto'
import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import * as z from 'zod'
import { operations } from '../../functions/routes.ts'
import { type Access, Role, TenantRole } from '../../shared/domain/access.ts'
import type { Plan } from '../../shared/domain/catalog.ts'
import { parseLicenseKey } from '../../shared/domain/license-key.ts'
import type { ReclaimCase } from '../../shared/domain/reclaim-case.ts'
import type { SeatRequest } from '../../shared/domain/seat-request.ts'
import { TokenView } from '../../shared/domain/token.ts'
import { formatToken, newTokenSecret, parseToken } from '../../shared/platform/auth/token-format.ts'
import { newTokenId, OrganizationId, TenantId, UserId, WebhookId } from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { newIntegrityEvent, replaceIntegrityEvent } from '../../shared/store/integrity.ts'
import { tokenKey } from '../../shared/store/keys.ts'
import { newNotice } from '../../shared/store/notice.ts'
import { addNotice } from '../../shared/store/outbox.ts'
import { writeCase } from '../../shared/store/reclaim.ts'
import { writeRequest } from '../../shared/store/seat-request.ts'
import { putDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import type { Answer, Api } from '../support/api.ts'
import { sequenceAll } from '../support/audit.ts'
import { eventsOf } from '../support/events.ts'
import { createPlan, createProduct, createTenant } from '../support/resources.ts'
import { expected, Issued } from '../support/scenario.ts'

/** What both tenants have in common: what the vendor sells, a plan for people, machines and concurrent use each. */
export async function createCatalog(api: Api) {
  const product = await createProduct(api, {
    metrics: [
      { code: 'users', kind: 'gauge' },
      { code: 'signatures', kind: 'counter' },
      { code: 'machines', kind: 'gauge' },
      { code: 'concurrent', kind: 'gauge' },
      { code: 'learners', kind: 'gauge' },
    ],
    modules: [{ code: 'learn', name: 'Learn', seat: { metric: 'learners', roles: ['author'] } }],
  })
  const rules = { transfer: { allowed: true } }
  const plans = {
    named: await createPlan(api, product.id, {
      rules: { ...rules, countries: { deny: ['AQ'], unknown: 'allow' } },
      limits: { users: 100, learners: 2 },
    }),
    'node-locked': await createPlan(api, product.id, {
      rules,
      allocation: 'node-locked',
      limits: { machines: 10 },
      features: {},
    }),
    floating: await createPlan(api, product.id, {
      rules,
      allocation: 'floating',
      limits: { concurrent: 10 },
      features: {},
    }),
  }
  return { product, plans }
}
export type Catalog = Awaited<ReturnType<typeof createCatalog>>

export type Tenancy = Awaited<ReturnType<typeof createTenancy>>

const Created = z.object({ id: z.string() })
const Held = z.object({ leaseId: z.string() })
const Waiting = z.object({ ticketId: z.string() })
const Activated = z.object({ activation: z.object({ id: z.string() }) })
const Requested = z.object({ transfer: z.object({ id: z.string() }), transferCode: z.string() })

/** A tenant with licenses in force, use of them, a lease, a ticket, machines, a token of each tenant role, and events. */
export async function createTenancy(api: Api, { product, plans }: Catalog) {
  const mark = `Tenant-${randomUUID()}`
  const tenant = await createTenant(api, { name: mark, customerId: mark })
  const vendor = await api.token('vendor:admin')
  const post = async (status: number, path: string, token: string, body: object) =>
    expected(status, await api.call('POST', path, { token, body, headers: newKey() }))

  const issue = async ({ id }: Plan) =>
    Issued.parse(await post(201, '/v1/licenses', vendor, { tenantId: tenant.id, planId: id }))
  const { license, key } = await issue(plans.named)
  const others = [await issue(plans['node-locked']), await issue(plans.floating)]

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
  // Months before anybody is told could not be waited for.
  const now = readClock()
  for (const userId of users.slice(0, 2)) {
    const idle: ReclaimCase = {
      state: 'candidate',
      userId: UserId.parse(userId),
      organizationId: OrganizationId.parse(organization.id),
      productId: product.id,
      metrics: ['users'],
      reason: 'NEVER_SEEN',
      since: now,
      dueAt: plusMilliseconds(now, HOUR),
      openedAt: now,
      notices: [],
      version: 1,
    }
    await writeRow(api.table, writeCase(TenantId.parse(tenant.id), undefined, idle))
    const request: SeatRequest = {
      state: 'open',
      userId: UserId.parse(userId),
      organizationId: OrganizationId.parse(organization.id),
      productId: product.id,
      module: 'learn',
      reason: mark,
      requestedAt: now,
      lapsesAt: plusMilliseconds(now, HOUR),
      version: 1,
    }
    await writeRow(api.table, writeRequest(TenantId.parse(tenant.id), undefined, request))
  }

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
    others.map(async (one) =>
      Requested.parse(await post(201, `/v1/licenses/${one.license.id}/transfers`, admin, {})),
    ),
  )

  const webhook = await seenWebhook(api, TenantId.parse(tenant.id), admin)
  const vendors = await post(201, '/v1/webhooks', vendor, { url: NOWHERE, enabled: false })
  const { id: vendorWebhookId } = Created.parse(vendors)

  const findings = ['first', 'second'].map((stored) =>
    newIntegrityEvent(
      TenantId.parse(tenant.id),
      {
        check: 'license-changed',
        subject: { type: 'license', id: license.id },
        differs: [{ field: 'reason', stored }],
      },
      now,
    ),
  )
  for (const one of findings) await writeRow(api.table, replaceIntegrityEvent(one, undefined))
  for (const reason of ['first', 'second']) await addNotice(api.table, aNotice(tenant.id, mark, reason), now)

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
    findingId: findings[0]?.id ?? '',
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
    key,
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
      ...findings.map(({ id }) => id),
      ...users,
      group.id,
    ],
  }
}

/** Somebody who is to be told something, later. */
function aNotice(tenantId: string, name: string, occasion: string) {
  const at = readClock()
  const about = { kind: 'job-failed', job: name, at } as const
  const draft = { about, occasion: [occasion], at, until: plusMilliseconds(at, HOUR) }
  return newNotice(draft, TenantId.parse(tenantId), { email: 'ada@example.edu', name })
}

/** An endpoint at which nobody listens: the connection is refused at once. */
const NOWHERE = 'http://127.0.0.1:9/'

/** An endpoint of a tenant, and an event that was put before it. */
async function seenWebhook(api: Api, tenantId: TenantId, token: string) {
  const body = { url: NOWHERE, eventTypes: ['webhook.*'] }
  const answer = await api.call('POST', `/v1/tenants/${tenantId}/webhooks`, { token, body })
  const { id } = z.object({ id: WebhookId }).parse(expected(201, answer))
  const event = (await eventsOf(api.table, id, tenantId))[0]
  if (event === undefined) throw new Error('an endpoint that was added without an event')
  const delivery = { eventId: event.id, type: event.type, log: tenantId, attempts: 0, failures: 0 }
  const now = readClock()
  await writeRow(
    api.table,
    putDelivery(
      { owner: tenantId, id },
      { ...delivery, state: 'waiting', createdAt: now, dueAt: plusMilliseconds(now, HOUR) },
    ),
  )
  return { webhookId: id, eventId: event.id }
}

/** So that the answer is kept, as those of careful clients are. */
const newKey = () => ({ 'idempotency-key': randomUUID() })

const NewToken = z.object({ token: z.string(), ...TokenView.shape })

export async function newToken(
  api: Api,
  body: {
    role: Role
    tenantId?: TenantId | undefined
    organizationId?: string
    scopes?: string[]
    expiresAt?: string
  },
): Promise<z.infer<typeof NewToken>> {
  const token = await api.token('vendor:admin')
  const options = { token, body: { name: 'A token', ...body }, headers: newKey() }
  const answer = await api.call('POST', '/v1/tokens', options)
  return NewToken.parse(expected(201, answer))
}

/** Something to come with, and whom it is let in as. */
export type Credential = {
  readonly name: string
  readonly authorization: string | undefined
  /** How the door answers: `in`, or the status of the refusal. */
  readonly expected: (operationId: string, access: Access) => 'in' | 401 | 403
}

/** Every kind of credential there is, good and bad, all of one tenant or of the vendor. */
export async function credentials(api: Api, { known, key, tokens }: Tenancy): Promise<Credential[]> {
  const revoked = await newToken(api, { role: 'vendor:admin' })
  const vendor = await api.token('vendor:admin')
  expected(204, await api.call('DELETE', `/v1/tokens/${revoked.id}`, { token: vendor }))
  const expired = await newToken(api, {
    role: 'vendor:admin',
    expiresAt: plusMilliseconds(readClock(), HOUR),
  })
  await api.table.client.send(
    new UpdateCommand({
      TableName: api.table.name,
      Key: tokenKey(expired.id),
      UpdateExpression: 'SET expiresAt = :past',
      ExpressionAttributeValues: { ':past': plusMilliseconds(readClock(), -1) },
    }),
  )
  return [
    // A public operation looks at license keys itself, so that a bad one is no bad credential there.
    bad('no credential', undefined, 'in'),
    bad('a key that is none', 'License nonsense', 'in'),
    bad('a key with a typing error', `License ${withTypo(key)}`, 'in'),
    bad('a key that was replaced', `License ${await replacedKey(api, known.licenseId, key)}`, 'in'),
    bad('a header that is none', 'nonsense'),
    bad('an empty header', ''),
    bad('another scheme', 'Basic dmVuZG9yOmFkbWlu'),
    bad('a bearer of nothing', 'Bearer '),
    bad('two tokens', `Bearer ${vendor} ${vendor}`),
    bad('a key as bearer', `Bearer ${key}`),
    bad('a token as key, behind another scheme', `Token ${vendor}`),
    bad('a JWT of nobody', `Bearer ${unsignedJwt({ iss: 'https://id.example.test', sub: 'ada' })}`),
    bad('a JWT that is none', 'Bearer eyJhbGciOiJub25lIn0.bm9uc2Vuc2U.'),
    bad('a token with a typing error', `Bearer ${withTypo(vendor)}`),
    bad('a token that never was', `Bearer ${formatToken('test', newTokenId(readClock()), newTokenSecret())}`),
    bad('the id of a token with another secret', `Bearer ${withAnotherSecret(vendor)}`),
    bad('a revoked token', `Bearer ${revoked.token}`),
    bad('an expired token', `Bearer ${expired.token}`),
    {
      name: 'a license key',
      authorization: `License ${await currentKey(api, known.licenseId)}`,
      expected: (_, access) => (access === 'public' || access.includes('license') ? 'in' : 403),
    },
    ...(await Promise.all(Role.options.map((role) => ofRole(api, role, tokens.get(role))))),
    ...(await Promise.all(scoped(api, 'vendor:admin', undefined))),
    ...(await Promise.all(scoped(api, 'tenant:admin', known.tenantId))),
  ]
}

const bad = (name: string, authorization: string | undefined, atPublic: 'in' | 401 = 401): Credential => ({
  name,
  authorization,
  expected: (_, access) => (access === 'public' ? atPublic : 401),
})

async function ofRole(api: Api, role: Role, token: string | undefined): Promise<Credential> {
  return {
    name: role,
    authorization: `Bearer ${token ?? (await api.token(role))}`,
    expected: (_, access) => (access === 'public' || access.includes(role) ? 'in' : 403),
  }
}

/** Two tokens of a role, each limited to every other operation: what one may do the other may not. */
function scoped(api: Api, role: Role, tenantId: TenantId | undefined): Promise<Credential>[] {
  return [0, 1].map(async (half): Promise<Credential> => {
    const scopes = operations.map(({ operationId }) => operationId).filter((_, index) => index % 2 === half)
    const { token } = await newToken(api, { role, tenantId, scopes })
    return {
      name: `${role}, limited to ${half === 0 ? 'even' : 'odd'} operations`,
      authorization: `Bearer ${token}`,
      expected: (operationId, access) => {
        if (access === 'public') return 'in'
        return access.includes(role) && scopes.includes(operationId) ? 'in' : 403
      },
    }
  })
}

/** Gives the license another key; the one it had before. */
async function replacedKey(api: Api, licenseId: string, key: string): Promise<string> {
  const token = await api.token('vendor:admin')
  const body = { reason: 'a test' }
  expected(200, await api.call('POST', `/v1/licenses/${licenseId}/rotate-key`, { token, body }))
  return key
}

async function currentKey(api: Api, licenseId: string): Promise<string> {
  const token = await api.token('vendor:admin')
  const answer: Answer = await api.call('POST', `/v1/licenses/${licenseId}/reveal-key`, {
    token,
    body: { reason: 'a test' },
  })
  return z.object({ key: z.string() }).parse(expected(200, answer)).key
}

/** One character changed, so that the checksum tells. */
function withTypo(text: string): string {
  const changed = `${text.slice(0, -1)}${text.endsWith('7') ? '8' : '7'}`
  if (parseToken(changed) ?? parseLicenseKey(changed)) throw new Error('the typing error makes a good one')
  return changed
}

function withAnotherSecret(token: string): string {
  const parsed = parseToken(token)
  if (parsed === undefined) throw new Error('this is no token')
  return formatToken('test', parsed.id, newTokenSecret())
}

function unsignedJwt(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  return `${encode({ alg: 'RS256', kid: 'a' })}.${encode(claims)}.${Buffer.from('signature').toString('base64url')}`
}
