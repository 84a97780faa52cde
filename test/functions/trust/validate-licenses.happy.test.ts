import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DAY, HOUR, type Instant, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { runKey } from '../../../shared/store/keys.ts'
import { readItem } from '../../../shared/store/read.ts'
import { runEntity } from '../../../shared/store/run.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, type Issued, type Scenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)

/** As EventBridge Scheduler calls it. */
const run = (scheduledAt: Instant, milliseconds?: number) =>
  api.run('validateLicenses', scheduledAt, milliseconds)

const noted = async (scenario: Scenario, { license }: Issued) =>
  (await scenario.events(license.id)).filter(({ type }) => !/^license(-key)?\.(issued|generated)$/.test(type))
const states = async (scenario: Scenario, issued: Issued) =>
  (await noted(scenario, issued)).map(({ type, before, after }) => [
    type,
    before?.['state'],
    after?.['state'],
  ])
const runNoted = async (scheduledAt: Instant) => {
  const item = await readItem(api.table, runKey('validateLicenses', scheduledAt))
  return item && runEntity.decode(item)
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

describe('a run', () => {
  test('notes each change of status once, as an event of the system', async () => {
    const scenario = await createScenario(api)
    const ending = await scenario.issue({ expiresAt: inHours(1), graceDays: 1 })
    const starting = await scenario.issue({ validFrom: inHours(1) })
    const staying = await scenario.issue()
    await run(now)
    const early = await Promise.all([ending, starting, staying].map((one) => states(scenario, one)))
    const at = advanceClock(2 * HOUR)
    await run(at)
    await run(advanceClock(2 * DAY))

    expect(early).toEqual([[], [], []])
    expect(await states(scenario, ending)).toEqual([
      ['license.status-changed', 'ACTIVE', 'GRACE'],
      ['license.status-changed', 'GRACE', 'EXPIRED'],
    ])
    expect(await states(scenario, starting)).toEqual([['license.status-changed', 'PENDING', 'ACTIVE']])
    expect(await states(scenario, staying)).toEqual([])
    const [event] = await noted(scenario, ending)
    expect(event).toMatchObject({
      at,
      actor: { kind: 'system', subject: 'validateLicenses' },
      tenantId: scenario.tenant.id,
      requestId: expect.stringMatching(/^run_/),
    })
  })

  test('twice for the same time, late, or many at once, changes nothing more', async () => {
    const scenario = await createScenario(api)
    const ending = await scenario.issue({ expiresAt: inHours(1), graceDays: 1 })
    const scheduled = now
    advanceClock(2 * HOUR)
    await times(5, () => run(inHours(2)))
    const first = await states(scenario, ending)
    const before = await allRows(api.table)
    await run(inHours(2))
    expect(await allRows(api.table)).toEqual(before)
    await run(scheduled)
    await times(3, () => run(advanceClock(HOUR)))
    expect(first).toEqual([['license.status-changed', 'ACTIVE', 'GRACE']])
    expect(await states(scenario, ending)).toEqual(first)
  })

  test('notes a row that was changed past the API once, as tampered, and that it was mended', async () => {
    const scenario = await createScenario(api)
    const issued = await scenario.issue()
    const intact = await scenario.row(issued.license)
    await scenario.edit(issued.license, { limits: { users: 5_000 } })
    for (const hours of [1, 2]) await run(inHours(hours))
    const { version, limits } = await scenario.row(issued.license)
    expect(limits).toEqual({ users: 5_000 })
    await scenario.restore({ ...intact, version, lastSeenStatus: 'TAMPERED' })
    await run(inHours(3))
    expect(await states(scenario, issued)).toEqual([
      ['license.tampered', 'ACTIVE', 'TAMPERED'],
      ['license.status-changed', 'TAMPERED', 'ACTIVE'],
    ])
  })

  test('tells of a license that is carried on by another when it really ends', async () => {
    const scenario = await createScenario(api)
    const base = await scenario.issue({ expiresAt: inHours(1), graceDays: 0 })
    await scenario.issue({ type: 'VALIDITY', extends: base.license.id, expiresAt: inHours(48), graceDays: 0 })
    await run(advanceClock(2 * HOUR))
    const carried = await states(scenario, base)
    await run(advanceClock(2 * DAY))
    expect(carried).toEqual([])
    expect(await states(scenario, base)).toEqual([['license.status-changed', 'ACTIVE', 'EXPIRED']])
  })

  test('that runs out of time goes on where it stopped, and notes everything once', async () => {
    // Rows so large that the licenses fill more than one page of a query (1 MB).
    const features = Array.from({ length: 190 }, (_, index) => ({
      code: `text-${index}`,
      type: 'string' as const,
    }))
    const product = await createProduct(api, { features, modules: [] })
    const texts = Object.fromEntries(features.map(({ code }) => [code, 'x'.repeat(200)]))
    const plan = await createPlan(api, product.id, { features: texts, graceDays: 0 })
    const tenants = await times(32, () => createTenant(api))
    const scenario = await createScenario(api)
    const issued = await Promise.all(
      tenants.map(({ id }) => scenario.issue({ tenantId: id, planId: plan.id, expiresAt: inHours(1) })),
    )
    const told = async () => {
      const logs = await Promise.all(
        issued.map(({ license }) => eventsOf(api.table, license.id, license.tenantId)),
      )
      return logs.flat().filter(({ type }) => type === 'license.status-changed').length
    }
    const at = advanceClock(2 * HOUR)

    await expect(run(at, 4_000)).rejects.toThrow(/validateLicenses ran out of time/)
    const [partly, progress] = [await told(), await runNoted(at)]
    await run(at)

    expect(partly).toBeGreaterThan(0)
    expect(partly).toBeLessThan(32)
    expect(progress?.from).toBeDefined()
    expect(progress?.finishedAt).toBeUndefined()
    expect(await told()).toBe(32)
    expect((await runNoted(at))?.finishedAt).toBe(at)
  })
})
