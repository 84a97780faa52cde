import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import ICAL from 'ical.js'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import type { EventDraft } from '../../../shared/domain/event.ts'
import { MailAddress } from '../../../shared/domain/notice-settings.ts'
import { NoticeView } from '../../../shared/domain/notice-view.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { MINUTE, readClock } from '../../../shared/platform/time.ts'
import { record } from '../../../shared/store/commit.ts'
import { eventItem } from '../../../shared/store/event.ts'
import { mailAddressKey } from '../../../shared/store/keys.ts'
import { putOnce, transact } from '../../../shared/store/transact.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { eventStream } from '../../support/events-told.ts'
import { startInbox } from '../../support/inbox.ts'
import { createTenant } from '../../support/resources.ts'
import { createScenario, inDays } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'

const inbox = await startInbox()
const api = await startApi({ mail: inbox.mail })
afterAll(async () => {
  await api.stop()
  await inbox.stop()
})
beforeEach(() => stopClock())
afterEach(() => {
  inbox.behave('takes')
  vi.useRealTimers()
})
const scenario = await createScenario(api)
const vendor = await api.token('vendor:admin')

const Shown = z.object({ addresses: z.array(MailAddress), mailFrom: z.string(), revision: z.int() })
const patch = (tenant: Tenant, body: object, revision = 1) =>
  api.call('PATCH', `/v1/tenants/${tenant.id}/notifications`, {
    token: vendor,
    body,
    headers: { 'if-match': `"${revision}"` },
  })
const shown = async (tenant: Tenant) =>
  Shown.parse((await api.call('GET', `/v1/tenants/${tenant.id}/notifications`, { token: vendor })).body)
const notices = async (tenant: Tenant) => {
  const { body } = await api.call('GET', `/v1/tenants/${tenant.id}/notices`, { token: vendor })
  return z.object({ items: z.array(NoticeView) }).parse(body).items
}

async function happened(tenant: Tenant, draft: EventDraft): Promise<void> {
  const request = { caller: { kind: 'system', subject: 'test' } as const, now: readClock(), requestId: 'x' }
  const item = eventItem(record({ ...draft, tenantId: tenant.id }, request))
  expect(await transact(api.table, { event: putOnce(item) })).toEqual({ ok: true })
}
const capacity = (tenant: Tenant, used: number) =>
  happened(tenant, {
    type: 'capacity.reached',
    subject: { type: 'pool', id: 'users' },
    after: { productId: scenario.product.id, metric: 'users', used, capacity: 100, threshold: used },
  })

/** What is told is told, and sent once its time has come. */
async function mailsOf(tell: () => Promise<void>) {
  await tell()
  await api.run('sendNotices', advanceClock(MINUTE))
  return inbox.take()
}

test('whom what is told is chosen, on the revision that was read, and what is needed cannot be muted', async () => {
  const tenant = await createTenant(api)
  expect(await shown(tenant)).toMatchObject({ revision: 1, mailFrom: inbox.mail.from, addresses: [] })
  const contacts = [{ name: 'Di', email: 'di@example.edu', organizationId: `org_${'0'.repeat(26)}` }]
  expect(wrongFields(await patch(tenant, { contacts }))).toEqual(['/body/contacts/0/organizationId'])
  expect(outcome(await patch(tenant, { digestMinutes: 0, timeZone: 'Europe/Paris' }))).toBe('200')
  expect(outcome(await patch(tenant, { digestMinutes: 5 }))).toBe('412 REVISION_OUTDATED')
  expect(outcome(await patch(tenant, { timeZone: null }, 2))).toBe('200')
  const addresses = `/v1/tenants/${tenant.id}/notifications/addresses`
  const mute = (muted: string[]) =>
    api.call('PUT', addresses, { token: vendor, body: { email: 'Ada@Example.edu', muted } })
  expect(wrongFields(await mute(['capacity', 'expiry-reminder']))).toEqual(['/body/muted/1'])
  for (let twice = 0; twice < 2; twice += 1) expect(outcome(await mute(['capacity']))).toBe('200')
  const told = await eventsOf(api.table, 'ada@example.edu', tenant.id)
  expect(typesOf(told)).toEqual(['notices.choice-changed'])
  expect((await shown(tenant)).addresses).toEqual([{ email: 'ada@example.edu', muted: ['capacity'] }])
})

