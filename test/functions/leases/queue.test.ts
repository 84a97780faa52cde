import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../shared/domain/access.ts'
import { Duration } from '../../../shared/platform/time.ts'
import { localTable } from '../../store/local-table.ts'
import { faultyClient } from '../../support/faults.ts'
import { at } from '../../support/licenses.ts'
import { tally, times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, queued, type World } from './rig.ts'

const table = await localTable()
const units = (count: number) => ({ wanted: { metric: 'concurrent', units: count } })

/** A world whose places are all taken, by leases of one unit. */
async function full(concurrent: number) {
  const world = await aWorld(table, { limits: { concurrent } })
  const leases = []
  for (let count = 0; count < concurrent; count += 1) leases.push(granted(await world.out()))
  const [first] = leases
  if (first === undefined) throw new Error('no place')
  return { world, leases, first }
}

const states = async (world: World, tickets: readonly Parameters<World['ping']>[0][]) => {
  const all = []
  for (const ticket of tickets) all.push((await world.ping(ticket)).state)
  return all
}

describe('the queue', () => {
  test('gives a freed place to who has waited longest, and to no newcomer', async () => {
    const { world, first } = await full(1)
    const [a, b] = [queued(await world.join()), queued(await world.join())]
    expect([a, b]).toMatchObject([
      { state: 'waiting', position: 1, pingBefore: at('2026-06-01T12:05:00Z') },
      { state: 'waiting', position: 2 },
    ])
    expect(a.estimate).toEqual({ at: at('2026-06-01T12:10:00Z'), basis: 'ends-of-leases' })
    expect(await world.in(first)).toEqual({ released: true })
    expect(await world.out()).toMatchObject({ refused: 'POOL_EXHAUSTED', pool: { used: 1, waiting: 1 } })
    expect(codeOf(await world.claim(b))).toBe('TRANSITION_NOT_ALLOWED')
    expect(await world.ping(a)).toMatchObject({ state: 'held', claimBefore: at('2026-06-01T12:03:00Z') })
    const lease = granted(await world.claim(a))
    // A claim whose answer was lost.
    expect(granted(await world.claim(a)).leaseId).toBe(lease.leaseId)
    world.pass(60)
    const renewed = granted(await world.beat(lease))
    expect(codeOf(await world.claim(a))).toBe('TICKET_ENDED')
    await world.in(renewed)
    expect(await states(world, [a, b])).toEqual(['ended', 'held'])
  })

  test('keeps nobody from a place for the sake of those who want more than the pool has become', async () => {
    const { world, leases } = await full(3)
    for (let count = 0; count < 26; count += 1) queued(await world.join(units(3)))
    for (const lease of leases) await world.in(lease)
    const large = [...(await world.pool()).entries.keys()]
    await world.cut(2)
    world.pass(240)
    expect(large).toHaveLength(1)
    const lease = granted(await world.out())
    const ticket = queued(await world.join())
    expect(ticket.state).toBe('held')
    await world.in(lease)
    expect(await world.pool()).toMatchObject({ used: 1, waiting: 25 })
  })

  test('lets go of places that are held for who claims them where the pool has become too small', async () => {
    const { world, leases } = await full(2)
    const large = queued(await world.join(units(2)))
    for (const lease of leases) await world.in(lease)
    const small = queued(await world.join())
    expect([await world.ping(large), small]).toMatchObject([{ state: 'held' }, { state: 'waiting' }])
    await world.cut(1)
    expect(codeOf(await world.claim(large))).toBe('TICKET_ENDED')
    expect(await world.ping(small)).toMatchObject({ state: 'held' })
    expect(await world.pool()).toMatchObject({ used: 1, waiting: 0 })
  })

  test('keeps a place for who claims it where one is given back before it is let go', async () => {
    const { world, leases } = await full(4)
    const ticket = queued(await world.join())
    for (const _ of [1, 2]) {
      world.pass(225)
      await world.ping(ticket)
    }
    const [first, second, third] = leases
    if (first === undefined || second === undefined || third === undefined) throw new Error('no leases')
    const kept = granted(await world.beat(second))
    await world.beat(third)
    await world.in(first)
    // The fourth lapses: of the four that are held three count, and two are left.
    world.pass(181)
    await world.cut(2)
    const { client, meet } = faultyClient(1)
    const giveBack = { before: async () => expect(await world.in(kept)).toEqual({ released: true }) }
    expect(codeOf(await meet([giveBack], () => world.claim(ticket, world.warm(client))))).toBe('granted')
    expect(await world.pool()).toMatchObject({ used: 2 })
  })

  test('passes a place on that nobody claims, and over those who stopped asking', async () => {
    const { world, first } = await full(1)
    const [a, b, c] = [queued(await world.join()), queued(await world.join()), queued(await world.join())]
    world.pass(200)
    await world.ping(a)
    await world.ping(c)
    world.pass(150)
    await world.in(first)
    await world.ping(c)
    // 210 seconds: 180 of the hold, 30 for clocks that differ.
    world.pass(209)
    expect(await states(world, [c, a])).toEqual(['waiting', 'held'])
    world.pass(1)
    expect(await states(world, [c, b, a])).toEqual(['held', 'ended', 'ended'])
    expect(codeOf(await world.claim(a))).toBe('TICKET_ENDED')
    expect(codeOf(await world.claim(c))).toBe('granted')
  })

  test('gives out what becomes free without a check-in: a lapse, more capacity', async () => {
    const { world } = await full(2)
    const tickets = [queued(await world.join()), queued(await world.join()), queued(await world.join())]
    await world.issue({ limits: { concurrent: 1 } })
    // Whoever looks finds it, also one that knows of the new license from the start; it goes to the first.
    expect(codeOf(await world.out({}, world.warm()))).toBe('POOL_EXHAUSTED')
    expect(await states(world, tickets)).toEqual(['held', 'waiting', 'waiting'])
    await world.claim(tickets[0] ?? queued(await world.join()))
    for (let minutes = 0; minutes < 11; minutes += 2) {
      world.pass(120)
      for (const ticket of tickets.slice(1)) await world.ping(ticket)
    }
    expect(await states(world, tickets)).toEqual(['ended', 'held', 'held'])
  })

  test('is left at will, also by who has a place already', async () => {
    const { world, first } = await full(1)
    const [a, b, c] = [queued(await world.join()), queued(await world.join()), queued(await world.join())]
    expect(await world.cancel(b)).toEqual({ canceled: true })
    expect(await world.cancel(b)).toEqual({ canceled: false })
    await world.in(first)
    expect(await world.cancel(a)).toEqual({ canceled: true })
    expect(await states(world, [a, b, c])).toEqual(['ended', 'ended', 'held'])
    await world.cancel(c)
    expect((await world.pool()).used).toBe(0)
    expect(codeOf(await world.out())).toBe('granted')
  })

  test('lets priorities age: five minutes of waiting are one step', async () => {
    const { world, first } = await full(1)
    const old = queued(await world.join())
    world.pass(299)
    await world.ping(old)
    const higher = queued(await world.join({ priority: 1 }))
    expect(higher.position).toBe(1)
    world.pass(2)
    expect(queued(await world.join({ priority: 1 })).position).toBe(3)
    await world.in(first)
    expect(await states(world, [higher, old])).toEqual(['held', 'waiting'])
  })

  test('is refused where it is longer than wanted, by the caller or by the plan', async () => {
    const { world } = await full(1)
    await world.join()
    expect(codeOf(await world.join({ maxPosition: 1 }))).toBe('QUEUE_TOO_LONG')
    expect(queued(await world.join({ maxPosition: 2 })).position).toBe(2)
    const ruled = await aWorld(table, { limits: { concurrent: 1 }, rules: { queue: { maxPosition: 1 } } })
    await ruled.out()
    const answers = await times(10, () => ruled.join())
    expect(tally(answers.map(codeOf))).toEqual({ granted: 1, QUEUE_TOO_LONG: 9 })
    // Nobody pings it: it does not count against those who come later.
    ruled.pass(300)
    expect(codeOf(await ruled.join())).toBe('granted')
    expect(await ruled.join(units(2))).toMatchObject({ refused: 'POOL_EXHAUSTED' })
  })

  test('is not too long for the sake of those who stopped asking, behind however many', async () => {
    const { world } = await full(1)
    for (let count = 0; count < 26; count += 1) await world.join()
    await world.join({ maxWait: Duration.parse('PT1M') })
    expect(codeOf(await world.join({ maxPosition: 27 }))).toBe('QUEUE_TOO_LONG')
    world.pass(60)
    expect(await world.join({ maxPosition: 27 })).toMatchObject({ state: 'waiting', position: 27 })
  })

  test('keeps what is too little for who waits from a newcomer, who asks without looking', async () => {
    const world = await aWorld(table, { limits: { concurrent: 2 } })
    granted(await world.out())
    expect(queued(await world.join(units(2))).state).toBe('waiting')
    expect(await world.out()).toMatchObject({ refused: 'POOL_EXHAUSTED', pool: { used: 1, waiting: 1 } })
  })

  test('is not left behind by who comes again under a name whose lease has lapsed', async () => {
    const world = await aWorld(table, { limits: { concurrent: 1 } })
    const leaseToken = 'the-same-process'
    granted(await world.out({ leaseToken }))
    const ticket = queued(await world.join())
    world.pass(299)
    await world.ping(ticket)
    world.pass(299)
    await world.ping(ticket)
    world.pass(33)
    expect(codeOf(await world.out({ leaseToken }))).toBe('POOL_EXHAUSTED')
    expect((await world.ping(ticket)).state).toBe('held')
  })

  test('gives up after maxWait', async () => {
    const { world } = await full(1)
    const ticket = queued(await world.join({ maxWait: Duration.parse('PT2M') }))
    world.pass(120)
    expect((await world.ping(ticket)).state).toBe('ended')
  })

  test('neither starves a large request nor lets it block the small ones', async () => {
    const { world, leases } = await full(8)
    const large = queued(await world.join(units(3)))
    const small = []
    for (let count = 0; count < 7; count += 1) small.push(queued(await world.join()))
    const got: number[] = []
    for (const lease of leases) {
      await world.in(lease)
      const now = await states(world, [large, ...small])
      got.push(now.filter((state) => state === 'held').length * (now[0] === 'held' ? -1 : 1))
    }
    // Five small ones overtake it; the next three places are set aside for it.
    expect(got).toEqual([1, 2, 3, 4, 5, 5, 5, -6])
  })
})

