// What has to be there first, so that a call of an operation succeeds and changes something.
import * as z from 'zod'
import { linksOf } from '../../functions/notifications/links.ts'
import { suppress } from '../../functions/notifications/suppress.ts'
import { EventId, LicenseId, ProductId, TenantId, UserId, WebhookId } from '../../shared/platform/ids.ts'
import { HOUR, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { record } from '../../shared/store/commit.ts'
import { eventItem } from '../../shared/store/event.ts'
import { readLicense, replaceLicense } from '../../shared/store/holdings.ts'
import { eventLog } from '../../shared/store/keys.ts'
import { newNotice } from '../../shared/store/notice.ts'
import { readRange } from '../../shared/store/read.ts'
import { readCase, writeCase } from '../../shared/store/reclaim.ts'
import { fileTimer } from '../../shared/store/timer.ts'
import { putOnce, transact } from '../../shared/store/transact.ts'
import { putDelivery, readDelivery, replaceDelivery } from '../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../shared/store/write.ts'
import { createTenant } from '../support/resources.ts'
import { expected } from '../support/scenario.ts'
import { secretsOf } from '../support/secrets.ts'
import type { World } from './calls.ts'
import { NOWHERE } from './left-behind.ts'
import { newKey } from './tokens.ts'

export const Created = z.looseObject({ id: z.string() })
export const days = (count: number) => plusMilliseconds(readClock(), count * 24 * HOUR)

/** Makes something by a call of the vendor's, or of somebody of the tenant's. */
export async function post(
  { api, tenancy }: World,
  path: string,
  body: object | undefined,
  by: 'vendor:admin' | 'tenant:admin' | 'tenant:app' = 'vendor:admin',
) {
  const token = tenancy.tokens.get(by) ?? (await api.token(by))
  const answer = await api.call('POST', path, { token, body, headers: newKey() })
  return z.looseObject({}).parse(expected(answer.status < 300 ? answer.status : 201, answer))
}

export const created = async (...given: Parameters<typeof post>) => Created.parse(await post(...given)).id

/** A transfer whose code another tenant took up. */
export async function takenUp(world: World) {
  const { tenancy, api } = world
  const { transferId, transferCode } = tenancy.known
  const { id: tenantId } = await createTenant(api)
  await post(world, `/v1/tenants/${tenantId}/transfers`, { transferCode })
  return { transferId, tenantId, reason: 'a test' }
}

/** An endpoint of the vendor's that is enabled, with an event before it. */
export async function vendorDelivery(world: World) {
  const { table } = world.api
  const vendorWebhookId = await created(world, '/v1/webhooks', { url: NOWHERE, eventTypes: ['webhook.*'] })
  const eventId = await someVendorEvent(world)
  const endpoint = { owner: 'vendor', id: WebhookId.parse(vendorWebhookId) } as const
  const [createdAt, dueAt] = [readClock(), days(1)]
  const delivery = { eventId, type: 'webhook.created', log: 'vendor', attempts: 0, failures: 0 } as const
  await writeRow(table, putDelivery(endpoint, { ...delivery, state: 'waiting', createdAt, dueAt }))
  return { vendorWebhookId, eventId, since: days(-1) }
}

export async function someVendorEvent({ api }: World): Promise<EventId> {
  const [first] = await readRange(api.table, { pk: eventLog(undefined) })
  return EventId.parse(first?.['id'])
}

/** Work that failed so often that it is not tried any more. */
export async function setAside({ api }: World) {
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
export const keep = async (world: World) => ({ token: (await links(world)).keep })
export const mute = async (world: World) => ({ token: (await links(world)).mute })

/** An address that gets no mail any more, of a tenant or the vendor's staff. */
export async function stopMail({ api }: World, tenantId?: TenantId) {
  const why = { why: 'bounce', detail: 'a test' } as const
  const now = readClock()
  await suppress(api.table, tenantId, 'ada@example.test', { ...why, at: now }, { now, requestId: 'a-test' })
  return {}
}

/** Seats that were taken back, which can be undone. */
export async function reclaimed({ api, tenancy: { known } }: World) {
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

/** Deliveries that were given up, of the tenant's endpoint or of the vendor's. */
export async function tenantDeliveries({ api, tenancy: { known } }: World) {
  const owner = TenantId.parse(known.tenantId)
  await giveUp(api, { owner, id: WebhookId.parse(known.webhookId) }, EventId.parse(known.eventId))
  return { since: days(-1) }
}
export async function vendorDeliveries(world: World) {
  const { vendorWebhookId, eventId, since } = await vendorDelivery(world)
  await giveUp(world.api, { owner: 'vendor', id: WebhookId.parse(vendorWebhookId) }, eventId)
  return { vendorWebhookId, since }
}

async function giveUp(
  { table }: World['api'],
  endpoint: Parameters<typeof readDelivery>[1],
  eventId: EventId,
): Promise<void> {
  const delivery = await readDelivery(table, endpoint, eventId)
  if (delivery === undefined) throw new Error('there is no delivery')
  const { type, log, createdAt } = delivery
  const common = { eventId, type, log, createdAt, attempts: 1, failures: 1 }
  await writeRow(table, replaceDelivery(endpoint, delivery, { ...common, state: 'failed', at: readClock() }))
}

/** An event that the stream gave up: an hour old, and not in its log. */
export async function lateEvent({ api }: World, tenantId?: TenantId) {
  const caller = { kind: 'system', subject: 'a-test' } as const
  const subject = { type: 'license', id: 'a license of then' } as const
  const request = { caller, now: plusMilliseconds(readClock(), -HOUR), requestId: 'a-test' }
  const draft = { type: 'license.suspended', subject, ...(tenantId && { tenantId }) } as const
  await writeRow(api.table, putOnce(eventItem(record(draft, request))))
  return {}
}

/** Somebody who waits for a place in a pool that is full. */
export async function waiting(world: World) {
  const { api, tenancy } = world
  const { tenantId, product, productId } = tenancy.known
  const answer = await api.call('GET', `/v1/tenants/${tenantId}/pools`, {
    token: tenancy.tokens.get('tenant:app'),
  })
  const Pools = z.object({
    items: z.array(z.object({ productId: z.string(), metric: z.string(), free: z.int() })),
  })
  const pool = Pools.parse(expected(200, answer)).items.find((one) => one.productId === productId)
  const item = { metric: pool?.metric ?? '' }
  if (pool !== undefined && pool.free > 0)
    await post(world, '/v1/leases', { product, items: [{ ...item, units: pool.free }] }, 'tenant:app')
  const { ticketId } = await post(world, '/v1/tickets', { product, item }, 'tenant:app')
  return { ticketId }
}

/** A license of which it was last seen that it is suspended. */
export async function seenSuspended({ api, tenancy: { known } }: World) {
  const [tenantId, productId, licenseId] = [
    TenantId.parse(known.tenantId),
    ProductId.parse(known.productId),
    LicenseId.parse(known.licenseId),
  ]
  const license = await readLicense(api.table, { tenantId, productId, licenseId })
  if (license === undefined) throw new Error('there is no license')
  const seen = { lastSeenStatus: 'SUSPENDED', lastSeenAt: license.issuedAt } as const
  await transact(api.table, { license: replaceLicense({ ...license, ...seen }) })
  return {}
}

/** Somebody who was archived. */
export async function archived(world: World) {
  const { tenantId, userId } = world.tenancy.known
  await post(world, `/v1/tenants/${tenantId}/users/${userId}/archive`, {}, 'tenant:admin')
  return {}
}
