import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { HOUR, MINUTE } from '../../../shared/platform/time.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { LANE } from '../../../shared/store/webhook.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { verified } from '../../support/receiver.ts'
import { startRig, tenantOf } from './rig.ts'

const rig = await startRig()
afterAll(rig.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { receiver } = rig

describe('an event', () => {
  test('reaches the endpoints that want it at once, signed, and only once however often it is told', async () => {
    const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
    const [wanted, other] = [
      await endpoint('/wanted', { eventTypes: ['organization.*'] }),
      await endpoint('/other', { eventTypes: ['license.*'] }),
    ]
    await happen()
    await rig.tell(tenantId)
    await rig.atOnce(wanted)
    await rig.tell(tenantId)
    await Promise.all([rig.atOnce(wanted), rig.atOnce(other), rig.run()])
    const [message, ...more] = receiver.to('/wanted')
    if (message === undefined) throw new Error('nothing came')
    expect(more).toEqual([])
    expect(receiver.to('/other')).toEqual([])
    const told = verified(message, wanted.secret)
    expect(told).toMatchObject({ type: 'organization.created', data: { tenantId } })
    expect(message.headers['webhook-id']).toBe(`${told.data.eventId}_${wanted.id}`)
    expect(() => verified(message, other.secret)).toThrow('No matching signature')
    expect(await deliveries(wanted.id)).toMatchObject([
      { state: 'delivered', attempts: 1, last: { status: 200 } },
    ])
  })

  test('is told to endpoints of its tenant and of the vendor; the vendor’s own to the vendor’s alone', async () => {
    const [own, foreign] = [await tenantOf(rig), await tenantOf(rig)]
    const token = await rig.api.token('vendor:admin')
    const body = { url: `${receiver.base}/vendor`, eventTypes: ['organization.*', 'webhook.*'] }
    const created = await rig.api.call('POST', '/v1/webhooks', { token, body })
    expect(created.status).toBe(201)
    const { id } = Object(created.body)
    const webhook = { id: String(id), owner: 'vendor' } as const
    await own.endpoint('/own')
    await foreign.endpoint('/foreign')
    await own.happen()
    stopClock()
    await Promise.all([rig.tell(own.tenantId), rig.tell('vendor')])
    await rig.atOnce(webhook)
    advanceClock(MINUTE)
    await rig.run()
    vi.useRealTimers()
    const typesTo = (path: string) => receiver.to(path).map(({ body }) => JSON.parse(body).type)
    expect(typesTo('/foreign')).toEqual([])
    expect(typesTo('/own').toSorted()).toEqual(['organization.created', 'webhook.created'])
    expect(typesTo('/vendor').toSorted()).toEqual([
      'organization.created',
      'webhook.created',
      'webhook.created',
    ])
    expect((await rig.api.call('DELETE', `/v1/webhooks/${id}`, { token })).status).toBe(204)
  })

  test('is sent once by two who send at the same time, and by the job if nobody sent it at once', async () => {
    const { tenantId, endpoint, happen } = await tenantOf(rig)
    const webhook = await endpoint('/twice', { eventTypes: ['organization.*'] })
    for (const name of ['One', 'Two', 'Three']) await happen(name)
    stopClock()
    await rig.tell(tenantId)
    advanceClock(MINUTE)
    await Promise.all([rig.run(), rig.atOnce(webhook), rig.run(), rig.atOnce(webhook)])
    const ids = receiver.to('/twice').map(({ headers }) => headers['webhook-id'])
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(3)
  })
})

test('a timer of an endpoint for which nothing waits ends, after a second look', async () => {
  const { tenantId, endpoint, happen } = await tenantOf(rig)
  const webhook = await endpoint('/quiet', { eventTypes: ['organization.*'] })
  await happen()
  stopClock()
  await rig.tell(tenantId)
  await rig.atOnce(webhook)
  const lane = () => readTimer(rig.api.table, { kind: LANE, subject: [tenantId, webhook.id] })
  advanceClock(MINUTE)
  await rig.run()
  expect(await lane()).toMatchObject({ place: { look: 'second' } })
  advanceClock(HOUR)
  await rig.run()
  expect(await lane()).toBeUndefined()
})
