import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { sealKeepToken } from '../../../functions/seating/keep-link.ts'
import { readSeating } from '../../../functions/seating/seating.ts'
import { reclaimPerson } from '../../../functions/seats/reclaim-person.ts'
import { createClients, createServices } from '../../../functions/services.ts'
import { withVerifier } from '../../../functions/verified.ts'
import { Environment, readEnvironment } from '../../../shared/platform/config/environment.ts'
import { UserId } from '../../../shared/platform/ids.ts'
import { loadSecrets } from '../../../shared/platform/signing/mac.ts'
import { DAY, HOUR, Instant, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { eventLog } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { RECLAIM_TIMER } from '../../../shared/store/reclaim.ts'
import { readTimer } from '../../../shared/store/timer.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { eventStream } from '../../support/events-told.ts'
import { startInbox } from '../../support/inbox.ts'
import { keepTable } from '../../support/kept-table.ts'
import { times } from '../../support/parallel.ts'
import { createPeople, metricsOf, type PeopleScenario } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const inbox = await startInbox()
const api = await startApi({ mail: inbox.mail })
await api.token('vendor:admin')
const table = await keepTable(api.table)
afterAll(async () => {
  table.close()
  await api.stop()
  await inbox.stop()
})

const Problem = z.looseObject({ code: z.string() })
const Cases = z.object({
  items: z.array(
    z.looseObject({
      userId: z.string(),
      state: z.string(),
      openedAt: Instant,
      version: z.never().optional(),
    }),
  ),
})
const Prospects = z.object({
  items: z.array(z.looseObject({ userId: z.string(), next: z.string(), reclaimAt: z.string() })),
})

beforeEach(() => {
  stopClock()
})
afterEach(async () => {
  vi.useRealTimers()
  // Or the months of each test would be those of everybody before it, too.
  await table.restore()
})

/** As EventBridge Scheduler calls it. */
const run = (scheduledAt = readClock(), milliseconds?: number) =>
  api.run('reclaimSeats', scheduledAt, milliseconds)

/** Runs every so many days, until so many have passed; somebody is seen each time. */
async function pass(people: PeopleScenario, days: number, step = 1, seen: readonly string[] = []) {
  for (let day = 0; day < days; day += step) {
    advanceClock(step * DAY)
    await report(people, ...seen)
    await run()
  }
}

const report = async (people: PeopleScenario, ...userIds: readonly string[]) => {
  if (userIds.length === 0) return
  const records = userIds.map((userId) => ({ userId }))
  expect(outcome(await people.call('POST', '/activity', { body: { records } }))).toBe('200')
}

async function world(rule: object = {}, seats = 5) {
  const people = await createPeople(api, { learners: seats })
  expected(200, await people.call('PUT', '/reclamation/rules', { body: { rules: [{ ...rule }] } }))
  const [idle, busy] = [await people.hire('author'), await people.hire('author')]
  await report(people, idle.id, busy.id)
  return { people, idle, busy }
}

const casesOf = async (people: PeopleScenario, query: Record<string, string> = {}) =>
  Cases.parse(expected(200, await people.call('GET', '/reclamation/cases', { query }))).items
const preview = async (people: PeopleScenario, body: object = {}) =>
  Prospects.parse(expected(200, await people.call('POST', '/reclamation/preview', { body }))).items

/** What people are told: each such event becomes a mail (functions/records/notices-of-events.ts). */
const Notified = z.object({ days: z.int() })
async function noticesOf(people: PeopleScenario): Promise<{ userId: string; days: number }[]> {
  const events = (await readRange(api.table, { pk: eventLog(people.tenantId) })).map(eventEntity.decode)
  return events
    .filter(({ type }) => type === 'reclamation.notified')
    .map(({ subject, after }) => ({ userId: subject.id, days: Notified.parse(after).days }))
}
const told = async (people: PeopleScenario, userId: string) =>
  typesOf(await eventsOf(api.table, userId, people.tenantId)).filter((type) =>
    type.startsWith('reclamation.'),
  )

async function keepToken(people: PeopleScenario, userId: string, openedAt: Instant) {
  const { keepKey } = await loadSecrets(createClients().kms, api.kmsKeys.credentials)
  const { tenantId, product } = people
  return sealKeepToken({ tenantId, userId: UserId.parse(userId), productId: product.id, openedAt }, keepKey)
}
const link = (token: string) => api.call('GET', '/v1/keep-seats', { query: { token } })
const page = (method: string, token: string) => api.call(method, '/v1/keep-seats/page', { query: { token } })
const use = (token: string) => api.call('POST', '/v1/keep-seats', { body: { token } })

describe('over months', () => {
  test('who is not seen is told twice and loses the seat, which who waits gets; who is seen keeps it', async () => {
    const { people, idle, busy } = await world({}, 2)
    const next = await people.hire('author')
    expect(next.pending).toHaveLength(1)
    await pass(people, 80, 40, [busy.id])
    expect(await preview(people)).toEqual([])
    const ahead = plusMilliseconds(readClock(), 3 * DAY)
    expect(await preview(people, { at: ahead })).toMatchObject([{ userId: idle.id, next: 'open' }])
    await pass(people, 6, 3, [busy.id])
    expect((await noticesOf(people)).map(({ days }) => days)).toEqual([7])
    expect(await casesOf(people)).toMatchObject([{ userId: idle.id, state: 'notified', reason: 'INACTIVE' }])
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
    await pass(people, 4, 1, [busy.id])
    expect(await people.read(idle.id)).toMatchObject({
      seats: [],
      pending: [],
      withheld: [{ module: 'learn' }],
    })
    expect(metricsOf(await people.read(busy.id))).toEqual(['learners'])
    expect(metricsOf(await people.read(next.id))).toEqual(['learners'])
    expect(await told(people, idle.id)).toEqual([
      'reclamation.opened',
      'reclamation.notified',
      'reclamation.notified',
      'reclamation.reclaimed',
    ])
    const notices = await noticesOf(people)
    expect(notices.map(({ userId, days }) => [userId, days])).toEqual([
      [idle.id, 7],
      [idle.id, 1],
    ])
    const { items } = z
      .object({ items: z.array(z.unknown()) })
      .parse(expected(200, await people.call('GET', '/reclamation/savings')))
    expect(items).toMatchObject([{ metric: 'learners', reclaimed: 1, restored: 0 }])
    expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
  })

  test('a run that comes twice, many at once, or after two weeks without any, tells each notice once and skips none', async () => {
    const { people, idle, busy } = await world()
    await pass(people, 84, 84, [busy.id])
    const at = readClock()
    advanceClock(HOUR)
    await times(4, (index) => run(index < 2 ? at : readClock()))
    expect(await told(people, idle.id)).toEqual(['reclamation.opened', 'reclamation.notified'])
    advanceClock(14 * DAY)
    await report(people, busy.id)
    await times(3, () => run())
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
    expect((await noticesOf(people)).map(({ days }) => days)).toEqual([7, 1])
    await pass(people, 2, 1, [busy.id])
    expect(metricsOf(await people.read(idle.id))).toEqual([])
    expect(await told(people, idle.id)).toHaveLength(4)
  })

  test('a run without time left goes on with the next', async () => {
    const { people, idle, busy } = await world()
    await report(people, busy.id)
    const scheduledAt = advanceClock(84 * DAY)
    await report(people, busy.id)
    await expect(run(scheduledAt, 4_000)).rejects.toThrow(/ran out of time/)
    await run(scheduledAt)
    expect(await told(people, idle.id)).toContain('reclamation.notified')
  })

  test('nobody is taken for inactive where nobody’s activity is reported', async () => {
    const { people, idle } = await world()
    await pass(people, 120, 120)
    expect(await told(people, idle.id)).toEqual([])
    const items = await preview(people)
    expect(items).toHaveLength(2)
    expect(items[0]).toMatchObject({ next: 'wait', excludedBy: 'ACTIVITY_NOT_REPORTED' })
  })
})

describe('while it waits', () => {
  async function notified(rule: object = {}) {
    const found = await world(rule)
    await pass(found.people, 84, 84, [found.busy.id])
    const [open] = await casesOf(found.people, { state: 'notified' })
    if (open === undefined) throw new Error('nobody was told')
    return { ...found, open }
  }

  test('activity cancels it', async () => {
    const { people, idle, busy } = await notified()
    await report(people, idle.id)
    await pass(people, 8, 4, [busy.id])
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
    expect(await casesOf(people)).toMatchObject([{ state: 'canceled', because: 'ACTIVITY' }])
  })

  test.each([
    ['leave', { onLeaveUntil: '2099-01-01T00:00:00Z' }],
    ['an exemption', { reclaimExempt: true }],
  ])('%s cancels it, at the next run', async (_, edit) => {
    const { people, idle } = await notified()
    expect(outcome(await people.edit(idle.id, edit))).toBe('200')
    await run(advanceClock(HOUR))
    expect(await casesOf(people)).toMatchObject([{ state: 'canceled' }])
  })

  test('the person keeps it by the link of its notice, once, and no other', async () => {
    const { people, idle, busy, open } = await notified()
    const token = await keepToken(people, idle.id, open.openedAt)
    const looked = await link(token)
    expect(looked.body).toEqual({ state: 'open', reclaimAt: open['reclaimAt'] })
    expect(await casesOf(people)).toMatchObject([{ state: 'notified' }])
    expect(outcome(await use(token.replace('_', '_A')))).toBe('404 NOT_FOUND')
    expect((await page('GET', token)).body).toContain('<button>Keep the seat</button>')
    expect(await casesOf(people)).toMatchObject([{ state: 'notified' }])

    const answers = await times(3, () => use(token))
    expect(answers.map(outcome)).toEqual(['200', '200', '200'])
    expect((await page('POST', token)).body).toContain('You keep your seat.')
    expect((await told(people, idle.id)).filter((type) => type === 'reclamation.kept')).toHaveLength(1)
    const [event] = (await eventsOf(api.table, idle.id, people.tenantId)).filter(
      ({ type }) => type === 'reclamation.kept',
    )
    expect(event?.actor).toEqual({ kind: 'tenant', subject: idle.id })

    await pass(people, 89, 89, [busy.id])
    expect(await casesOf(people)).toMatchObject([{ state: 'kept' }])
    await pass(people, 1, 1, [busy.id])
    const [again] = await casesOf(people)
    expect(again?.state).toBe('notified')
    expect(outcome(await use(token))).toBe('404 NOT_FOUND')
    const fresh = await keepToken(people, idle.id, again?.openedAt ?? open.openedAt)
    await pass(people, 8, 4, [busy.id])
    await pass(people, 1, 1, [busy.id])
    expect((await link(fresh)).body).toEqual({ state: 'over' })
    expect(outcome(await use(fresh))).toBe('409 NOT_RECLAIMING')
  })

  test('the mail that tells the person has a link that leads to a page that keeps it', async () => {
    const { people, idle } = await notified()
    expect(outcome(await people.edit(idle.id, { email: 'idle@example.edu' }))).toBe('200')
    await eventStream(api.table, [people.tenantId])()
    await api.run('sendNotices', advanceClock(HOUR))
    const mails = inbox.take().filter(({ html }) => String(html).includes('/v1/keep-seats/page'))
    expect(mails.map(({ to }) => (Array.isArray(to) ? to : to?.text))).toEqual([
      expect.stringContaining('idle@example.edu'),
    ])
    const links = [String(mails[0]?.html), String(mails[0]?.text)].map(
      (text) =>
        /https:\/\/licensing\.example\.test\/v1\/keep-seats\/page\?token=([\w.~-]+)/.exec(text)?.[1] ?? '',
    )
    expect(links[1]).toBe(links[0])
    expect((await page('GET', links[0] ?? '')).body).toContain('<button>Keep the seat</button>')
    expect((await page('POST', links[0] ?? '')).body).toContain('You keep your seat.')
    expect(await casesOf(people)).toMatchObject([{ userId: idle.id, state: 'kept' }])
  })

  test('an administrator keeps it, and it is then nothing to keep', async () => {
    const { people, idle, busy } = await notified()
    const keep = (id: string) =>
      people.call('POST', `/users/${id}/seats/keep`, {
        body: { product: people.product.code, reason: 'needed' },
      })
    expect(outcome(await keep(busy.id))).toBe('404 NOT_FOUND')
    expect(outcome(await keep(idle.id))).toBe('200')
    expect(Problem.parse((await keep(idle.id)).body).code).toBe('NOT_RECLAIMING')
    await pass(people, 10, 10, [busy.id])
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
  })

  test('of activity and reclaiming at the same moment one comes first, and all rows agree', async () => {
    const { people, idle, busy } = await world()
    const all = [idle, ...(await times(3, () => people.hire('author')))]
    await pass(people, 84, 84, [busy.id])
    await pass(people, 6, 6, [busy.id])
    advanceClock(DAY)
    await report(people, busy.id)
    await Promise.all([run(), ...all.map(({ id }) => report(people, id))])
    const held = await Promise.all(all.map(async ({ id }) => metricsOf(await people.read(id)).length === 1))
    await run(advanceClock(HOUR))
    const cases = await casesOf(people)
    // A run that saw the activity cancels; one that did not had the seat before there was any.
    for (const [place, { id }] of all.entries())
      expect(cases.find(({ userId }) => userId === id)?.state).toBe(held[place] ? 'canceled' : 'reclaimed')
    expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
  })

  test('whoever is seen after it was judged, and before it is written, keeps the seat', async () => {
    const { people, idle, busy } = await world()
    await pass(people, 84, 84, [busy.id])
    await pass(people, 6, 6, [busy.id])
    advanceClock(DAY)
    const { tenantId, product } = people
    const userId = UserId.parse(idle.id)
    const timer = await readTimer(api.table, { kind: RECLAIM_TIMER, subject: [tenantId, userId] })
    if (timer === undefined) throw new Error('no timer')
    const clients = createClients()
    const common = await createServices(readEnvironment(Environment), clients)
    const services = await withVerifier(common, clients.kms, api.kmsKeys.signing)
    let late = 0
    const viewOf = async (_: unknown, fresh: boolean) => {
      const seating = await readSeating(services, tenantId, readClock(), [product.id])
      // It is judged on the person as it was read, and read anew only because the write fails.
      if (fresh && late++ === 0) await report(people, idle.id)
      return seating && { seating, lastDay: '9999-12-31' }
    }
    await reclaimPerson(timer, tenantId, userId, viewOf, 'a test', services)
    expect(late).toBeGreaterThan(0)
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
    expect(await casesOf(people)).toMatchObject([{ state: 'canceled', because: 'ACTIVITY' }])
  })
})

describe('undo', () => {
  async function reclaimed(seats = 2) {
    const found = await world({}, seats)
    await pass(found.people, 84, 84, [found.busy.id])
    await pass(found.people, 6, 6, [found.busy.id])
    await pass(found.people, 1, 1, [found.busy.id])
    expect(metricsOf(await found.people.read(found.idle.id))).toEqual([])
    const restore = (body: object = {}) =>
      found.people.call('POST', `/users/${found.idle.id}/seats/restore`, {
        body: { product: found.people.product.code, ...body },
      })
    return { ...found, restore }
  }

  test('gives the same seats back, once, and leaves the person alone', async () => {
    const { people, idle, busy, restore } = await reclaimed()
    expect((await times(3, () => restore())).map(outcome).toSorted()).toEqual([
      '200',
      '409 UNDO_OVER',
      '409 UNDO_OVER',
    ])
    expect(await people.read(idle.id)).toMatchObject({ seats: [{ metric: 'learners' }], withheld: [] })
    await pass(people, 60, 60, [busy.id])
    expect(await casesOf(people)).toMatchObject([{ state: 'restored' }])
    expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])
  })

  test('is refused without capacity, or waits for it', async () => {
    const { people, idle, busy, restore } = await reclaimed()
    await people.hire('author')
    expect(outcome(await restore())).toBe('409 SEATS_EXHAUSTED')
    expect(await people.read(idle.id)).toMatchObject({ seats: [], withheld: [{ module: 'learn' }] })
    expect(outcome(await restore({ wait: true }))).toBe('200')
    expect(await people.read(idle.id)).toMatchObject({ seats: [], pending: [{ reason: 'NO_CAPACITY' }] })
    await people.archive(busy.id)
    expect(metricsOf(await people.read(idle.id))).toEqual(['learners'])
  })

  test('is over after 14 days', async () => {
    const { restore } = await reclaimed()
    advanceClock(14 * DAY)
    expect(outcome(await restore())).toBe('409 UNDO_OVER')
  })
})

