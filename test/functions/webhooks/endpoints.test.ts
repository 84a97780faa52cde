import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { MOST_WEBHOOKS, WebhookSecrets } from '../../../shared/domain/webhook.ts'
import { DAY, MINUTE, readClock } from '../../../shared/platform/time.ts'
import { rowsOf } from '../../security/battery.ts'
import { outcome, wrongFields } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { verified } from '../../support/receiver.ts'
import { startRig, tenantOf } from './rig.ts'

const rig = await startRig()
afterAll(rig.stop)
afterEach(() => {
  vi.useRealTimers()
})
const { receiver, api } = rig

describe('an endpoint', () => {
  test('shows its secret when it is made, and again only by a call that is an event; none is stored', async () => {
    const { tenantId, call, endpoint } = await tenantOf(rig)
    const { secret, publicKey, id } = await endpoint('/secret')
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/)
    expect(publicKey).toMatch(/^whpk_[\w+/]{43}=$/)
    expect(JSON.stringify(await call('GET', `/${id}`))).not.toContain('whsec_')
    expect(JSON.stringify(await call('GET', ''))).not.toContain('whsec_')
    expect(outcome(await call('POST', `/${id}/reveal-secret`, {}))).toBe('400 INVALID_REQUEST')
    const revealed = await call('POST', `/${id}/reveal-secret`, { reason: 'It was lost.' })
    expect(revealed).toMatchObject({ status: 200, body: { secret } })
    const events = await rig.eventsIn(tenantId)
    expect(events.find(({ type }) => type === 'webhook.secret-revealed')).toMatchObject({
      reason: 'It was lost.',
      subject: { type: 'webhook', id },
    })
    const rows = (await rowsOf(api.table)).join()
    for (const hidden of [secret.slice(6), Buffer.from(secret.slice(6), 'base64').toString('hex')])
      expect(rows).not.toContain(hidden)
    const reporter = await api.token('tenant:reporter', tenantId)
    const path = `/v1/tenants/${tenantId}/webhooks/${id}/reveal-secret`
    const refused = await api.call('POST', path, { token: reporter, body: { reason: 'Curious.' } })
    expect(outcome(refused)).toBe('403 FORBIDDEN')
  })

  test('is signed with the secrets before, too, for as long as a rotation says', async () => {
    const { tenantId, call, endpoint, happen } = await tenantOf(rig)
    const webhook = await endpoint('/rotated', { eventTypes: ['organization.*'] })
    stopClock()
    const rotated = WebhookSecrets.parse((await call('POST', `/${webhook.id}/rotate-secret`, {})).body)
    expect(rotated.secret).not.toBe(webhook.secret)
    const send = async (name: string) => {
      await happen(name)
      await rig.tell(tenantId)
      await rig.atOnce(webhook)
      const message = receiver.to('/rotated').at(-1)
      if (message === undefined) throw new Error('nothing came')
      return message
    }
    const during = await send('During')
    expect(verified(during, webhook.secret)).toEqual(verified(during, rotated.secret))
    expect(String(during.headers['webhook-signature']).match(/v1a,/g)).toHaveLength(2)
    advanceClock(DAY)
    const later = await send('After')
    expect(verified(later, rotated.secret)).toBeDefined()
    expect(() => verified(later, webhook.secret)).toThrow('No matching signature')
    // One that leaked is of no use at once.
    const again = await call('POST', `/${webhook.id}/rotate-secret`, { overlapHours: 0 })
    expect(Object(again.body)).not.toHaveProperty('previousUntil')
    expect(() => verified(later, WebhookSecrets.parse(again.body).secret)).toThrow('No matching signature')
    const last = await send('Last')
    expect(() => verified(last, rotated.secret)).toThrow('No matching signature')
  })

  test('is refused where nothing can be sent, and an edit to such a place too', async () => {
    const { call, endpoint } = await tenantOf(rig)
    const { id } = await endpoint('/good')
    const bad = [
      'http://10.0.0.1/',
      'https://169.254.169.254/latest/meta-data',
      'https://[fd00:ec2::254]/',
      'https://user:password@127.0.0.1/',
    ]
    for (const url of bad) {
      expect(outcome(await call('POST', '', { url })), url).toBe('422 WEBHOOK_URL_REFUSED')
      const edit = await call('PATCH', `/${id}`, { url }, { 'if-match': '"1"' })
      expect(outcome(edit), url).toBe('422 WEBHOOK_URL_REFUSED')
    }
    for (const url of ['ftp://127.0.0.1/', 'nonsense', ''])
      expect(wrongFields(await call('POST', '', { url })), url).toEqual(['/body/url'])
    const filters = await call('POST', '', { url: receiver.base, eventTypes: ['license.exploded'] })
    expect(wrongFields(filters)).toEqual(['/body/eventTypes/0'])
  })

  test('is one of twenty at most, whoever asks at the same time; a removed one makes room', async () => {
    const { call } = await tenantOf(rig)
    const body = { url: `${receiver.base}/many` }
    const answers = await Promise.all(Array.from({ length: MOST_WEBHOOKS + 3 }, () => call('POST', '', body)))
    const outcomes = answers.map(outcome).toSorted()
    expect(outcomes.filter((one) => one === '201')).toHaveLength(MOST_WEBHOOKS)
    expect(outcomes.at(-1)).toBe('409 WEBHOOKS_EXHAUSTED')
    const { items } = z
      .object({ items: z.array(z.object({ id: z.string() })) })
      .parse((await call('GET', '')).body)
    expect(items).toHaveLength(MOST_WEBHOOKS)
    expect((await call('DELETE', `/${items[0]?.id}`)).status).toBe(204)
    expect((await call('POST', '', body)).status).toBe(201)
    expect(outcome(await call('POST', '', body))).toBe('409 WEBHOOKS_EXHAUSTED')
  })

  test('is tested on request, whether it is enabled or not', async () => {
    const { call, endpoint } = await tenantOf(rig)
    const { id, secret } = await endpoint('/ping', { enabled: false })
    const answer = await call('POST', `/${id}/test`)
    expect(answer).toMatchObject({ status: 200, body: { delivered: true, status: 200, answer: 'thank you' } })
    const [message] = receiver.to('/ping')
    expect(message?.body).toContain('webhook.ping')
    if (message) expect(() => verified(message, secret)).toThrow('eventId')
    receiver.answers('/ping', (_, reply) => reply(500))
    expect(await call('POST', `/${id}/test`)).toMatchObject({ body: { delivered: false, status: 500 } })
  })

  test('that is edited keeps what is not named; an edit on what it is no more is refused', async () => {
    const { call, endpoint, tenantId } = await tenantOf(rig)
    const { id } = await endpoint('/edited', { description: 'ours', eventTypes: ['license.*'] })
    const edit = (body: object, revision: number, headers: Record<string, string> = {}) =>
      call('PATCH', `/${id}`, body, { 'if-match': `"${revision}"`, ...headers })
    expect(await edit({ enabled: false }, 1)).toMatchObject({
      status: 200,
      body: { enabled: false, description: 'ours', eventTypes: ['license.*'], revision: 2 },
    })
    const once = { 'idempotency-key': 'edit-1' }
    expect(await edit({ enabled: false }, 2, once)).toMatchObject({ body: { revision: 2 } })
    expect(outcome(await edit({ enabled: true }, 2, once))).toBe('422 IDEMPOTENCY_MISMATCH')
    expect(outcome(await edit({ description: 'mine' }, 1))).toBe('412 REVISION_OUTDATED')
    const events = await rig.eventsIn(tenantId)
    expect(events.filter(({ type }) => type === 'webhook.edited')).toMatchObject([
      { after: { disabled: { because: 'owner' } } },
    ])
  })
})