describe('at the same time', () => {
  test('20 join, 5 places come free, 20 newcomers try: the first 5 of the queue have them', async () => {
    const { world, leases } = await full(5)
    const tickets = []
    for (let count = 0; count < 10; count += 1) tickets.push(queued(await world.join()))
    const [newcomers] = await Promise.all([
      times(20, () => world.out()),
      Promise.all(leases.map((lease) => world.in(lease))),
    ])
    expect(tally(newcomers.map(codeOf))).toEqual({ POOL_EXHAUSTED: 20 })
    expect(await states(world, tickets)).toEqual([...Array(5).fill('held'), ...Array(5).fill('waiting')])
    const claims = await Promise.all(tickets.flatMap((ticket) => [world.claim(ticket), world.claim(ticket)]))
    expect(tally(claims.map(codeOf))).toEqual({ granted: 10, TRANSITION_NOT_ALLOWED: 10 })
    expect(await world.pool()).toMatchObject({ used: 5, waiting: 5 })
  })

  test('3 come back, one by one too few for the ticket of 3: it has them, without anybody looking', async () => {
    const { world, leases } = await full(3)
    queued(await world.join(units(3)))
    await Promise.all(leases.map((lease) => world.in(lease)))
    const { waiting, entries } = await world.pool()
    expect({ waiting, kinds: [...entries.values()].map(({ kind }) => kind) }).toEqual({
      waiting: 0,
      kinds: ['hold'],
    })
  })
})

