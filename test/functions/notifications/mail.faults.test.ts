import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ReadAudience } from '../../../functions/notifications/remind.ts'
import { sendMail } from '../../../functions/notifications/send-mail.ts'
import type { NotificationServices } from '../../../functions/notifications/services.ts'
import { settle as settleNotices } from '../../../functions/notifications/settle.ts'
import { readAudience } from '../../../functions/notify.ts'
import { createClients, createServices } from '../../../functions/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import type { NoticeAbout } from '../../../shared/domain/notice.ts'
import type { MailAddress } from '../../../shared/domain/notice-settings.ts'
import { Environment, readEnvironment } from '../../../shared/platform/config/environment.ts'
import type { Mail, SendOutcome } from '../../../shared/platform/mail/mail-sender.ts'
import { DAY, HOUR, MINUTE, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { newNotice, noticeItem, readNotices } from '../../../shared/store/notice.ts'
import { readMailAddress, writeMailAddress } from '../../../shared/store/notice-settings.ts'
import { addNotice, boxOf, MAIL_TIMER } from '../../../shared/store/outbox.ts'
import { fileTimer, readTimer } from '../../../shared/store/timer.ts'
import { transact } from '../../../shared/store/transact.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { faultyClient } from '../../support/faults.ts'
import { licenseId, PRODUCT } from '../../support/licenses.ts'
import { createTenant } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const tenant = await createTenant(api)
const clients = createClients()
const base = await withVerifier(
  await createServices(readEnvironment(Environment), clients),
  clients.kms,
  api.kmsKeys.signing,
)
beforeEach(() => stopClock())
afterEach(() => vi.useRealTimers())

const needed = (reason: string): NoticeAbout => ({
  kind: 'license-status',
  licenseId: licenseId(1),
  product: 'Studio',
  change: 'suspended',
  reason,
  at: readClock(),
})
const optional = (metric: string): NoticeAbout => ({
  kind: 'capacity',
  productId: PRODUCT,
  product: 'Studio',
  metric,
  used: 9,
  capacity: 10,
  threshold: 90,
})

const thrown = (error: Error): never => {
  throw error
}

let people = 0
/** Somebody who is to be told something, and a mail server that does as it is told. */
async function world(about: NoticeAbout, manners: ((mail: Mail) => Promise<SendOutcome> | SendOutcome)[]) {
  people += 1
  const recipient = { email: `Person-${people}@Example.edu`, name: 'Ada' }
  const readContacts: ReadAudience = async (tenantId) => {
    const audience = await readAudience(api.table, tenantId)
    return audience && { ...audience, contacts: [{ ...recipient, role: 'owner' }] }
  }
  const add = async (what: NoticeAbout) => {
    const until = plusMilliseconds(readClock(), DAY)
    const draft = { about: what, occasion: [JSON.stringify(what)], at: readClock(), until }
    const notice = newNotice(draft, tenant.id, recipient)
    expect(await addNotice(api.table, notice, readClock())).toBe(true)
    return notice
  }
  const mails: Mail[] = []
  const plan = [...manners]
  const logged: string[] = []
  const services: NotificationServices = {
    ...base,
    log: (...line) => logged.push(JSON.stringify(line)),
    publicUrl: 'https://licensing.example.test',
    mailFrom: 'licensing@vendor.example',
    async sendMail(mail) {
      const manner = plan.shift()
      if (manner !== undefined) return manner(mail)
      mails.push(mail)
      return { outcome: 'sent', messageId: `<${mail.id}>` }
    },
  }
  const notice = await add(about)
  const subject = [tenant.id, boxOf(notice)]
  const look = async (using = services) => {
    const timer = await readTimer(api.table, { kind: MAIL_TIMER, subject })
    if (timer === undefined || timer.dueAt > readClock()) return false
    const request = { now: readClock(), requestId: 'run_test' }
    await sendMail(timer, request, readContacts, using).catch(() => undefined)
    return true
  }
  /** Looks each minute, as the job does, until nothing waits any more. */
  const settle = async (minutes = 200) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      await look()
      if ((await readTimer(api.table, { kind: MAIL_TIMER, subject })) === undefined) return
      advanceClock(MINUTE)
    }
  }
  const became = async (of = notice) => (await readNotices(api.table, tenant.id, [of.id], thrown))[0]?.became
  const timer = { kind: MAIL_TIMER, subject, dueAt: readClock() }
  return { mails, logged, services, recipient, notice, timer, add, look, settle, became }
}

