import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { WebhookId } from '../../../shared/platform/ids.ts'
import { HOUR, MINUTE, readClock } from '../../../shared/platform/time.ts'
import { deliveriesOf, eventKey, webhookKey } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { LANE } from '../../../shared/store/webhook.ts'
import { readWaiting } from '../../../shared/store/webhook-delivery.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { faultyClient, WAYS } from '../../support/faults.ts'
import { verified } from '../../support/receiver.ts'
import { startRig, tenantOf } from './rig.ts'

const rig = await startRig()
afterAll(rig.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { receiver } = rig
const DAY = 24 * HOUR
const SDK_TRIES = 3

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

describe('an endpoint that', () => {
  test('fails is sent the same message again, later and later, until it takes it', async () => {
    const { tenantId, endpoint, happen, deliveries, call } = await tenantOf(rig)
    const webhook = await endpoint('/fails', { eventTypes: ['organization.*'] })
    receiver.answers('/fails', (_, answer) => answer(500))
    await happen()
    stopClock()
    await rig.tell(tenantId)
    await rig.atOnce(webhook)
    await rig.run()
    // It failed just now: neither way sends anything before its pause is over.
    expect(receiver.to('/fails')).toHaveLength(1)
    advanceClock(MINUTE)
    await rig.run()
    expect(receiver.to('/fails')).toHaveLength(2)
    advanceClock(4 * MINUTE)
    await rig.run()
    expect(receiver.to('/fails')).toHaveLength(2)
    receiver.answers('/fails', (_, answer) => answer(200))
    advanceClock(2 * MINUTE)
    await rig.run()
    const sent = receiver.to('/fails')
    expect(sent).toHaveLength(3)
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(sent.map(({ body }) => body)).size).toBe(1)
    expect(new Set(sent.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(3)
    vi.useRealTimers()
    const [delivery] = await deliveries(webhook.id)
    expect(delivery).toMatchObject({ state: 'delivered', attempts: 3 })
    expect(await call('GET', `/${webhook.id}/deliveries/${delivery?.eventId}`)).toMatchObject({
      body: {
        message: { type: 'organization.created' },
        tries: [
          { number: 1, outcome: 'failed', status: 500, answer: 'thank you' },
          { number: 2, outcome: 'failed' },
          { number: 3, outcome: 'delivered', status: 200 },
        ],
      },
    })
  })

  test('redirects to this computer, hangs, cuts off or lies keeps nobody else waiting, and nothing is followed', async () => {
    const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
    receiver.answers('/redirects', (_, answer) => answer(302, { location: `${receiver.base}/secret` }))
    receiver.answers('/hangs', () => undefined)
    receiver.answers('/cuts-off', (socket) => socket.resetAndDestroy())
    receiver.answers('/lies', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nno\u0000'))
    const eventTypes = ['organization.*']
    const paths = ['/redirects', '/hangs', '/cuts-off', '/lies', '/well']
    const webhooks = await Promise.all(paths.map((path) => endpoint(path, { eventTypes })))
    await happen()
    await rig.tell(tenantId)
    await Promise.all(webhooks.map((one) => rig.atOnce(one)))
    const states = await Promise.all(webhooks.map(async ({ id }) => (await deliveries(id))[0]))
    expect(states).toMatchObject([
      { state: 'waiting', last: { status: 302 } },
      { state: 'waiting', last: { error: 'No answer within 150 ms.' } },
      { state: 'waiting', last: { error: 'The connection was cut off.' } },
      { state: 'delivered', last: { status: 200 } },
      { state: 'delivered', last: { status: 200 } },
    ])
    expect(receiver.to('/secret')).toEqual([])
  })

  test('is down costs one attempt for all that waits for it, and gets all of it when it is back', async () => {
    const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
    const webhook = await endpoint('/down', { eventTypes: ['organization.*'] })
    receiver.answers('/down', (_, answer) => answer(503))
    for (let number = 0; number < 12; number += 1) await happen(`Department ${number}`)
    stopClock()
    await rig.tell(tenantId)
    await rig.atOnce(webhook)
    const atFirst = receiver.to('/down').length
    expect(atFirst).toBeLessThan(12)
    advanceClock(MINUTE)
    await rig.run()
    expect(receiver.to('/down')).toHaveLength(atFirst + 1)
    receiver.answers('/down', (_, answer) => answer(200))
    advanceClock(10 * MINUTE)
    await rig.run()
    vi.useRealTimers()
    const all = await deliveries(webhook.id)
    expect(all.map(({ state }) => state)).toEqual(Array(12).fill('delivered'))
  })

  test('never comes to an end keeps those that are well waiting for nothing', {
    timeout: 60_000,
  }, async () => {
    const { tenantId, endpoint, happen, deliveries } = await tenantOf(rig)
    const stuck = await endpoint('/stuck', { eventTypes: ['organization.*'] })
    receiver.answers('/stuck', (_, answer) => answer(500))
    await happen('First')
    stopClock()
    await rig.tell(tenantId)
    await rig.atOnce(stuck)
    const well = await Promise.all(
      ['/well-1', '/well-2', '/well-3'].map((path) => endpoint(path, { eventTypes: ['organization.*'] })),
    )
    await happen('Second')
    await rig.tell(tenantId)
    advanceClock(MINUTE)
    // The one answers only once all the others have: were they behind it, this would never end.
    const others = Promise.withResolvers<void>()
    let missing = well.length
    await rig.run({
      ...rig.services,
      async post(...sent) {
        const [{ url }] = sent
        if (url.pathname === '/stuck') await others.promise
        const answer = await rig.services.post(...sent)
        if (url.pathname !== '/stuck' && --missing === 0) others.resolve()
        return answer
      },
    })
    for (const { id } of well) expect(await deliveries(id)).toMatchObject([{ state: 'delivered' }])
    expect(await deliveries(stuck.id)).toHaveLength(2)
  })

  test('is at another address by the time that a failure is known begins there without it', async () => {
    const { tenantId, endpoint, happen, call } = await tenantOf(rig)
    const webhook = await endpoint('/moves', { eventTypes: ['organization.*'] })
    receiver.answers('/moves', (_, answer) => answer(500))
    await happen()
    stopClock()
    await rig.tell(tenantId)
    await rig.atOnce(webhook)
    const healthOf = async () => Object((await call('GET', `/${webhook.id}`)).body).health
    expect(await healthOf()).toHaveProperty('failingSince')
    advanceClock(MINUTE)
    await rig.run({
      ...rig.services,
      async post(...sent) {
        const url = `${receiver.base}/moved`
        expect((await call('PATCH', `/${webhook.id}`, { url }, { 'if-match': '"1"' })).status).toBe(200)
        return rig.services.post(...sent)
      },
    })
    expect(receiver.to('/moves')).toHaveLength(2)
    expect(await healthOf()).toEqual({})
  })

  test('is slow is left to the job, where it keeps nobody waiting', async () => {
    const { tenantId, endpoint, happen } = await tenantOf(rig)
    const webhook = await endpoint('/slow', { eventTypes: ['organization.*'] })
    const slowly: typeof rig.services = {
      ...rig.services,
      post: async (...sent) => ({ ...(await rig.services.post(...sent)), milliseconds: 4_000 }),
    }
    stopClock()
    for (const name of ['First', 'Second']) {
      await happen(name)
      await rig.tell(tenantId)
      await rig.atOnce(webhook, slowly)
    }
    expect(receiver.to('/slow')).toHaveLength(1)
    advanceClock(MINUTE)
    await rig.run(slowly)
    expect(receiver.to('/slow')).toHaveLength(2)
  })

  test('says that it is gone is disabled, and nothing more is put before it', async () => {
    const { tenantId, endpoint, happen, deliveries, call } = await tenantOf(rig)
    const webhook = await endpoint('/gone', { eventTypes: ['organization.*'] })
    receiver.answers('/gone', (_, answer) => answer(410))
    await happen()
    await rig.tell(tenantId)
    await rig.atOnce(webhook)
    expect(await call('GET', `/${webhook.id}`)).toMatchObject({
      body: { enabled: false, disabled: { because: 'gone' }, revision: 2 },
    })
    const disabled = (await rig.eventsIn(tenantId)).find(({ type }) => type === 'webhook.disabled')
    expect(disabled).toMatchObject({
      subject: { id: webhook.id },
      actor: { kind: 'system', subject: 'deliverWebhooks' },
      after: { because: 'gone', lastFailure: 'It answered 410.' },
    })
    await happen('Later')
    await rig.tell(tenantId)
    expect(await deliveries(webhook.id)).toMatchObject([{ state: 'failed' }])
  })

  test('says that it is gone, and whoever hears it is killed at any write: the attempt and its end are one', async () => {
    let got = 0
    for (let at = 0; got >= at; at += 1) {
      const { endpoint, happen, deliveries, call, tenantId } = await tenantOf(rig)
      const webhook = await endpoint('/gone-too', { eventTypes: ['organization.*'] })
      receiver.answers('/gone-too', (_, answer) => answer(410))
      await happen()
      await rig.tell(tenantId)
      const { client, faults } = faultyClient(1, new Set(['PutItemCommand', 'TransactWriteItemsCommand']))
      faults.push(...Array.from({ length: at }, () => ({ before: async () => undefined })), 'lost')
      const table = { client, name: rig.api.table.name }
      await rig.atOnce(webhook, { ...rig.services, table }).catch(() => undefined)
      got = at + 1 - faults.length
      const [delivery] = await deliveries(webhook.id)
      const { body } = await call('GET', `/${webhook.id}`)
      expect(body, `killed after write ${at}`).toMatchObject({ enabled: delivery?.state !== 'failed' })
      expect(at).toBeLessThan(10)
    }
    // That it is taken, and what came of it.
    expect(got).toBeGreaterThan(1)
  })

  test('fails for five days is disabled; enabled again it gets what happened since', async () => {
    const { tenantId, endpoint, happen, deliveries, call } = await tenantOf(rig)
    const webhook = await endpoint('/dead', { eventTypes: ['organization.*'] })
    receiver.answers('/dead', (_, answer) => answer(500))
    const began = readClock()
    stopClock(began)
    await happen('Before')
    await rig.tell(tenantId)
    for (let day = 0; day <= 5; day += 1) {
      await rig.run()
      advanceClock(day === 0 ? MINUTE : DAY)
      // While it fails, there is always something new.
      await happen(`Day ${day}`)
      await rig.tell(tenantId)
      advanceClock(MINUTE)
    }
    await rig.run()
    advanceClock(DAY)
    await rig.run()
    expect(await call('GET', `/${webhook.id}`)).toMatchObject({
      body: { enabled: false, disabled: { because: 'failing' } },
    })
    await happen('While disabled')
    await rig.tell(tenantId)
    const before = receiver.to('/dead').length
    await rig.atOnce(webhook)
    await rig.run()
    expect(receiver.to('/dead')).toHaveLength(before)
    receiver.answers('/dead', (_, answer) => answer(200))
    const enabled = await call('PATCH', `/${webhook.id}`, { enabled: true }, { 'if-match': '"2"' })
    expect(enabled).toMatchObject({ status: 200, body: { enabled: true } })
    await rig.run()
    advanceClock(DAY)
    await rig.run()
    const states = new Set((await deliveries(webhook.id)).map(({ state }) => state))
    expect(states).not.toContain('waiting')
    const names = receiver
      .to('/dead')
      .slice(before)
      .map(({ body }) => JSON.parse(body).data.after.name)
    expect(names).toContain('While disabled')
  })
})

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