test('a ping that a place was given before, or that keeps alive who was just found dead, is answered as it is', async () => {
  const { world, first } = await full(1)
  const [a, b] = [queued(await world.join()), queued(await world.join())]
  const { client, faults } = faultyClient(1)
  const slow = world.warm(client)
  // The place comes free after its queue was read, and before the ping is written.
  faults.push({ before: () => world.in(first) })
  expect((await world.ping(a, slow)).state).toBe('held')

  granted(await world.claim(a))
  const c = queued(await world.join())
  world.pass(299)
  const { now } = world.clock
  await world.ping(c)
  world.pass(2)
  // One whose clock is ahead finds b over; the ping, just in time, is there before it is taken away.
  faults.push({
    before: async () => {
      const later = world.clock.now
      world.clock.now = now
      expect((await world.ping(b)).state).toBe('waiting')
      world.clock.now = later
    },
  })
  expect(await world.ping(c, slow)).toMatchObject({ state: 'waiting', position: 2 })
  expect((await world.ping(b)).state).toBe('waiting')
})

test('a place that is held becomes no lease of a license key whose own license does not count any more', async () => {
  const world = await aWorld(table, { limits: { concurrent: 1 } }, { limits: { concurrent: 1 } })
  const [licenseId] = world.ids
  if (licenseId === undefined) throw new Error('no license')
  const caller: Caller = { kind: 'license', ...world.asked, licenseId, subject: licenseId }
  const ticket = queued(await world.join({}, world.services, { caller }))
  await world.suspend(licenseId)
  expect(codeOf(await world.claim(ticket, world.services, { caller }))).toBe('LICENSE_NOT_IN_FORCE')
  expect(codeOf(await world.claim(ticket))).toBe('granted')
})

