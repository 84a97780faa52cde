import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { WebhookId } from '../../../shared/platform/ids.ts'
import { MINUTE } from '../../../shared/platform/time.ts'
import { deliveriesOf, eventKey, webhookKey } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { LANE } from '../../../shared/store/webhook.ts'
import { readWaiting } from '../../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { faultyClient, WAYS } from '../../support/faults.ts'
import { startRig, tenantOf } from './rig.ts'

const rig = await startRig()
afterAll(rig.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { receiver } = rig
const SDK_TRIES = 3

describe('should it die', () => {
  test('between sending and writing that down, the message is sent again, as the same', async () => {
    const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
    const webhook = await endpoint('/dies', { eventTypes: ['organization.*'] })
    await happen()
    stopClock()
    await rig.tell(tenantId)
    const dying = {
      ...rig.services,
      post: async (...sent: Parameters<typeof rig.services.post>) => {
        await rig.services.post(...sent)
        throw new Error('the process is killed')
      },
    }
    await rig.atOnce(webhook, dying)
    await rig.run()
    expect(receiver.to('/dies')).toHaveLength(1)
    advanceClock(2 * MINUTE)
    await rig.run()
    vi.useRealTimers()
    const ids = receiver.to('/dies').map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(2)
    expect(new Set(ids).size).toBe(1)
    expect(await deliveries(webhook.id)).toMatchObject([{ state: 'delivered', attempts: 1 }])
  })

  test('between the rows and the timer, what is told again brings the timer', async () => {
    const { tenantId, endpoint, happen } = await tenantOf(rig)
    const webhook = await endpoint('/timer', { eventTypes: ['organization.*'] })
    await happen()
    const { client, meet } = faultyClient(1, new Set(['PutItemCommand']))
    const { deliverToWebhooks } = await import('../../../functions/records/deliver-to-webhooks.ts')
    const table = { client, name: rig.api.table.name }
    const events = await rig.eventsIn(tenantId)
    const lane = () => readTimer(rig.api.table, { kind: LANE, subject: [tenantId, webhook.id] })
    let tries = 0
    await meet(['lost', 'throttled'], async () => {
      if (tries > 0) expect(await lane()).toBeUndefined()
      tries += 1
      await deliverToWebhooks(events, { table, log: () => undefined })
    })
    expect(tries).toBe(3)
    expect(await lane()).toBeDefined()
  })

  // It is taken by the first of these, and what came of it is written down by the other.
  const WRITES = [
    ['taking it', 'PutItemCommand', WAYS],
    ['what came of it', 'TransactWriteItemsCommand', WAYS.slice(1)],
  ] as const
  const cases = WRITES.flatMap(([step, command, ways]) =>
    ways.map(([way, faults]) => [step, way, command, faults] as const),
  )

  test.each(cases)(
    'a write of %s that is %s: nothing is sent twice or lost',
    async (_, __, command, faults) => {
      const path = `/fault-${command}-${faults.join('-')}`
      const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
      const webhook = await endpoint(path, { eventTypes: ['organization.*'] })
      await happen()
      stopClock()
      await rig.tell(tenantId)
      const { client, meet } = faultyClient(SDK_TRIES, new Set([command]))
      const faulty = { ...rig.services, table: { client, name: rig.api.table.name } }
      await meet(faults, () => rig.atOnce(webhook, faulty))
      advanceClock(2 * MINUTE)
      await rig.run()
      vi.useRealTimers()
      expect(await deliveries(webhook.id)).toMatchObject([{ state: 'delivered', attempts: 1 }])
      expect(receiver.to(path)).toHaveLength(1)
    },
  )
})

test('an event that cannot be read keeps no other from being sent', async () => {
  const { tenantId, call, endpoint, happen, deliveries } = await tenantOf(rig)
  const webhook = await endpoint('/damaged', { eventTypes: ['organization.*'] })
  for (const name of ['Damaged', 'Gone', 'Good']) await happen(name)
  stopClock()
  await rig.tell(tenantId)
  const events = await rig.eventsIn(tenantId)
  const [damaged, gone] = events.filter(({ type }) => type === 'organization.created')
  if (damaged === undefined || gone === undefined) throw new Error('there are no events')
  await writeRow(rig.api.table, {
    kind: 'put',
    item: { ...eventKey(tenantId, damaged.id), entity: 'event', schema: 1 },
  })
  await writeRow(rig.api.table, { kind: 'remove', key: eventKey(tenantId, gone.id) })
  advanceClock(MINUTE)
  await rig.run()
  expect(receiver.to('/damaged').map(({ body }) => JSON.parse(body).data.after.name)).toEqual(['Good'])
  const states = (await deliveries(webhook.id)).map(({ state, last }) => last?.error ?? state)
  expect(states).toEqual(['delivered', 'Its event cannot be read.', 'Its event cannot be read.'])
  // What is known of it is shown, all but the message.
  for (const { id } of [damaged, gone]) {
    const { status, body } = await call('GET', `/${webhook.id}/deliveries/${id}`)
    expect([status, Object(body).state, Object(body).message]).toEqual([200, 'failed', undefined])
  }
})

test('an endpoint that cannot be read keeps no other from being told', async () => {
  const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
  const damaged = await endpoint('/damaged-endpoint')
  const webhook = await endpoint('/other-endpoint', { eventTypes: ['organization.*'] })
  const key = webhookKey(tenantId, WebhookId.parse(damaged.id))
  await writeRow(rig.api.table, { kind: 'put', item: { ...key, entity: 'webhook', schema: 1 } })
  await happen()
  await rig.tell(tenantId)
  expect(await deliveries(webhook.id)).toHaveLength(1)
})

test('a delivery that cannot be read keeps no other from being sent at once', async () => {
  const { tenantId, endpoint, happen } = await tenantOf(rig)
  const webhook = await endpoint('/beside', { eventTypes: ['organization.*'] })
  const pk = deliveriesOf(tenantId, WebhookId.parse(webhook.id))
  const item = { pk, sk: 'evt_damaged', entity: 'webhook-delivery', schema: 1, fresh: true }
  await writeRow(rig.api.table, { kind: 'put', item })
  await happen()
  await rig.tell(tenantId)
  await rig.atOnce(webhook)
  expect(receiver.to('/beside')).toHaveLength(1)
})

test('a delivery that cannot be read keeps no other from being sent by the job', async () => {
  const { tenantId, endpoint, happen } = await tenantOf(rig)
  const { id } = await endpoint('/rest')
  for (let count = 0; count < 2; count += 1) await happen()
  await rig.tell(tenantId)
  const [spoiled] = await readRange(rig.api.table, { pk: deliveriesOf(tenantId, WebhookId.parse(id)) })
  await writeRow(rig.api.table, { kind: 'put', item: { ...spoiled, attempts: 'none' } })
  stopClock()
  advanceClock(MINUTE)
  await rig.run()
  expect(receiver.to('/rest')).not.toHaveLength(0)
  // Nor is it taken for the end of what waits.
  const endpointOf = { owner: tenantId, id: WebhookId.parse(id) }
  expect(await readWaiting(rig.api.table, endpointOf, 1, () => undefined)).toEqual({
    waiting: [],
    isAll: false,
  })
})
