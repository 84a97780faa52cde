import { describe, expect, test } from 'vitest'
import { poolViews } from '../../../functions/leases/pools-view.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { localTable } from '../../store/local-table.ts'
import { tally, times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, queued } from './rig.ts'

const table = await localTable()

/** A pool that has room for so many besides those in its item, of which it lacks so many to be full. */
async function aVastPool(places: number, missing = 0) {
  const world = await aWorld(table, { limits: { concurrent: 100 + places } })
  await world.fill(100 - missing)
  return world
}

describe('a pool of which leases lie on pages', () => {
  test('gives 50 that ask at once for its last 20 places exactly 20, from functions warm and cold', async () => {
    const world = await aVastPool(20)
    const cold = world.warm()
    const answers = await times(50, (index) => world.out({}, index % 2 === 0 ? world.services : cold))
    expect(tally(answers.map(codeOf))).toEqual({ granted: 20, POOL_EXHAUSTED: 30 })
    expect(await world.pool()).toMatchObject({ used: 120, inItem: 100, paged: 20 })
  })

  test('gives those that come while its item becomes full each one place, in the one or on the other', async () => {
    const world = await aVastPool(40, 10)
    const answers = await times(60, () => world.out())
    expect(tally(answers.map(codeOf))).toEqual({ granted: 50, POOL_EXHAUSTED: 10 })
    expect(await world.pool()).toMatchObject({ used: 140, inItem: 100, paged: 40 })
  })

  test('knows a name, wherever its lease lies', async () => {
    const world = await aVastPool(5, 1)
    const early = world.warm()
    const named = (leaseToken: string, by = world.services) => world.out({ leaseToken }, by)
    const inItem = granted(await named('first', early))
    const answers = await times(20, () => named('second'))
    const onPage = granted(answers[0] ?? (await named('second')))
    expect(new Set(answers.map((answer) => granted(answer).leaseId))).toEqual(new Set([onPage.leaseId]))
    expect(granted(await named('first')).ref).toBe(inItem.ref)
    expect(await world.pool()).toMatchObject({ used: 101, inItem: 100, paged: 1 })

    // Its item has room again; as long as a page has any, what is new comes to lie there, too.
    await world.in(inItem)
    expect(granted(await named('second', early)).ref).toBe(onPage.ref)
    granted(await named('third'))
    expect(await world.pool()).toMatchObject({ used: 101, inItem: 99, paged: 2 })
  })

  test('is shown with as many leases as an answer has room for, the next to end first, and how many there are besides', async () => {
    const world = await aVastPool(5)
    granted(await world.out())
    const show = async (most: number) => {
      const [pool] = await poolViews(world.asked.tenantId, world.clock.now, world.services, most)
      return { used: pool?.used, shown: pool?.leases.length, not: pool?.leasesNotShown }
    }
    expect(await show(40)).toEqual({ used: 101, shown: 40, not: 61 })
    expect(await show(101)).toEqual({ used: 101, shown: 101, not: undefined })
  })

  test('is one item again once its pages are empty', async () => {
    const world = await aVastPool(5)
    const [a, b] = [granted(await world.out()), granted(await world.out())]
    expect(await times(2, (index) => world.in(index === 0 ? a : b))).toEqual([
      { released: true },
      { released: true },
    ])
    expect(await world.in(a)).toEqual({ released: false })
    expect(await world.pool()).toMatchObject({ used: 100, inItem: 100, paged: 0 })
  })

  test('renews by the id that was given last, and takes back what nobody renewed', async () => {
    const world = await aVastPool(30)
    const leases = (await times(30, () => world.out())).map(granted)
    world.pass(450)
    const [kept = granted(await world.out())] = leases
    const renewed = granted(await world.beat(kept))
    expect(granted(await world.beat(kept)).leaseId).toBe(renewed.leaseId)
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
    world.pass(181)
    const answers = await times(40, () => world.out())
    expect(tally(answers.map(codeOf))).toEqual({ granted: 29, POOL_EXHAUSTED: 11 })
    expect(codeOf(await world.beat(leases[1] ?? kept))).toBe('LEASE_LAPSED')
    granted(await world.beat(renewed))
    expect(await world.pool()).toMatchObject({ used: 130, paged: 30 })
  })

  test('keeps a place for who waits in its item, and has the lease on a page', async () => {
    const world = await aVastPool(1)
    const lease = granted(await world.out())
    const ticket = queued(await world.join())
    expect(await world.in(lease)).toEqual({ released: true })
    expect(await world.pool()).toMatchObject({ used: 101, inItem: 101, paged: 0, waiting: 0 })
    const claims = await times(5, () => world.claim(ticket))
    expect(tally(claims.map(codeOf))).toEqual({ granted: 5 })
    expect(new Set(claims.map((one) => granted(one).leaseId)).size).toBe(1)
    expect(await world.pool()).toMatchObject({ used: 101, inItem: 100, paged: 1 })
    expect(await world.in(granted(await world.beat(granted(claims[0] ?? ticketless()))))).toEqual({
      released: true,
    })
  })

  test('lends to as many as its share allows, and takes back what was borrowed', async () => {
    const world = await aWorld(table, {
      limits: { concurrent: 110 },
      rules: { borrow: { maximum: 'PT24H', share: 3 } },
    })
    await world.fill(100)
    const answers = await times(8, (index) => world.borrow({ leaseToken: `trip ${index}` }))
    expect(tally(answers.map(codeOf))).toEqual({ granted: 3, BORROW_NOT_ALLOWED: 5 })
    const [one] = answers.filter((answer) => !isRefusal(answer))
    expect(await world.in(granted(one ?? ticketless()))).toEqual({ released: true })
    expect(await world.pool()).toMatchObject({ used: 102, borrowed: 2, paged: 2 })
  })

  test('is fenced: a lease on a page is not renewed on licenses that have changed', async () => {
    const world = await aVastPool(5)
    const leases = (await times(5, () => world.out())).map(granted)
    const [first = ticketless(), ...others] = leases
    await world.suspend()
    expect(codeOf(await world.beat(first))).toBe('LICENSE_NOT_IN_FORCE')
    await world.reinstate()
    const renewed = granted(await world.beat(first))
    await world.cut(103)
    const beats = await times(5, (index) => world.beat([renewed, ...others][index] ?? renewed))
    expect(tally(beats.map(codeOf))).toEqual({ granted: 3, LEASE_LAPSED: 2 })
    expect((await world.pool()).used).toBe(103)
  })
})

