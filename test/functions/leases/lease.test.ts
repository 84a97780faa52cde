import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readDenials } from '../../../shared/store/lease-denial.ts'
import { localTable } from '../../store/local-table.ts'
import { at } from '../../support/licenses.ts'
import { aWorld, codeOf, granted, NOON } from './rig.ts'

const table = await localTable()

describe('a check-out', () => {
  test('takes a unit of all floating licenses in force, until they are used up', async () => {
    const world = await aWorld(table, { limits: { concurrent: 2 } }, { limits: { concurrent: 1 } })
    await world.issue({ limits: { concurrent: 7 }, suspendedAt: '2026-01-02T00:00:00Z' })
    await world.issue({ limits: { concurrent: 7 }, allocation: 'named' })

    const lease = granted(await world.out())
    expect(lease).toMatchObject({
      items: [{ metric: 'concurrent', units: 1, overdraft: false }],
      expiresAt: at('2026-06-01T12:10:00Z'),
    })
    const first = at('2026-06-01T12:07:00Z') <= (lease.nextHeartbeat ?? '')
    expect([first, (lease.nextHeartbeat ?? '') <= at('2026-06-01T12:07:30Z')]).toEqual([true, true])
    expect([codeOf(await world.out()), codeOf(await world.out())]).toEqual(['granted', 'granted'])
    expect(await world.out()).toMatchObject({
      refused: 'POOL_EXHAUSTED',
      pool: {
        capacity: 3,
        limit: 3,
        used: 3,
        waiting: 0,
        nextFree: at('2026-06-01T12:10:30Z'),
        queue: 'POST /v1/tickets',
        holders: [{ units: 1, lapsed: false }, {}, {}],
      },
    })
    expect((await world.pool()).used).toBe(3)
  })

  test('of several units or metrics is all or nothing', async () => {
    const world = await aWorld(table, { limits: { cad: 3, render: 1 } })
    const both = [
      { metric: 'cad', units: 2 },
      { metric: 'render', units: 1 },
    ]
    expect(codeOf(await world.out())).toBe('INVALID_REQUEST')
    const lease = granted(await world.out({ items: both }))
    expect(await world.out({ items: both })).toMatchObject({
      refused: 'POOL_EXHAUSTED',
      detail: expect.stringContaining('A ticket waits for one metric'),
      pool: { metric: 'cad', because: 'capacity' },
    })
    expect(
      await world.out({
        items: [
          { metric: 'cad', units: 1 },
          { metric: 'render', units: 1 },
        ],
      }),
    ).toMatchObject({
      refused: 'POOL_EXHAUSTED',
      pool: { metric: 'render' },
    })
    expect([(await world.pool('cad')).used, (await world.pool('render')).used]).toEqual([2, 1])

    world.pass(60)
    const renewed = granted(await world.beat(lease))
    expect(await world.in(renewed)).toEqual({ released: true })
    expect([(await world.pool('cad')).used, (await world.pool('render')).used]).toEqual([0, 0])
  })

  test('with the same token is the same lease', async () => {
    const world = await aWorld(table, {})
    const leaseToken = randomUUID()
    const first = granted(await world.out({ leaseToken }))
    const again = granted(await world.out({ leaseToken }))
    expect(again).toMatchObject({ leaseId: first.leaseId, heldBefore: true })
    expect((await world.pool()).used).toBe(1)
  })

  test('with the same Idempotency-Key is answered with the same lease, also once it was given back', async () => {
    const world = await aWorld(table, {})
    const key = { idempotencyKey: randomUUID() }
    const first = granted(await world.out({}, world.services, key))
    await world.in(first)
    expect(granted(await world.out({}, world.services, key)).leaseId).toBe(first.leaseId)
    expect((await world.pool()).used).toBe(0)
  })

  test('takes the place of what has lapsed, in the same write', async () => {
    const world = await aWorld(table, { limits: { concurrent: 2 } })
    const [stays, goes] = [granted(await world.out()), granted(await world.out())]
    world.pass(9 * 60)
    const kept = granted(await world.beat(stays))
    // The holder stopped after 10 minutes; its unit is kept 30 seconds more, for clocks differ.
    world.pass(60 + 29)
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
    world.pass(1)
    expect(codeOf(await world.out())).toBe('granted')
    expect((await world.pool()).used).toBe(2)
    expect(codeOf(await world.beat(goes))).toBe('LEASE_LAPSED')
    expect(codeOf(await world.beat(kept))).toBe('granted')
  })

  test('goes into the overdraft as declared, and says so', async () => {
    const world = await aWorld(
      table,
      { limits: { concurrent: 3 }, rules: { overdraft: { kind: 'percent', percent: 50 } } },
      { limits: { concurrent: 3 }, rules: { overdraft: { kind: 'percent', percent: 50, cap: 1 } } },
    )
    // 1.5 and 1 are 2 together.
    const leases = []
    for (let count = 0; count < 8; count += 1) leases.push(granted(await world.out()))
    expect(leases.map(({ items }) => items[0]?.overdraft)).toEqual([...Array(6).fill(false), true, true])
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
  })

  test('of an unlimited pool always succeeds', async () => {
    const world = await aWorld(table, { limits: { concurrent: 'unlimited' } })
    expect(codeOf(await world.out({ items: [{ metric: 'concurrent', units: 1_000_000 }] }))).toBe('granted')
    expect(codeOf(await world.out())).toBe('granted')
  })

  test('takes what lapsed away also where there is no limit', async () => {
    const world = await aWorld(table, { limits: { concurrent: 'unlimited' } })
    await world.shareOut({ department: 'art', maximum: { units: 3 } })
    const four = { department: 'art', items: [{ metric: 'concurrent', units: 4 }] }
    expect(await world.out(four)).toMatchObject({ detail: expect.stringContaining('more than the 3') })
    granted(await world.out({ ...four, items: [{ metric: 'concurrent', units: 3 }] }))
    expect(await world.out({ department: 'art' })).toMatchObject({
      detail: expect.stringContaining('3 of unlimited units'),
    })
    for (let count = 0; count < 3; count += 1) granted(await world.out())
    world.pass(631)
    expect(codeOf(await world.out())).toBe('granted')
    expect((await world.pool()).used).toBe(1)
  })

  test('is refused without a floating license in force', async () => {
    const world = await aWorld(table, { suspendedAt: '2026-01-02T00:00:00Z' })
    expect(codeOf(await world.out())).toBe('LICENSE_NOT_IN_FORCE')
    expect(codeOf(await world.out({ items: [{ metric: 'concurrent', units: 1 }] }))).toBe(
      'LICENSE_NOT_IN_FORCE',
    )
    expect(codeOf(await world.out({ items: [{ metric: 'constructor', units: 1 }] }))).toBe(
      'LICENSE_NOT_IN_FORCE',
    )
  })
})