const dies = (): never => {
  throw new Error('killed')
}
/** The mail is handed over, and then the process dies. */
const takesAndDies = (mails: Mail[]) => (mail: Mail) => {
  mails.push(mail)
  return dies()
}
const unknown = (): SendOutcome => ({ outcome: 'unknown', reason: 'timeout' })
const refused = (): SendOutcome => ({ outcome: 'refused', reason: 'slow down' })

test('a notice that cannot be read keeps no other from being told, and is not looked at again', async () => {
  const { mails, notice, add, look, settle, logged } = await world(needed('spoiled'), [])
  await add(needed('after it'))
  await writeRow(api.table, { kind: 'put', item: { ...noticeItem(notice), schema: 99 } })
  await look()
  expect(mails.map(({ text }) => text)).toEqual([expect.stringContaining('after it')])
  await settle(3)
  expect(logged.filter((line) => line.includes('"error","notice"'))).toHaveLength(1)
})

describe('killed between two steps of sending', () => {
  test('before it is handed over: what is needed comes, once, and says that it may have come before', async () => {
    const { mails, settle, became } = await world(needed('a'), [dies])
    await settle()
    expect(mails.map(({ headers }) => headers['X-Latchkey-Repeated'])).toEqual(['2'])
    expect(mails[0]?.text).toContain('You may have had this mail before')
    expect(await became()).toMatchObject({ state: 'sent', repeated: true })
  })

  test('after it: it comes again under the same id, and is marked so', async () => {
    const taken: Mail[] = []
    const { mails, settle } = await world(needed('b'), [takesAndDies(taken)])
    await settle()
    expect([...taken, ...mails].map(({ id, headers }) => [id, headers['X-Latchkey-Repeated']])).toEqual([
      [taken[0]?.id, undefined],
      [taken[0]?.id, '2'],
    ])
  })

  test.each([
    ['dies', dies],
    ['has no answer', unknown],
  ])('what is optional is not sent again when it %s', async (_, manner) => {
    const { mails, settle, became } = await world(optional(`o-${manner.name}`), [manner])
    await settle()
    expect(mails).toEqual([])
    expect(await became()).toMatchObject({ state: 'unconfirmed' })
  })

  test('after what became of it was written, though the answer to that is lost: nothing comes again', async () => {
    const { mails, services, look, settle, became } = await world(needed('c'), [])
    const { client, faults } = faultyClient(1, new Set(['TransactWriteItemsCommand']))
    // The first is that it begins.
    faults.push({ before: async () => undefined }, 'lost')
    await look({ ...services, table: { ...api.table, client } })
    expect(faults).toEqual([])
    client.destroy()
    await settle()
    expect(mails).toHaveLength(1)
    expect(await became()).toMatchObject({ state: 'sent', repeated: false })
  })

  test('no end of answers: it is given up after five, and neither lost nor sent for ever', async () => {
    const { mails, settle, became } = await world(
      needed('d'),
      Array.from({ length: 9 }, () => unknown),
    )
    await settle()
    expect(mails).toEqual([])
    expect(await became()).toMatchObject({ state: 'unconfirmed' })
  })
})

test('a refusal is no sending: it is tried later, and is not marked', async () => {
  const { mails, settle, became } = await world(needed('e'), [refused, refused, refused])
  await settle()
  expect(mails.map(({ headers }) => headers['X-Latchkey-Repeated'])).toEqual([undefined])
  expect(await became()).toMatchObject({ state: 'sent', repeated: false })
})

test('refusals after a sending without an answer are none of those of which it is given up', async () => {
  const { mails, look, became } = await world(needed('after'), [unknown, ...Array(6).fill(refused)])
  for (let hour = 0; hour < 9; hour += 1) {
    await look()
    advanceClock(HOUR)
  }
  expect(mails.map(({ headers }) => headers['X-Latchkey-Repeated'])).toEqual(['2'])
  expect(await became()).toMatchObject({ state: 'sent', repeated: true })
})

test('a timer that was tried anew without its place takes what comes, and ends', async () => {
  const { mails, timer, add, settle, became } = await world(needed('f'), [])
  // As a vendor has it who retries one whose row could not be read.
  await writeRow(api.table, fileTimer(timer))
  const next = await add(needed('g'))
  await settle(3)
  expect(mails).toHaveLength(1)
  expect([await became(), await became(next)]).toMatchObject([{ state: 'sent' }, { state: 'sent' }])
  await writeRow(api.table, fileTimer(timer))
  await settle(3)
  expect(await readTimer(api.table, timer)).toBeUndefined()
})