test('a place that is free is held by the join itself: its answer, given again, says until when', async () => {
  const world = await aWorld(table, { limits: { concurrent: 1 } })
  const key = { idempotencyKey: randomUUID() }
  const ticket = queued(await world.join({}, world.services, key))
  expect(ticket).toMatchObject({ state: 'held', claimBefore: at('2026-06-01T12:03:00Z') })
  expect(await world.join({}, world.services, key)).toEqual(ticket)
  expect(await world.pool()).toMatchObject({ used: 1, waiting: 0 })

  // Given back while others join: it is held for one of them, and nobody had to look again.
  const lease = granted(await world.claim(ticket))
  await Promise.all([world.in(lease), times(8, () => world.join())])
  const pool = await world.pool()
  expect([...pool.entries.values()].map(({ kind }) => kind)).toEqual(['hold'])
  expect(pool).toMatchObject({ used: 1, waiting: 7 })
})

test('what one transaction cannot give to the queues of several pools is given by the next who asks', async () => {
  const world = await aWorld(table, { limits: { a: 25, b: 25 } })
  const items = ['a', 'b'].map((metric) => ({ metric, units: 25 }))
  const lease = granted(await world.out({ items }))
  const join = async (metric: string) => queued(await world.join({ wanted: { metric, units: 1 } }))
  await times(25, () => join('a'))
  const [last] = await times(25, () => join('b'))
  if (last === undefined) throw new Error('no ticket')
  expect(await world.in(lease)).toEqual({ released: true })
  expect((await world.ping(last)).state).toBe('held')
  expect([await world.pool('a'), await world.pool('b')]).toMatchObject([
    { used: 25, waiting: 0 },
    { used: 25, waiting: 0 },
  ])
})