test('leases that lapsed on more pages than one write reaches are no reason to refuse, or to let go', async () => {
  const world = await aVastPool(40)
  const leases = (await times(40, () => world.out())).map(granted)
  world.pass(450)
  const kept = granted(await world.beat(leases[0] ?? ticketless()))
  world.pass(181)
  await world.cut(101)
  const renewed = granted(await world.beat(kept))
  expect(await world.pool()).toMatchObject({ used: 101 })

  await world.cut(140)
  await times(39, () => world.out())
  world.pass(450)
  granted(await world.beat(renewed))
  world.pass(181)
  const many = await world.out({ items: [{ metric: 'concurrent', units: 39 }] })
  expect(granted(many).items).toMatchObject([{ units: 39 }])
  expect((await world.pool()).used).toBe(140)
})

test('nor where they are of many pools, which one transaction could not clear all', async () => {
  const metrics = ['a', 'b', 'c', 'd', 'e', 'f']
  const limits = Object.fromEntries(metrics.map((metric) => [metric, 120]))
  const world = await aWorld(table, { limits })
  await Promise.all(metrics.map((metric) => world.fill(100, metric)))
  const items = metrics.map((metric) => ({ metric, units: 1 }))
  await times(20, () => world.out({ items }))
  world.pass(631)
  granted(await world.out({ items }))
  const pools = await Promise.all(metrics.map((metric) => world.pool(metric)))
  expect(pools.map(({ used }) => used)).toEqual(Array(6).fill(101))
})

function ticketless(): never {
  throw new Error('there is none')
}