test.each([
  ['', false],
  [', also where a mail is sent', true],
])(
  'what another run settles meanwhile leaves the others of the box waiting for the next look%s',
  async (_, isMore) => {
    const { notice, add, services, look, settle, became } = await world(needed(`first ${isMore}`), [])
    const other = await add(needed(`second ${isMore}`))
    advanceClock(2 * DAY)
    if (isMore) await add(needed('third'))
    const late = { state: 'dropped', at: readClock(), because: 'TOO_LATE' } as const
    const settleFirst = () =>
      settleNotices(api.table, tenant.id, boxOf(notice), [{ notice, became: late }], {
        now: readClock(),
        requestId: 'run_other',
      })
    const { client, faults } = faultyClient(3, new Set(['TransactWriteItemsCommand']))
    faults.push({ before: settleFirst })
    await look({ ...services, table: { ...api.table, client } })
    expect(faults).toEqual([])
    client.destroy()
    await settle(3)
    expect([await became(), await became(other)]).toMatchObject([late, { because: 'TOO_LATE' }])
    expect(typesOf(await eventsOf(api.table, other.id, tenant.id))).toEqual(['notice.dropped'])
  },
)

test('an address that does not exist is told as addresses are kept, and is not in the log', async () => {
  const reason = (mail: Mail) => `550 5.1.1 <${mail.to.email}>: no such user`
  const { recipient, logged, look } = await world(needed('nobody'), [
    (mail) => ({ outcome: 'undeliverable', reason: reason(mail) }),
  ])
  await look()
  const email = recipient.email.toLowerCase()
  expect(typesOf(await eventsOf(api.table, email, tenant.id))).toEqual(['mail.suppressed'])
  expect(await readMailAddress(api.table, tenant.id, email)).toMatchObject({ email })
  expect(logged).toEqual([expect.stringContaining('550 5.1.1 <(address)>: no such user')])
  expect(logged[0]).not.toContain('Example.edu')
})

test('who changes an address without knowing of the language that was chosen meanwhile is refused', async () => {
  const email = 'two@example.edu'
  const write = (read: MailAddress | undefined, next: MailAddress) =>
    transact(api.table, { address: writeMailAddress(tenant.id, read, next) })
  const first: MailAddress = { email, muted: [] }
  await write(undefined, first)
  const german: MailAddress = { ...first, language: 'de' }
  expect(await write(first, german)).toEqual({ ok: true })
  expect(await write(first, { ...first, muted: ['capacity'] })).toEqual({ ok: false, failed: ['address'] })
  expect(await write(german, { ...german, muted: ['capacity'] })).toEqual({ ok: true })
})

test('what cannot be sent while it is news is dropped, and the log says so', async () => {
  const { notice, mails, look, became } = await world(needed('f'), [])
  advanceClock(2 * DAY)
  await look()
  expect(mails).toEqual([])
  expect(await became()).toMatchObject({ state: 'dropped', because: 'TOO_LATE' })
  expect(typesOf(await eventsOf(api.table, notice.id, tenant.id))).toEqual(['notice.dropped'])
})

test('two runs at once send one mail; what is noted meanwhile comes with the next', async () => {
  const taken: Mail[] = []
  const { mails, look, add, became, settle } = await world(needed('g'), [
    async (mail) => {
      taken.push(mail)
      late = await add(needed('h'))
      return { outcome: 'sent', messageId: 'x' }
    },
  ])
  let late: Awaited<ReturnType<typeof add>> | undefined
  await Promise.all([look(), look()])
  await settle()
  expect(taken).toHaveLength(1)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.id).not.toBe(taken[0]?.id)
  expect(late && (await became(late))).toMatchObject({ state: 'sent' })
})

test('who read what waits, and comes to begin after another has sent it, does not send it again', async () => {
  const { mails, services, look, became } = await world(needed('i'), [])
  const { client, faults } = faultyClient(3, new Set(['TransactWriteItemsCommand']))
  // Between reading and beginning, another run does all of it.
  faults.push({ before: () => look() })
  await look({ ...services, table: { ...api.table, client } })
  expect(faults).toEqual([])
  client.destroy()
  expect(mails).toHaveLength(1)
  expect(await became()).toMatchObject({ state: 'sent', repeated: false })
})

test('several for one address are one mail; many are as many mails as it takes', async () => {
  const { mails, add, settle } = await world(needed('0'), [])
  for (let count = 1; count < 25; count += 1) await add(needed(`many ${count}`))
  await settle()
  expect(mails.map(({ subject }) => subject)).toEqual([
    '20 notices about your licenses',
    '5 notices about your licenses',
  ])
})
