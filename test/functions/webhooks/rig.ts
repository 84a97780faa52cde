import { marshall } from '@aws-sdk/util-dynamodb'
import { deliverToWebhooks } from '../../../functions/records/deliver-to-webhooks.ts'
import { createClients, createServices } from '../../../functions/services.ts'
import { deliverWebhooks } from '../../../functions/webhooks/deliver-webhooks.ts'
import { DELIVERIES_FILTER } from '../../../functions/webhooks/filter.ts'
import { sendAtOnce } from '../../../functions/webhooks/send-at-once.ts'
import type { WebhookServices } from '../../../functions/webhooks/services.ts'
import { isWanted } from '../../../infra/local/streams/filter.ts'
import { type WebhookOwner, WebhookSecrets } from '../../../shared/domain/webhook.ts'
import { DeliveryView } from '../../../shared/domain/webhook-delivery.ts'
import { Environment, readEnvironment } from '../../../shared/platform/config/environment.ts'
import { pageOf } from '../../../shared/platform/http/shapes.ts'
import { TenantId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { post } from '../../../shared/platform/webhooks/post.ts'
import { webhookKeys } from '../../../shared/platform/webhooks/signature.ts'
import { findTarget } from '../../../shared/platform/webhooks/target.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { deliveriesOf, eventLog } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { startApi } from '../../support/api.ts'
import { startReceiver } from '../../support/receiver.ts'
import { createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'

const Page = pageOf(DeliveryView)

/** Milliseconds. */
const HANGS_FOR = 150

type Rig = Awaited<ReturnType<typeof startRig>>

/** The API, a receiver, and the parts that deliver, each to be set off by hand. */
export async function startRig() {
  const api = await startApi()
  const receiver = await startReceiver()
  await api.token('vendor:admin')
  const common = await createServices(readEnvironment(Environment), createClients())
  const services: WebhookServices = {
    ...common,
    log: () => undefined,
    targetOf: (url) => findTarget(url, 'loopback', async () => []),
    // Who never answers is not waited for as long as it may take; on a busy machine others take as long as they take.
    post: (target, headers, body, milliseconds) => {
      const patience = target.url.pathname === '/hangs' ? HANGS_FOR : milliseconds
      return post(target, headers, body, patience, () => 0)
    },
    keysOf: (id, generation) => webhookKeys(common.secrets.webhookKey, id, generation),
    random: () => 0.5,
  }

  async function eventsIn(owner: WebhookOwner) {
    const pk = eventLog(owner === 'vendor' ? undefined : owner)
    return (await readRange(api.table, { pk })).map(eventEntity.decode)
  }

  return {
    api,
    receiver,
    services,
    eventsIn,
    /** What the stream tells of all events of a log so far. */
    tell: async (owner: WebhookOwner) =>
      deliverToWebhooks(await eventsIn(owner), { table: api.table, log: () => undefined }),
    /** What the stream brings of deliveries nobody tried, as the mapping's filter lets it through. */
    async atOnce({ id, owner }: { id: string; owner: WebhookOwner }, using: WebhookServices = services) {
      const pk = deliveriesOf(owner, WebhookSecrets.shape.id.parse(id))
      const records = (await readRange(api.table, { pk })).map((item, index) => ({
        eventID: String(index),
        eventName: 'INSERT',
        dynamodb: {
          ApproximateCreationDateTime: 1,
          SequenceNumber: String(index + 1),
          Keys: marshall({ pk: item['pk'], sk: item['sk'] }),
          NewImage: marshall(item),
        },
      }))
      const wanted = records.filter((record) => isWanted([DELIVERIES_FILTER], record))
      return sendAtOnce({ Records: wanted }, 'stream', using)
    },
    /** The job, once. */
    run: (using: WebhookServices = services) =>
      deliverWebhooks({ scheduledAt: readClock(), remaining: () => 60_000 }, using),
    async stop() {
      await receiver.close()
      await api.stop()
    },
  }
}

/** A tenant with its administrator, and what that does with its endpoints. */
export async function tenantOf({ api, receiver }: Rig) {
  const tenant = await createTenant(api)
  const tenantId = TenantId.parse(tenant.id)
  const token = await api.token('tenant:admin', tenantId)
  const base = `/v1/tenants/${tenantId}/webhooks`
  const call = (method: string, path: string, body?: object, headers?: Record<string, string>) =>
    api.call(method, `${base}${path}`, { token, ...(body && { body }), ...(headers && { headers }) })
  return {
    tenantId,
    call,
    async endpoint(path: string, more: object = {}) {
      const answer = await call('POST', '', { url: `${receiver.base}${path}`, ...more })
      return { owner: tenantId, ...WebhookSecrets.parse(expected(201, answer)) }
    },
    async deliveries(id: string, query: Record<string, string> = {}) {
      const answer = await api.call('GET', `${base}/${id}/deliveries`, { token, query })
      return Page.parse(expected(200, answer)).items
    },
    /** Something that happens. */
    async happen(name = 'An organization') {
      const body = { name }
      expected(201, await api.call('POST', `/v1/tenants/${tenantId}/organizations`, { token, body }))
    },
  }
}