describe('deliveries', () => {
  test('are listed by state and type, and sent again one by one or all that failed in a time', async () => {
    const { call, endpoint, happen, tenantId, deliveries } = await tenantOf(rig)
    const webhook = await endpoint('/again', { eventTypes: ['organization.*', 'webhook.*'] })
    const { id } = webhook
    receiver.answers('/again', (_, answer) => answer(422))
    const since = readClock()
    for (const name of ['One', 'Two', 'Three']) await happen(name)
    stopClock()
    await rig.tell(tenantId)
    await rig.atOnce(webhook)
    expect(await deliveries(id, { state: 'waiting' })).toHaveLength(4)
    receiver.answers('/again', (_, answer) => answer(200))
    advanceClock(MINUTE)
    await rig.run()
    const all = await deliveries(id, { state: 'delivered' })
    expect(all).toHaveLength(4)
    expect(await deliveries(id, { type: 'webhook.*' })).toMatchObject([{ type: 'webhook.created' }])
    expect(await deliveries(id, { state: 'failed' })).toEqual([])
    const before = receiver.to('/again').length
    const one = await call('POST', `/${id}/deliveries/${all[0]?.eventId}/replay`)
    expect(one).toMatchObject({ status: 202, body: { state: 'waiting', messageId: all[0]?.messageId } })
    await rig.atOnce(webhook)
    expect(receiver.to('/again')).toHaveLength(before + 1)
    const again = (body: object, headers = {}) => call('POST', `/${id}/replay`, { since, ...body }, headers)
    const once = { 'idempotency-key': 'replay-1' }
    expect(await again({}, once)).toMatchObject({ status: 202, body: { ordered: 0 } })
    expect(outcome(await again({ state: 'delivered' }, once))).toBe('422 IDEMPOTENCY_MISMATCH')
    const some = await again({ state: 'delivered', eventTypes: ['organization.*'] })
    expect(some).toMatchObject({ status: 202, body: { ordered: 3 } })
    // A run is known by its time.
    advanceClock(MINUTE)
    await rig.run()
    const ids = receiver
      .to('/again')
      .slice(before)
      .map(({ headers }) => headers['webhook-id'])
    expect(ids.toSorted()).toEqual([all[0], ...all.slice(0, 3)].map((found) => found?.messageId).toSorted())
    const events = await rig.eventsIn(tenantId)
    expect(events.filter(({ type }) => type === 'webhook.replayed')).toMatchObject([
      { after: { eventId: all[0]?.eventId } },
      { after: { deliveries: 3 } },
    ])
    await call('PATCH', `/${id}`, { enabled: false }, { 'if-match': '"1"' })
    expect(outcome(await call('POST', `/${id}/replay`, { since }))).toBe('409 WEBHOOK_DISABLED')
  })
})

test('the types of events are listed with their meanings', async () => {
  const token = await api.token('vendor:support')
  const { body } = await api.call('GET', '/v1/event-types', { token })
  const { items } = z
    .object({ items: z.array(z.object({ type: z.string(), meaning: z.string() })) })
    .parse(body)
  expect(items).toContainEqual({ type: 'license.renewed', meaning: 'A license was renewed.' })
})