describe('rules', () => {
  test('the plan’s hold where the tenant says nothing; a new one reaches who has a seat; a dry run shows another', async () => {
    const { people, idle, busy } = await world({ enabled: false })
    await pass(people, 40, 40, [busy.id])
    expect(await preview(people)).toEqual([])
    expect(await preview(people, { rules: [{ inactiveDays: 30 }] })).toMatchObject([
      { userId: idle.id, next: 'open', reason: 'INACTIVE' },
    ])
    expect(await told(people, idle.id)).toEqual([])
    expected(200, await people.call('PUT', '/reclamation/rules', { body: { rules: [{ inactiveDays: 30 }] } }))
    await run(advanceClock(HOUR))
    expect(await told(people, idle.id)).toEqual(['reclamation.opened', 'reclamation.notified'])
    const elsewhere = { rules: [{ organizationId: 'org_00000000000000000000000000' }] }
    expect(outcome(await people.call('PUT', '/reclamation/rules', { body: elsewhere }))).toBe('404 NOT_FOUND')
    const never = { at: '9999-12-31T23:59:59.999Z' }
    expect(outcome(await people.call('POST', '/reclamation/preview', { body: never }))).toBe(
      '400 INVALID_REQUEST',
    )
  })

  test('those of where an organization is moved to reach its people', async () => {
    const people = await createPeople(api, { learners: 1 })
    const [strict, moved] = [await people.organize('Strict'), await people.organize('Moved')]
    const rules = [
      { reportedDays: null },
      { organizationId: strict.id, inactiveDays: 30, reportedDays: null },
    ]
    expected(200, await people.call('PUT', '/reclamation/rules', { body: { rules } }))
    const { id } = await people.add({ organizationId: moved.id, roles: ['author'] })
    await report(people, id)
    await pass(people, 40, 40)
    expect(await told(people, id)).toEqual([])
    const headers = { 'if-match': '"1"' }
    const move = { body: { parentId: strict.id }, headers }
    expected(200, await people.call('PATCH', `/organizations/${moved.id}`, move))
    await run(advanceClock(HOUR))
    expect(await told(people, id)).toEqual(['reclamation.opened', 'reclamation.notified'])
  })

  test('people without rules are left alone', async () => {
    const people = await createPeople(api, { learners: 1 })
    const one = await people.hire('author')
    await pass(people, 200, 200)
    expect(await told(people, one.id)).toEqual([])
  })
})
