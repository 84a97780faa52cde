import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { unitsOf } from '../../../shared/domain/pool.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { MINUTE, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { readMachines } from '../../../shared/store/activation.ts'
import { readPools } from '../../../shared/store/pool.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { typesOf } from '../../support/events.ts'
import type { Fault } from '../../support/faults.ts'
import { tally, times } from '../../support/parallel.ts'
import { allRows } from '../../support/rows.ts'
import { expected } from '../../support/scenario.ts'
import { openShop } from '../activations/machines.ts'
import { faultyHandlers, idOf } from '../activations/rig.ts'
import { faultyJob, openMarket, waiting } from './transfer-rig.ts'

const api = await startApi()
afterAll(api.stop)
const market = await openMarket(api)
const { act, execute, held, log, collect, read } = market
const plan = await market.plan({ approval: true })
const tenants = () => Promise.all([market.tenant(), market.tenant()])

/** Which licenses the two tenants have, by status: a license is somewhere, once. */
const holdings = async (...all: Tenant[]) =>
  Promise.all(all.map(async (tenant) => (await held(tenant)).map(({ status }) => status)))
const countOf = async (tenant: Tenant, type: string) =>
  typesOf(await log(tenant)).filter((one) => one === type).length

describe('at the same time', () => {
  test('both sides approve: it is executed once', async () => {
    const [giver, receiver] = await tenants()
    const id = await waiting(market, await market.issue(giver, plan.id), giver, receiver)
    const answers = await Promise.all([giver, receiver, undefined].map((who) => act(who, id, 'approve', WHY)))
    expect(answers.map(outcome)).toEqual(['200', '200', '200'])
    await Promise.all(
      [1, 2, 3].map((after) => api.run('executeTransfers', plusMilliseconds(readClock(), after))),
    )
    expect((await read(undefined, id)).state).toBe('EXECUTED')
    expect(await holdings(giver, receiver)).toEqual([['REVOKED'], ['ACTIVE']])
    expect(await countOf(receiver, 'license.received')).toBe(1)
  })

  test('one approves and the other cancels: one of these', async () => {
    for (let round = 0; round < 2; round += 1) {
      const [giver, receiver] = await tenants()
      const id = await waiting(market, await market.issue(giver, plan.id), giver, receiver)
      expected(200, await act(giver, id, 'approve'))
      const acts = [() => act(receiver, id, 'approve'), () => act(giver, id, 'cancel')]
      const answers = await Promise.all((round % 2 ? acts.toReversed() : acts).map((one) => one()))
      expect(answers.map(outcome).toSorted()).toEqual(['200', '409 TRANSFER_OVER'])
      await execute()
      const { state } = await read(giver, id)
      const after = state === 'EXECUTED' ? [['REVOKED'], ['ACTIVE']] : [['ACTIVE'], []]
      expect(await holdings(giver, receiver)).toEqual(after)
      expect([await countOf(giver, 'license.transferred')]).toEqual([state === 'EXECUTED' ? 1 : 0])
    }
  })

  const WAYS = {
    'node-locked': {
      metric: 'machines',
      path: '/v1/activations',
      body: () => ({ fingerprints: [{ value: randomUUID() }] }),
      granted: '200',
    },
    floating: { metric: 'concurrent', path: '/v1/leases', body: () => ({}), granted: '201' },
  } as const

  test.each(['node-locked', 'floating'] as const)('20 take places of a %s license', async (allocation) => {
    const { metric, path, body, granted } = WAYS[allocation]
    const [giver, receiver] = await tenants()
    const own = await market.plan({ approval: true }, { allocation, limits: { [metric]: 30 }, features: {} })
    const old = await market.issue(giver, own.id)
    const id = await waiting(market, old, giver, receiver)
    expected(200, await act(giver, id, 'approve'))
    const take = (key: string): Promise<Answer> =>
      api.call('POST', path, { headers: { authorization: `License ${key}` }, body: body() })
    expect(outcome(await take(old.key))).toBe(granted)

    expected(200, await act(receiver, id, 'approve'))
    const [, answers] = await Promise.all([execute(), times(20, () => take(old.key))])
    expect((await read(receiver, id)).state).toBe('EXECUTED')
    const outcomes = tally(answers.map(outcome))
    expect(
      Object.keys(outcomes).filter((one) => one !== granted && one !== '409 LICENSE_NOT_IN_FORCE'),
    ).toEqual([])

    // What was granted before is there; from now on the old pool grants nothing, and the new one does.
    expect(outcome(await take(old.key))).toBe('409 LICENSE_NOT_IN_FORCE')
    const { key } = await collect(receiver, id)
    expect(outcome(await take(key))).toBe(granted)
    const before = 1 + (outcomes[granted] ?? 0)
    expect(await countsOf(giver, metric)).toEqual([before, before])
    expect(await countsOf(receiver, metric)).toEqual([1, 1])
    const { exposure } = await read(giver, id)
    expect(allocation === 'floating' ? exposure?.leases.count : exposure?.machines).toBeLessThanOrEqual(
      before,
    )
  })

  /** Units that a tenant's pool counts, and those that rows say. */
  async function countsOf({ id }: Tenant, metric: string): Promise<[number | undefined, number]> {
    const pool = (await readPools(api.table, id, market.product.id)).get(metric)
    if (metric === 'concurrent') return [pool?.used, unitsOf(pool?.entries.values() ?? [])]
    let rows = 0
    for await (const _ of readMachines(api.table, id, market.product.id)) rows += 1
    return [pool?.used, rows]
  }
})