test('a mail reads well in HTML and text, in the language of its recipient, whatever people wrote', async () => {
  const wicked = '<script>alert(1)</script> & "Söhne"'
  const tenant = await createTenant(api, { name: wicked, timeZone: 'Europe/Berlin' })
  await patch(tenant, { digestMinutes: 0, language: 'de' })
  const tell = eventStream(api.table, [tenant.id])
  const { license } = await scenario.issue({ tenantId: tenant.id })
  await mailsOf(tell)
  await scenario.act(license.id, 'suspend', { reason: 'unpaid\r\nBcc: eve@example.org <b>' })
  const [mail] = await mailsOf(tell)
  expect(mail?.from?.value).toEqual([{ name: 'Licensing', address: 'licensing@vendor.example' }])
  expect(mail?.subject).toBe('Education: Lizenz ausgesetzt')
  expect(mail?.to).toMatchObject({ value: [{ address: 'ada@example.edu', name: 'Ada' }] })
  expect(mail?.text).toContain('Grund: unpaid')
  expect(mail?.text).toContain(`Sie erhalten dies als Kontakt von ${wicked}`)
  expect(mail?.html).not.toMatch(/<script|<b>/)
  expect(mail?.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;Söhne&quot;')
  expect(mail?.headers.get('bcc')).toBeUndefined()
  expect(mail?.headers.get('auto-submitted')).toBe('auto-generated')
  expect(mail?.headers.has('list')).toBe(false)
  expect(await notices(tenant)).toMatchObject([
    { about: { kind: 'license-status' }, became: { state: 'sent' } },
  ])
})

test('the link of an optional mail unsubscribes: its page, one click of a mail client, and back', async () => {
  const tenant = await createTenant(api)
  await patch(tenant, { digestMinutes: 0 })
  const tell = eventStream(api.table, [tenant.id])
  await capacity(tenant, 80)
  const [mail] = await mailsOf(tell)
  const headers = mail?.headerLines.map(({ line }) => line.replaceAll(/\r?\n\s+/g, ' ')) ?? []
  expect(headers).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click')
  const header = headers.find((line) => /^List-Unsubscribe:/i.test(line)) ?? ''
  const url = new URL(/<(.*)>/.exec(header)?.[1]?.replaceAll(' ', '') ?? '')
  expect(mail?.html).toContain(url.href.replaceAll('&', '&amp;'))
  const token = url.searchParams.get('token') ?? ''
  const call = (method: string, what?: string, body?: string) =>
    api.call(method, url.pathname, {
      query: { token, ...(what && { what }) },
      ...(body !== undefined && { body, headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    })

  const page = await call('GET')
  expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(page.headers['content-security-policy']).toContain("form-action 'self'")
  expect(page.body).toContain('Send no more notices about capacity to ada@example.edu?')
  await capacity(tenant, 90)
  expect(await mailsOf(tell)).toHaveLength(1)

  // However often an administrator named another kind.
  const muted = { email: 'ada@example.edu', muted: ['trial-reminder', 'trial-reminder'] }
  await api.call('PUT', `/v1/tenants/${tenant.id}/notifications/addresses`, { token: vendor, body: muted })
  for (let click = 0; click < 2; click += 1)
    expect((await call('POST', undefined, 'List-Unsubscribe=One-Click')).status).toBe(200)
  await capacity(tenant, 100)
  expect(await mailsOf(tell)).toEqual([])
  expect((await call('POST', 'again', '')).body).toContain('gets these notices again')
  await capacity(tenant, 99)
  expect(await mailsOf(tell)).toHaveLength(1)
  expect(outcome(await api.call('GET', url.pathname, { query: { token: `${token}x` } }))).toBe(
    '404 NOT_FOUND',
  )

  // Somebody else changes the address each time between.
  const languages: string[] = []
  const undo = interposeAll(async ({ command }, send) => {
    if (command === 'TransactWriteItemsCommand') {
      const language = languages.at(-1) === 'de' ? 'en' : 'de'
      languages.push(language)
      await api.table.client.send(
        new UpdateCommand({
          TableName: api.table.name,
          Key: mailAddressKey(tenant.id, 'ada@example.edu'),
          UpdateExpression: 'SET #language = :language',
          ExpressionAttributeNames: { '#language': 'language' },
          ExpressionAttributeValues: { ':language': language },
        }),
      )
    }
    return send()
  })
  expect(outcome(await call('POST', 'all', ''))).toBe('503 CONTENDED')
  undo()
  expect(outcome(await call('POST', 'all', ''))).toBe('200')
})

test('a bounce stops mail to the address, tells somebody else, and can be lifted; the last one is told the staff', async () => {
  const contacts = [
    { name: 'Ada', email: 'ada@example.edu', role: 'owner' as const },
    { name: 'Bo', email: 'bo@example.edu', role: 'administrator' as const },
  ]
  const tenant = await createTenant(api, { contacts })
  await patch(tenant, { digestMinutes: 0 })
  const staff = { contacts: [{ name: 'Staff', email: 'staff@vendor.example' }], digestMinutes: 0 }
  const edited = await api.call('PATCH', '/v1/notifications', {
    token: vendor,
    body: staff,
    headers: { 'if-match': '"1"' },
  })
  expect(outcome(edited)).toBe('200')
  const tell = eventStream(api.table, [tenant.id])
  const to = async () =>
    (await mailsOf(tell)).map(({ to: who }) => (Array.isArray(who) ? '' : who?.text)).toSorted()
  const feedback = (address: string, facts: object) =>
    api.invoke('notifications', {
      id: `feedback-${address}`,
      source: 'aws.ses',
      'detail-type': 'Email Bounced',
      detail: { mail: { tags: { owner: [tenant.id], mail: ['mail_1'] } }, ...facts },
    })
  const bounce = (address: string, bounceType = 'Permanent') =>
    feedback(address, {
      eventType: 'Bounce',
      bounce: { bounceType, bouncedRecipients: [{ emailAddress: `Somebody <${address}>` }] },
    })

  await bounce('ada@example.edu', 'Transient')
  expect(await to()).toEqual([])
  for (let twice = 0; twice < 2; twice += 1) await bounce('Ada@example.edu')
  expect(await to()).toEqual(['"Bo" <bo@example.edu>', '"Staff" <staff@vendor.example>'])
  expect((await shown(tenant)).addresses).toMatchObject([
    { email: 'ada@example.edu', suppressed: { why: 'bounce' } },
  ])
  const { license } = await scenario.issue({ tenantId: tenant.id })
  await scenario.act(license.id, 'suspend')
  expect(await to()).toEqual(['"Bo" <bo@example.edu>'])

  // The server itself knows nobody of that name: the same.
  inbox.behave('knows nobody')
  await scenario.act(license.id, 'reinstate')
  expect(await to()).toEqual([])
  inbox.behave('takes')
  expect(await to()).toEqual(['"Staff" <staff@vendor.example>'])
  const resume = (email: string) =>
    api.call('POST', `/v1/tenants/${tenant.id}/notifications/addresses/resume`, {
      token: vendor,
      body: { email },
    })
  expect(outcome(await resume('ADA@example.edu'))).toBe('200')
  expect(outcome(await resume('ada@example.edu'))).toBe('404 NOT_FOUND')
  await scenario.act(license.id, 'suspend')
  expect(await to()).toEqual(['"Ada" <ada@example.edu>'])

  // Who complains gets nothing more, either, and those who are left are told of it.
  expect(outcome(await resume('bo@example.edu'))).toBe('200')
  await feedback('bo@example.edu', {
    eventType: 'Complaint',
    complaint: { complainedRecipients: [{ emailAddress: 'bo@example.edu' }] },
  })
  expect(await to()).toEqual(['"Ada" <ada@example.edu>', '"Staff" <staff@vendor.example>'])
  expect(await notices(tenant)).toContainEqual(
    expect.objectContaining({
      about: expect.objectContaining({
        kind: 'mail-undeliverable',
        address: 'bo@example.edu',
        why: 'complaint',
      }),
    }),
  )
  await scenario.act(license.id, 'reinstate')
  expect(await to()).toEqual(['"Ada" <ada@example.edu>'])
})

test('who is no contact any more gets nothing that waited; what is needed is told those who are, once', async () => {
  const contact = (name: string) => ({ name, email: `${name}@example.edu`, role: 'owner' as const })
  const tenant = await createTenant(api, { contacts: [contact('gone'), contact('stays')] })
  await patch(tenant, { digestMinutes: 5 })
  const tell = eventStream(api.table, [tenant.id])
  const { license } = await scenario.issue({ tenantId: tenant.id })
  await scenario.act(license.id, 'suspend')
  await capacity(tenant, 90)
  expect(await mailsOf(tell)).toEqual([])
  const edited = await api.call('PATCH', `/v1/tenants/${tenant.id}`, {
    token: vendor,
    body: { contacts: [contact('stays'), contact('comes')] },
    headers: { 'if-match': '"1"' },
  })
  expect(outcome(edited)).toBe('200')
  const told: string[] = []
  for (let minute = 0; minute < 15; minute += 1)
    for (const { to, subject } of await mailsOf(tell))
      told.push(`${Array.isArray(to) ? '' : to?.value[0]?.name}: ${subject}`)
  expect(told.toSorted()).toEqual([
    'comes: Education: license was suspended',
    'stays: Education: 90 % of users in use',
    'stays: Education: license was suspended',
  ])
  const became = (await notices(tenant)).map(({ recipient, about, became: end }) =>
    [recipient.name, about.kind, 'because' in end ? end.because : end.state].join(' '),
  )
  expect(became.toSorted()).toEqual([
    'comes license-status sent',
    'gone capacity REMOVED',
    'gone license-status REMOVED',
    'stays capacity sent',
    'stays license-status sent',
  ])
})

test('a deadline that the staff is to be told in the place of a tenant is not told once it has moved', async () => {
  const tenant = await createTenant(api, { contacts: [] })
  const tell = eventStream(api.table, [tenant.id])
  const [renewed, ends] = [
    await scenario.issue({ tenantId: tenant.id, expiresAt: inDays(7) }),
    await scenario.issue({ tenantId: tenant.id, expiresAt: inDays(6) }),
  ]
  await tell()
  const known = Shown.parse((await api.call('GET', '/v1/notifications', { token: vendor })).body)
  const staff = await api.call('PATCH', '/v1/notifications', {
    token: vendor,
    body: {
      contacts: [{ name: 'Staff', email: 'staff@vendor.example' }],
      digestMinutes: 30,
      language: 'en',
    },
    headers: { 'if-match': `"${known.revision}"` },
  })
  expect(outcome(staff)).toBe('200')
  // The reminders wait for each other.
  await api.run('sendNotices', advanceClock(MINUTE))
  expect(inbox.take()).toEqual([])
  const { status } = await scenario.act(renewed.license.id, 'renew', { reason: 'paid' })
  expect(status).toBe(200)
  await api.run('sendNotices', advanceClock(31 * MINUTE))
  const text = inbox.take().map((mail) => mail.text)
  expect(text.join()).toContain(ends.license.id)
  expect(text.join()).not.toContain(renewed.license.id)
})

test('the calendar feed has each end on its day, moves and calls off what was there, and its address can be void', async () => {
  const tenant = await createTenant(api, { timeZone: 'Pacific/Auckland' })
  const year = Number(readClock().slice(0, 4)) + 1
  const { license } = await scenario.issue({ tenantId: tenant.id, expiresAt: `${year}-03-01T12:30:00Z` })
  const open = async () => {
    const { body } = await api.call('POST', `/v1/tenants/${tenant.id}/calendar`, { token: vendor })
    return new URL(z.object({ url: z.string() }).parse(body).url).pathname
  }
  const path = await open()
  const read = async () => {
    const { body, headers } = await api.call('GET', path)
    const root = new ICAL.Component(ICAL.parse(z.string().parse(body)))
    const events = root.getAllSubcomponents('vevent').map((component) => {
      const event = new ICAL.Event(component)
      const uid = event.uid.replace(/@.*/, '').replace(`${license.id}-`, '')
      const status = String(component.getFirstPropertyValue('status'))
      const alarms = component
        .getAllSubcomponents('valarm')
        .map((one) => String(one.getFirstPropertyValue('trigger')))
      return {
        uid,
        day: event.startDate.toString(),
        status,
        sequence: event.sequence,
        summary: event.summary,
        alarms,
      }
    })
    return { events, headers, text: String(body) }
  }
  const first = await read()
  expect(first.headers['content-type']).toBe('text/calendar; charset=utf-8')
  expect(first.text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75)).toBe(true)
  // Half past twelve in UTC is the next day in Auckland.
  expect(first.events).toMatchObject([
    { uid: 'expiry', day: `${year}-03-02`, status: 'CONFIRMED', alarms: ['-P30D', '-P7D', '-P1D'] },
    { uid: 'grace', day: `${year}-04-01`, status: 'CONFIRMED' },
  ])
  expect(first.events[0]?.summary).toBe('Education: renewal due, license ends')
  const known = { 'if-none-match': first.headers['etag'] ?? '' }
  expect((await api.call('GET', path, { headers: known })).status).toBe(304)

  await scenario.act(license.id, 'renew', { reason: 'paid' })
  const moved = await read()
  expect(moved.events.map(({ uid, day }) => `${uid} ${day}`)).toEqual([
    `expiry ${year + 1}-03-02`,
    `grace ${year + 1}-04-01`,
  ])
  expect(moved.events[0]?.sequence).toBeGreaterThan(first.events[0]?.sequence ?? 0)
  expect((await api.call('GET', path, { headers: known })).status).toBe(200)
  await scenario.act(license.id, 'revoke')
  const off = await read()
  expect(off.events.map(({ status, alarms }) => [status, alarms])).toEqual([
    ['CANCELLED', []],
    ['CANCELLED', []],
  ])
  expect(off.events[0]?.sequence).toBeGreaterThan(moved.events[0]?.sequence ?? 0)

  const other = await open()
  expect(other).not.toBe(path)
  expect((await api.call('GET', path)).status).toBe(404)
  expect((await api.call('GET', other)).status).toBe(200)
  await api.call('DELETE', `/v1/tenants/${tenant.id}/calendar`, { token: vendor })
  expect((await api.call('GET', other)).status).toBe(404)
  const reopened = await open()
  expect([path, other]).not.toContain(reopened)
})

test('a license whose timer was lost is found again, and reminded of', async () => {
  const tenant = await createTenant(api)
  await patch(tenant, { digestMinutes: 0 })
  await scenario.issue({ tenantId: tenant.id, validFrom: inDays(-300), expiresAt: inDays(10) })
  // Nothing told of its event: there is no timer.
  expect(await mailsOf(async () => undefined)).toEqual([])
  await Promise.all([api.run('reviewReminders'), api.run('reviewReminders')])
  expect((await mailsOf(async () => undefined)).map(({ subject }) => subject)).toContain(
    'Education: license ends in 10 days',
  )
  const mails = await mailsOf(async () => undefined)
  expect(mails).toEqual([])
})