describe('what was denied', () => {
  const denials = (world: Awaited<ReturnType<typeof aWorld>>) =>
    readDenials(table, { ...world.asked, metric: 'concurrent' }, NOON, at('2026-06-02T00:00:00Z'), 100)

  test('is written down: a row a minute for each who asks, one for those who do not say', async () => {
    const world = await aWorld(table, { limits: { concurrent: 1 } })
    const three = { items: [{ metric: 'concurrent', units: 3 }] }
    const ada = { holder: { userId: 'ada', machine: 'ws-1' }, department: 'Physics' }
    await world.out()
    for (const body of [ada, {}, { ...ada, ...three }, three]) await world.out(body)
    world.pass(60)
    await world.out(ada)
    const common = { because: 'capacity', first: NOON, last: NOON }
    expect(await denials(world)).toEqual([
      {
        ...common,
        who: 'user ada',
        ...ada,
        requests: 1,
        units: 1,
        first: world.clock.now,
        last: world.clock.now,
      },
      { ...common, who: 'user ada', ...ada, requests: 2, units: 3 },
      { ...common, holder: {}, requests: 2, units: 4 },
    ])
    expect(await readDenials(table, { ...world.asked, metric: 'concurrent' }, NOON, world.clock.now, 1)).toBe(
      undefined,
    )
  })

  test('for want of a license in force says what it is', async () => {
    const world = await aWorld(table, {})
    await world.suspend()
    const holder = { process: '4711' }
    expect(codeOf(await world.out({ holder }))).toBe('LICENSE_NOT_IN_FORCE')
    expect(await denials(world)).toMatchObject([
      { who: 'process tok_app 4711', because: 'license', status: 'SUSPENDED', units: 1 },
    ])
    await world.out()
    await world.reinstate()
    await world.out({ items: [{ metric: 'concurrent', units: 5 }] })
    for (const body of [{ holder }, {}, {}, { department: 'Physics' }]) await world.out(body)
    const rows = (await denials(world)) ?? []
    expect(rows.map(({ who, because, status, requests }) => [who, because, status, requests])).toEqual([
      ['process tok_app 4711', 'capacity', undefined, 2],
      [undefined, 'license', 'SUSPENDED', 1],
      [undefined, 'capacity', undefined, 1],
      [undefined, 'capacity', undefined, 2],
    ])
  })
})

describe('a lease id', () => {
  test('is replaced by each heartbeat; a copy of the old one soon stops working', async () => {
    const world = await aWorld(table, {})
    const lease = granted(await world.out())
    world.pass(400)
    const renewed = granted(await world.beat(lease))
    expect(renewed.leaseId).not.toBe(lease.leaseId)
    expect(renewed.expiresAt).toBe(at('2026-06-01T12:16:40Z'))
    world.pass(30)
    expect(granted(await world.beat(lease)).leaseId).toBe(renewed.leaseId)
    world.pass(1)
    expect(codeOf(await world.beat(lease))).toBe('LEASE_SUPERSEDED')
    expect(codeOf(await world.in(lease))).toBe('LEASE_SUPERSEDED')
    const third = granted(await world.beat(renewed))
    expect(codeOf(await world.beat(lease))).toBe('LEASE_SUPERSEDED')
    expect(await world.in(third)).toEqual({ released: true })
    expect(await world.in(third)).toEqual({ released: false })
    expect(codeOf(await world.beat(third))).toBe('LEASE_LAPSED')
    expect((await world.pool()).used).toBe(0)
  })

  test('of a lease given back does not give back the next one of the same name', async () => {
    const world = await aWorld(table, {})
    const leaseToken = randomUUID()
    const first = granted(await world.out({ leaseToken }))
    await world.in(first)
    granted(await world.out({ leaseToken }))
    expect(codeOf(await world.in(first))).not.toBe('released')
    expect((await world.pool()).used).toBe(1)
  })
})

