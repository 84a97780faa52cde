import { beforeAll, describe, expect, test } from 'vitest'
import { poolsHandlers } from '../../../functions/pools/handlers.ts'
import { poolsRoutes } from '../../../functions/pools/routes.ts'
import type { VerifyingServices } from '../../../functions/verified.ts'
import { Product } from '../../../shared/domain/catalog.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { Tenant } from '../../../shared/domain/tenant.ts'
import type { Instant } from '../../../shared/platform/time.ts'
import { productItem } from '../../../shared/store/catalog.ts'
import { tenantItem } from '../../../shared/store/tenant.ts'
import { put } from '../../store/local-table.ts'
import { at, type LicenseOverrides } from '../../support/licenses.ts'
import { aWorld, codeOf, granted, NOON, queued } from '../leases/rig.ts'
import { type Streamed, streamedTable } from '../records/streamed.ts'

let streamed: Streamed
beforeAll(async () => {
  streamed = await streamedTable()
})

/** A tenant with floating licenses, whose stream is delivered on demand, and its reports. */
async function aTenant(license: LicenseOverrides = {}) {
  const { table } = streamed
  const world = await aWorld(table, license)
  const { tenantId, productId } = world.asked
  const common = { name: 'A', createdAt: NOON, revision: 1 }
  const tenant = Tenant.parse({ ...common, id: tenantId, customerId: tenantId, timeZone: 'Europe/Berlin' })
  const product = Product.parse({ ...common, id: productId, code: 'edu' })
  await put(table, tenantItem(tenant), productItem(product))
  const services = partOf({ table })
  const call = (query: object, from: Instant, to?: Instant) => ({
    ...world.call(),
    params: { tenantId, product: productId },
    query: poolsRoutes.getDenials.query.parse({ from, to, interval: 'hour', ...query }),
    body: undefined,
    address: '203.0.113.1',
    revision: 0,
    licenseKey: undefined,
    remaining: () => 10_000,
  })
  return {
    world,
    /** Delivers all records there are, from the first on. */
    tell: async () =>
      expect(await streamed.deliver(await streamed.records(productId))).toEqual({ batchItemFailures: [] }),
    async denials(query: object = {}, from: Instant = NOON) {
      const answer = await poolsHandlers.getDenials(call(query, from), services)
      if (isRefusal(answer) || 'replayed' in answer) throw new Error('no series')
      const { items } = poolsRoutes.getDenials.success.body.parse(answer)
      return items.map(({ key, byReason, byClass }) => [key, ...counted(byClass), ...counted(byReason)])
    },
    async use(query: object = {}, from: Instant = NOON, to?: Instant) {
      const answer = await poolsHandlers.getPoolUse(call(query, from, to), services)
      if (isRefusal(answer) || 'replayed' in answer) throw new Error('no series')
      const { items } = poolsRoutes.getPoolUse.success.body.parse(answer)
      return items.map(({ from: begin, key, heldSeconds, peak }) => [begin, key, heldSeconds, peak])
    },
    ask: (query: object, from: Instant) => poolsHandlers.getPoolUse(call(query, from), services),
  }
}

const counted = (tallies: Readonly<Record<string, { denials: number } | undefined>>) =>
  Object.entries(tallies).map(([name, tally]) => `${name} ${tally?.denials}`)

function partOf(services: object): VerifyingServices {
  // biome-ignore lint/nursery/noUnsafeTypeAssertion: a stand-in with the services that the reports use
  return services as VerifyingServices
}

const ada = { holder: { userId: 'ada', machine: 'ws-1' }, department: 'Physics' }
const ben = { holder: { userId: 'ben', machine: 'ws-2' }, department: 'Physics' }
const cyd = { holder: { userId: 'cyd', machine: 'ws-3' } }

