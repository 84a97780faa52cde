import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { DAY, MINUTE, readClock } from '../../../shared/platform/time.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { faultyClient } from '../../support/faults.ts'
import { startRig, tenantOf } from './rig.ts'

const rig = await startRig()
afterAll(rig.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { receiver } = rig

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