describe('a lease never outlives its license', () => {
  const END = '2026-06-01T12:04:00.500Z'

  test('nor does a heartbeat carry it over', async () => {
    const world = await aWorld(table, { expiresAt: END })
    const lease = granted(await world.out())
    expect(lease.expiresAt).toBe(at('2026-06-01T12:04:00Z'))
    world.pass(120)
    const renewed = granted(await world.beat(lease))
    expect(renewed.expiresAt).toBe(at('2026-06-01T12:04:00Z'))
    world.pass(121)
    expect(codeOf(await world.beat(renewed))).toBe('LICENSE_NOT_IN_FORCE')
    expect(codeOf(await world.out())).toBe('LICENSE_NOT_IN_FORCE')
  })

  test('where another goes on, as many as fit go on with it', async () => {
    const world = await aWorld(
      table,
      { limits: { concurrent: 2 } },
      { limits: { concurrent: 3 }, expiresAt: END },
    )
    const leases = []
    for (let count = 0; count < 5; count += 1) leases.push(granted(await world.out()))
    expect(leases.map(({ expiresAt }) => expiresAt)).toEqual([
      ...Array(2).fill(at('2026-06-01T12:10:00Z')),
      ...Array(3).fill(at('2026-06-01T12:04:00Z')),
    ])
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
    world.pass(241)
    const answers = []
    for (const lease of leases.toReversed()) answers.push(codeOf(await world.beat(lease)))
    expect(answers).toEqual(['LEASE_LAPSED', 'LEASE_LAPSED', 'LEASE_LAPSED', 'granted', 'granted'])
    expect((await world.pool()).used).toBe(2)
  })

  test('what the vendor takes back ends with the next heartbeat', async () => {
    const world = await aWorld(table, { limits: { concurrent: 2 } })
    const [a, b] = [granted(await world.out()), granted(await world.out())]
    await world.cut(1)
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
    expect(codeOf(await world.beat(a))).toBe('LEASE_LAPSED')
    const kept = granted(await world.beat(b))
    await world.suspend()
    expect(codeOf(await world.beat(kept))).toBe('LICENSE_NOT_IN_FORCE')
    await world.reinstate()
    expect(codeOf(await world.beat(kept))).toBe('granted')
  })
})

describe('a unit shared', () => {
  test.each([
    ['user', { userId: 'ada' }],
    ['machine', { machine: 'ws-1' }],
  ] as const)('by %s is given back by the last who uses it', async (sharing, holder) => {
    const world = await aWorld(table, { rules: { lease: { duration: 'PT10M', sharing } } })
    const first = granted(await world.out({ holder }))
    const second = granted(await world.out({ holder }))
    expect((await world.pool()).used).toBe(1)
    world.pass(60)
    // Each renews it for both, and neither takes it from the other.
    const renewed = granted(await world.beat(first))
    expect(codeOf(await world.beat(second))).toBe('granted')
    expect(await world.in(renewed)).toEqual({ released: true })
    expect(await world.in(first)).toEqual({ released: false })
    expect((await world.pool()).used).toBe(1)
    expect(codeOf(await world.beat(second))).toBe('granted')
    expect(await world.in(second)).toEqual({ released: true })
    expect((await world.pool()).used).toBe(0)
    expect(codeOf(await world.out({}))).toBe('INVALID_REQUEST')
  })
})

test('a unit of several pools is shared by processes of which each gives back its own part alone', async () => {
  const rules = { lease: { duration: 'PT10M', sharing: 'user' } } as const
  const world = await aWorld(table, { limits: { cad: 2, render: 2 }, rules })
  const holder = { userId: 'ada' }
  const [cad, render] = ['cad', 'render'].map((metric) => ({ metric, units: 1 }))
  if (cad === undefined || render === undefined) throw new Error('no metric')
  const one = granted(await world.out({ holder, items: [cad] }))
  const both = granted(await world.out({ holder, items: [render, cad] }))
  expect(both.heldBefore).toBeUndefined()
  expect(await world.in(both)).toEqual({ released: true })
  expect(codeOf(await world.beat(one))).toBe('granted')
  expect(await world.in(one)).toEqual({ released: true })
  expect([(await world.pool('cad')).used, (await world.pool('render')).used]).toEqual([0, 0])
})