describe('denials', () => {
  test('are false where the same holder got a place within a minute, also on another machine', async () => {
    const { world, tell, denials } = await aTenant({ limits: { concurrent: 2 } })
    const [first, second] = [granted(await world.out()), granted(await world.out())]
    for (const body of [ada, ben, cyd]) expect(codeOf(await world.out(body))).toBe('POOL_EXHAUSTED')
    await tell()
    world.pass(1)
    expect(await denials()).toEqual([[null, 'open 3', 'capacity 3']])
    world.pass(29)
    await world.in(first)
    granted(await world.out(ada))
    world.pass(29)
    await world.in(second)
    granted(await world.out({ ...ben, holder: { ...ben.holder, machine: 'ws-9' } }))
    // Delivered twice, and late: nothing is other than if it were once.
    await tell()
    await tell()
    world.pass(60)
    expect(await denials({ by: 'user' })).toEqual([
      ['ada', 'false 1', 'retry 1'],
      ['ben', 'false 1', 'failover 1'],
      ['cyd', 'true 1', 'capacity 1'],
    ])
  })

  test('are true where the place came too late, whoever had it meanwhile', async () => {
    const { world, tell, denials } = await aTenant({ limits: { concurrent: 1 } })
    const first = granted(await world.out(cyd))
    await world.out(ada)
    await world.in(first)
    const next = granted(await world.out(ben))
    world.pass(61)
    await world.in(next)
    granted(await world.out(ada))
    await tell()
    world.pass(60)
    expect(await denials()).toEqual([[null, 'true 1', 'capacity 1']])
  })

  test('are open while their ticket waits, false once it is claimed, true if it ends', async () => {
    const { world, tell, denials } = await aTenant({ limits: { concurrent: 1 } })
    const first = granted(await world.out())
    await world.out(ada)
    await world.out(ben)
    const [waits, leaves] = [queued(await world.join(ada)), queued(await world.join(ben))]
    world.pass(240)
    await world.ping(waits)
    await world.ping(leaves)
    await tell()
    expect(await denials()).toEqual([[null, 'open 2', 'capacity 2']])
    await world.in(first)
    await world.cancel(leaves)
    granted(await world.claim(waits))
    await tell()
    expect(await denials({ by: 'user' })).toEqual([
      ['ada', 'false 1', 'queued-then-served 1'],
      ['ben', 'true 1', 'capacity 1'],
    ])
  })

  test('without a license in force are no want of capacity', async () => {
    const { world, denials } = await aTenant()
    await world.suspend()
    await world.out(ada)
    world.pass(1)
    expect(await denials({ by: 'department' })).toEqual([['Physics', 'not-capacity 1', 'license 1']])
  })
})

describe('use over time', () => {
  test('sums up to the same by user, department and pool, until now where it is still held', async () => {
    const { world, tell, use } = await aTenant({ limits: { concurrent: 5 } })
    const [adas] = [granted(await world.out(ada)), granted(await world.out(cyd))]
    world.pass(300)
    const both = { ...ben, items: [{ metric: 'concurrent', units: 2 }] }
    granted(await world.out(both))
    world.pass(200)
    await tell()
    expect(await use({ by: 'user' })).toEqual([
      [NOON, 'ada', 500, 1],
      [NOON, 'ben', 400, 2],
      [NOON, 'cyd', 500, 1],
    ])
    await world.in(adas)
    world.pass(3600)
    // The others lapsed: cyd after 10 minutes, ben 5 minutes later. Nobody came upon it yet.
    await tell()
    await tell()
    const expected = [
      [
        'user',
        [
          ['ada', 500],
          ['ben', 1200],
          ['cyd', 600],
        ],
      ],
      [
        'department',
        [
          [null, 600],
          ['Physics', 1700],
        ],
      ],
      ['pool', [[null, 2300]]],
    ]
    for (const [by, held] of expected)
      expect((await use({ by })).map((item) => item.slice(1, 3))).toEqual(held)
    // Somebody does, and it is told from the record.
    granted(await world.out(ada))
    await tell()
    for (const [by, held] of expected) {
      const until = at('2026-06-01T13:00:00Z')
      expect((await use({ by }, NOON, until)).map((item) => item.slice(1, 3))).toEqual(held)
    }
    expect((await use()).map(([begin, , , peak]) => [begin, peak])).toEqual([[NOON, 4]])
  })

  test('is told by the day of the tenant, for a borrowed license that goes over several', async () => {
    const { world, tell, use } = await aTenant({ rules: { lease: { duration: 'P3D' } } })
    const lease = granted(await world.out(ada))
    world.pass(36 * 3600)
    await tell()
    const days = [
      [at('2026-05-31T22:00:00Z'), 'ada', 10 * 3600, 1],
      [at('2026-06-01T22:00:00Z'), 'ada', 24 * 3600, 1],
      [at('2026-06-02T22:00:00Z'), 'ada', 2 * 3600, 1],
    ]
    expect(await use({ by: 'user', interval: 'day' })).toEqual(days)
    await world.in(lease)
    await tell()
    expect(await use({ by: 'user', interval: 'day' })).toEqual(days)
    // Of a part of the time, only what lies in it.
    const [, second] = days
    const night = at('2026-06-02T01:00:00Z')
    expect(await use({ by: 'user', interval: 'day' }, night, at('2026-06-02T02:00:00Z'))).toEqual([second])
  })

  test('is answered for a pool that there is, and for no more than is kept', async () => {
    const { ask } = await aTenant()
    expect(codeOf(await ask({ metric: 'render' }, at('2026-06-01T11:00:00Z')))).toBe('NOT_FOUND')
    expect(codeOf(await ask({}, at('2026-05-01T00:00:00Z')))).toBe('INVALID_REQUEST')
    expect(codeOf(await ask({}, at('2026-07-01T00:00:00Z')))).toBe('INVALID_REQUEST')
  })
})
