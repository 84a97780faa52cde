import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { JobName } from '../../../functions/jobs.ts'
import type { Event } from '../../../shared/domain/event.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import {
  DAY,
  HOUR,
  type Instant,
  MINUTE,
  plusMilliseconds,
  readClock,
} from '../../../shared/platform/time.ts'
import { eventEntity } from '../../../shared/store/event.ts'
import { eventLog } from '../../../shared/store/keys.ts'
import { readRange } from '../../../shared/store/read.ts'
import { noteRun, readValidation } from '../../../shared/store/validation.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, setClock, stopClock } from '../../support/clock.ts'
import { faultyClient } from '../../support/faults.ts'
import { follower } from '../../support/follow.ts'
import { times } from '../../support/parallel.ts'
import { createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, type Issued, type Scenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const follow = follower(api.table)
const admin = await api.token('vendor:admin')

const log = async ({ id }: Tenant): Promise<Event[]> =>
  (await readRange(api.table, { pk: eventLog(id) })).map(eventEntity.decode)
const told = async (tenant: Tenant, prefix: string) =>
  (await log(tenant)).filter(({ type }) => type.startsWith(prefix))
const changes = async (scenario: Scenario, { license }: Issued) =>
  (await scenario.events(license.id))
    .filter(({ type }) => type === 'license.status-changed' || type === 'license.tampered')
    .map(({ before, after }) => `${before?.['state']} ${after?.['state']} ${after?.['since']}`)

/** All jobs of schedules, as the scheduler starts them. */
const JOBS: readonly JobName[] = ['noteTransitions', 'validateLicenses']
const runAll = async (scheduledAt: Instant = readClock()) => {
  for (const job of JOBS) await api.run(job, scheduledAt)
}

let now: Instant
beforeEach(() => {
  stopClock()
  now = readClock()
})
afterEach(() => {
  vi.useRealTimers()
})
const inHours = (hours: number) => plusMilliseconds(now, hours * HOUR)
const inDays = (days: number) => inHours(24 * days)

describe('a year of jobs that come twice, late, or not at all', () => {
  test('tells every change of a license once, and from when it was true', async () => {
    const scenario = await createScenario(api)
    const ending = await scenario.issue({ expiresAt: inDays(40), graceDays: 30 })
    const starting = await scenario.issue({ validFrom: inDays(100), expiresAt: inDays(200), graceDays: 0 })
    const carried = await scenario.issue({ expiresAt: inDays(20), graceDays: 0 })
    await scenario.issue({
      type: 'VALIDITY',
      extends: carried.license.id,
      validFrom: inDays(25),
      expiresAt: inDays(300),
      graceDays: 0,
    })
    const forGood = await scenario.issue({ planId: scenario.plans.perpetual.id })
    await follow(scenario.tenant.id)
    // Days on which jobs run at all; on none between 110 and 260.
    for (const day of [0, 19.99, 20, 40, 41, 72, 100.01, 110, 260, 301, 364]) {
      setClock(inDays(day))
      await runAll()
      // Once more for the same time, and one for a time that is long over.
      await runAll()
      if (day > 100) await runAll(inDays(day - 3))
    }
    expect(await changes(scenario, ending)).toEqual([
      `ACTIVE GRACE ${inDays(40)}`,
      `GRACE EXPIRED ${inDays(70)}`,
    ])
    expect(await changes(scenario, starting)).toEqual([
      `PENDING ACTIVE ${inDays(100)}`,
      `ACTIVE EXPIRED ${inDays(200)}`,
    ])
    expect(await changes(scenario, carried)).toEqual([
      `ACTIVE EXPIRED ${inDays(20)}`,
      `EXPIRED ACTIVE ${inDays(25)}`,
      `ACTIVE EXPIRED ${inDays(300)}`,
    ])
    expect(await changes(scenario, forGood)).toEqual([])
  })

  test('is told by the job of the instant itself, with no validation between', async () => {
    const scenario = await createScenario(api)
    const early = await scenario.issue({ expiresAt: inHours(10), graceDays: 0 })
    await follow(scenario.tenant.id)
    // One that comes later and ends sooner moves the timer.
    const sooner = await scenario.issue({ expiresAt: inHours(2), graceDays: 0 })
    await follow(scenario.tenant.id)
    setClock(inHours(2))
    await api.run('noteTransitions')
    expect(await changes(scenario, sooner)).toEqual([`ACTIVE EXPIRED ${inHours(2)}`])
    setClock(inHours(10))
    await times(4, () => api.run('noteTransitions'))
    expect(await changes(scenario, early)).toEqual([`ACTIVE EXPIRED ${inHours(10)}`])
  })
})

describe('the schedule of a tenant', () => {
  const path = ({ id }: Tenant) => `/v1/tenants/${id}/validation`

  test('is hourly, can be set, and says what came of the last run and when the next is', async () => {
    const scenario = await createScenario(api)
    const read = () => api.call('GET', path(scenario.tenant), { token: admin })
    expect((await read()).body).toEqual({ intervalMinutes: 60, errorCount: 0 })
    await scenario.issue()
    await follow(scenario.tenant.id)
    const at = advanceClock(HOUR)
    await api.run('validateLicenses')
    const lastRun = { at, checked: 1, changed: 0, errors: 0, failed: [] }
    expect((await read()).body).toEqual({
      intervalMinutes: 60,
      errorCount: 0,
      lastRun,
      nextRun: plusMilliseconds(at, HOUR),
    })
    const body = { intervalMinutes: 5 }
    const change = () => api.call('PATCH', path(scenario.tenant), { token: admin, body })
    const set = await change()
    expect(set.body).toMatchObject({ intervalMinutes: 5, nextRun: plusMilliseconds(at, 5 * MINUTE) })
    expect((await change()).body).toEqual(set.body)
    await api.run('validateLicenses', advanceClock(4 * MINUTE))
    expect((await read()).body).toMatchObject({ lastRun })
    const later = advanceClock(MINUTE)
    await api.run('validateLicenses')
    expect((await read()).body).toMatchObject({ lastRun: { at: later } })
    for (const intervalMinutes of [4, 1_441, 7.5])
      expect(
        outcome(await api.call('PATCH', path(scenario.tenant), { token: admin, body: { intervalMinutes } })),
      ).toBe('400 INVALID_REQUEST')
    expect((await told(scenario.tenant, 'validation.interval')).map(({ after }) => after)).toEqual([body])
  })

  test('that takes longer than there is time says so, and is not the first again at once', async () => {
    const scenario = await createScenario(api)
    await scenario.issue()
    await follow(scenario.tenant.id)
    const at = advanceClock(HOUR)
    await api.run('validateLicenses', at, () => 5_000).catch(() => undefined)
    expect((await api.call('GET', path(scenario.tenant), { token: admin })).body).toMatchObject({
      lastRun: { at, errors: 1, failed: [{ id: scenario.product.id }] },
      nextRun: plusMilliseconds(at, HOUR),
    })
  })

  test('counts the errors of a run once, though the answer to noting it is lost', async () => {
    const tenant = await createTenant(api)
    const { client, faults } = faultyClient(3)
    faults.push('lost')
    const run = { at: now, checked: 0, changed: 0, errors: 2, failed: [] }
    await writeRow({ client, name: api.table.name }, noteRun(tenant.id, run))
    client.destroy()
    expect(faults).toEqual([])
    expect(await readValidation(api.table, tenant.id)).toMatchObject({ lastRun: run, errorCount: 2 })
  })

  test('forced beside the scheduled one tells each change once, and answers the same when asked again', async () => {
    const scenario = await createScenario(api)
    const ending = await scenario.issue({ expiresAt: inHours(1), graceDays: 1 })
    await follow(scenario.tenant.id)
    advanceClock(2 * HOUR)
    const force = (key: string) =>
      api.call('POST', `${path(scenario.tenant)}/runs`, { token: admin, headers: { 'idempotency-key': key } })
    const [first, second] = await Promise.all([force('one'), force('two'), runAll(), runAll(now)])
    expect([first.status, second.status]).toEqual([200, 200])
    expect(await changes(scenario, ending)).toEqual([`ACTIVE GRACE ${inHours(1)}`])
    advanceClock(DAY)
    expect((await force('one')).body).toEqual(first.body)
    expect(await changes(scenario, ending)).toHaveLength(1)
    expect(await told(scenario.tenant, 'validation.run')).toHaveLength(2)
  })

  test('has its timer again once a day, whatever became of it', async () => {
    const scenario = await createScenario(api)
    await scenario.issue()
    await createScenario(api)
    const timersOf = async () =>
      [...(await allRows(api.table)).keys()].filter(
        (key) => /^TIMER#/.test(key) && key.includes(scenario.tenant.id),
      )
    expect(await timersOf()).toEqual([])
    await api.run('watchTenants')
    await api.run('watchTenants', advanceClock(DAY))
    expect((await timersOf()).toSorted()).toEqual([
      `TIMER#integrity-scan#${scenario.tenant.id} / TIMER`,
      `TIMER#validation#${scenario.tenant.id} / TIMER`,
    ])
  })
})

test('a row that cannot be read is named and told, and keeps no other from being validated', async () => {
  const scenario = await createScenario(api)
  const [broken, ending] = [
    await scenario.issue(),
    await scenario.issue({ expiresAt: inHours(1), graceDays: 0 }),
  ]
  const intact = await scenario.row(broken.license)
  await scenario.restore({ ...intact, validFrom: 'yesterday' })
  advanceClock(2 * HOUR)
  const force = () => api.call('POST', `/v1/tenants/${scenario.tenant.id}/validation/runs`, { token: admin })
  const { body } = await force()
  expect(body).toMatchObject({ checked: 2, changed: 1, errors: 1, failed: [{ id: broken.license.id }] })
  expect(await changes(scenario, ending)).toEqual([`ACTIVE EXPIRED ${inHours(1)}`])
  await force()
  await scenario.restore(intact)
  expect((await force()).body).toMatchObject({ errors: 0 })
  const events = await told(scenario.tenant, 'integrity.')
  expect(events.map(({ type, subject, after }) => [type, subject.id, after?.['check']])).toEqual([
    ['integrity.found', broken.license.id, 'license-unreadable'],
    ['integrity.mended', broken.license.id, 'license-unreadable'],
  ])
})

test('capacity is told at each threshold, once, with the figures of the first page', async () => {
  const scenario = await createScenario(api)
  const { key } = await scenario.issue()
  const use = async (value: number) => {
    const body = { records: [{ metric: 'users', value }] }
    const headers = { authorization: `License ${key}` }
    expect((await api.call('POST', '/v1/usage', { body, headers })).status).toBe(200)
    const runs = `/v1/tenants/${scenario.tenant.id}/validation/runs`
    await Promise.all([1, 2].map(() => api.call('POST', runs, { token: admin })))
  }
  for (const value of [79, 80, 79, 95, 110]) await use(value)
  // No license tells since when it is too much: it counts from when it was first seen.
  advanceClock(15 * DAY)
  for (const value of [110, 74]) await use(value)
  const events = await told(scenario.tenant, 'capacity.')
  expect(events.map(({ type, after }) => [type, after?.['used'], after?.['threshold']])).toEqual([
    ['capacity.reached', 80, 80],
    ['capacity.reached', 95, 90],
    ['capacity.reached', 110, 100],
    ['capacity.over-allocated', 110, undefined],
    ['capacity.cure-overdue', 110, undefined],
    ['capacity.cleared', 74, 100],
    ['capacity.cured', 74, undefined],
  ])
  const overview = await api.call('GET', `/v1/tenants/${scenario.tenant.id}/overview`, { token: admin })
  expect(overview.body).toMatchObject({ users: { active: 74, capacity: 100, utilization: 74 } })
  expect(events.at(-2)?.after).toMatchObject({ capacity: 100, utilization: 74, metric: 'users' })
})