const WHY = { reason: 'Agreed' }

test('a place that was granted before, and is written after, an execution is not given', async () => {
  const shop = await openShop(api, 5, { transfer: { allowed: true } })
  const [to] = await tenants()
  const { id } = await market.request(undefined, shop.license.id, { receiver: to.id })
  const handlers = await faultyHandlers(api, shop, 1)
  expected(200, await act(undefined, id, 'approve', WHY))
  handlers.faults.push({ before: execute })
  expect(idOf(await handlers.activate(['a', 'mac:a']))).toBe('LICENSE_NOT_IN_FORCE')
  handlers.stop()
  expect(await shop.rows()).toEqual([])
  expect(await shop.faults()).toEqual([])
})

describe('carried out', () => {
  afterEach(() => vi.useRealTimers())

  const approvedByBoth = async () => {
    const [giver, receiver] = await tenants()
    const old = await market.issue(giver, plan.id)
    const id = await waiting(market, old, giver, receiver)
    for (const tenant of [giver, receiver]) expected(200, await act(tenant, id, 'approve'))
    return { giver, receiver, old, id }
  }
  /** Of what transfers are about: without notes of runs and of tries. */
  const rows = async () =>
    [...(await allRows(api.table)).values()].filter(({ pk }) => !/^(JOBS?|TIMER)#/.test(String(pk)))

  test('it is not without a top-up that was issued after the licenses were looked at', async () => {
    const { giver, receiver, old, id } = await approvedByBoth()
    const { run, faults, stop } = await faultyJob()
    const top = { extends: old.license.id, type: 'TOPUP', limits: { users: 5 } }
    faults.push({ before: () => market.issue(giver, plan.id, top) })
    await run()
    stop()
    expect(await read(giver, id)).toMatchObject({ state: 'FAILED', code: 'TRANSFER_OUTDATED' })
    expect(await holdings(giver, receiver)).toEqual([['ACTIVE', 'ACTIVE'], []])
  })

  test.each<[string, Fault[]]>([
    ['throttled, then timed out after it was committed', ['throttled', 'lost']],
    ['sent twice', ['twice']],
  ])('%s, all of it is done, once', async (_, planned) => {
    const { giver, receiver, old, id } = await approvedByBoth()
    const { run, faults, stop } = await faultyJob()
    faults.push(...planned)
    stopClock()
    for (let tries = 0; tries <= planned.length; tries += 1) {
      const before = await rows()
      await run()
      // Nothing, or everything.
      const isDone = (await read(giver, id)).state === 'EXECUTED'
      if (!isDone) expect(await rows()).toEqual(before)
      expect(await holdings(giver, receiver)).toEqual(isDone ? [['REVOKED'], ['ACTIVE']] : [['ACTIVE'], []])
      // What failed is tried later.
      advanceClock(10 * MINUTE)
    }
    expect(faults).toEqual([])
    stop()
    expect((await read(receiver, id)).state).toBe('EXECUTED')
    expect(await countOf(receiver, 'license.received')).toBe(1)
    expect(await countOf(giver, 'license.transferred')).toBe(1)
    expect(await market.verdict({ key: old.key })).toMatchObject({ code: 'REVOKED' })
    expect(await market.verdict({ key: (await collect(receiver, id)).key })).toMatchObject({ valid: true })
  })
})
