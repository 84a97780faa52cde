import { randomUUID } from 'node:crypto'
import { afterEach, expect, test, vi } from 'vitest'
import type { Lease } from '../../../functions/leases/shapes.ts'
import { isRefusal, type Refusal } from '../../../shared/domain/refusal.ts'
import { raiseFence } from '../../../shared/store/fence.ts'
import { transact } from '../../../shared/store/transact.ts'
import { localTable } from '../../store/local-table.ts'
import { type Fault, faultyClient, insist, WAYS } from '../../support/faults.ts'
import { times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, queued, type World } from './rig.ts'

const table = await localTable()
afterEach(() => vi.restoreAllMocks())

const used = async (world: World) => (await world.pool()).used
/** What the SDK tries again; where the caller does, each operation has its turn in test/faults. */
const ways = WAYS.filter(([, faults]) => !faults.includes('throttled'))

test.each(ways)('after each write was %s: nothing is lost, nothing leaks', async (_, planned) => {
  const world = await aWorld(table, { limits: { concurrent: 2, render: 2 } })
  const { client, meet: meetAll } = faultyClient(3)
  const service = world.warm(client)
  const meet = <T>(ask: () => Promise<T>) => meetAll(planned, ask)
  const both = [
    { metric: 'concurrent', units: 1 },
    { metric: 'render', units: 1 },
  ]
  const one = both.slice(0, 1)

  const token = randomUUID()
  const lease = granted(await meet(() => world.out({ leaseToken: token, items: one }, service)))
  expect(await used(world)).toBe(1)
  world.pass(60)
  const renewed = granted(await meet(() => world.beat(lease, service)))
  world.pass(60)
  // The id that the caller was told in the end is the one that works.
  const third = granted(await meet(() => world.beat(renewed, service)))
  expect(await used(world)).toBe(1)

  const pairToken = randomUUID()
  const pair = granted(await meet(() => world.out({ leaseToken: pairToken, items: both }, service)))
  expect([await used(world), (await world.pool('render')).used]).toEqual([2, 1])
  await meet(() => world.in(pair, service))
  const key = { idempotencyKey: randomUUID() }
  const kept = granted(await meet(() => world.out({ items: one }, service, key)))
  expect(await used(world)).toBe(2)
  await meet(() => world.in(kept, service))
  await meet(() => world.in(third, service))
  expect([await used(world), (await world.pool('render')).used]).toEqual([0, 0])
})

test.each(ways)(
  'what waits, and what is away, after each write was %s: as if it had been once',
  async (_, planned) => {
    const rules = { borrow: { maximum: 'P1D' } }
    const world = await aWorld(table, { limits: { concurrent: 1 }, rules })
    const { client, meet: meetAll } = faultyClient(3)
    const service = world.warm(client)
    const meet = <T>(ask: () => Promise<T>) => meetAll(planned, ask)
    const once = () => ({ idempotencyKey: randomUUID() })
    const state = async () => {
      const pool = await world.pool()
      return [pool.used, pool.borrowed, pool.waiting]
    }

    const lease = granted(await world.out())
    const [first, second, third] = [once(), once(), once()]
    const ticket = queued(await meet(() => world.join({}, service, first)))
    const later = queued(await meet(() => world.join({}, service, second)))
    expect(await state()).toEqual([1, 0, 2])
    world.pass(200)
    expect((await meet(() => world.ping(ticket, service))).state).toBe('waiting')
    await meet(() => world.in(lease, service))
    expect(await state()).toEqual([1, 0, 1])
    const claimed = granted(await meet(() => world.claim(ticket, service)))
    expect(await state()).toEqual([1, 0, 1])
    await meet(() => world.cancel(later, service))
    expect(await state()).toEqual([1, 0, 0])
    // The place goes to who waits, and on to the next, with the write that gives it up.
    const [a, b] = [queued(await world.join()), queued(await meet(() => world.join({}, service, third)))]
    await meet(() => world.in(claimed, service))
    await meet(() => world.cancel(a, service))
    expect([await state(), (await world.ping(b)).state]).toEqual([[1, 0, 0], 'held'])
    await meet(() => world.cancel(b, service))
    expect(await state()).toEqual([0, 0, 0])

    const leaseToken = randomUUID()
    const borrowed = granted(await meet(() => world.borrow({ leaseToken }, service)))
    expect(await state()).toEqual([1, 1, 0])
    await meet(() => world.in(borrowed, service))
    expect(await state()).toEqual([0, 0, 0])
    expect(codeOf(await world.beat(borrowed))).toBe('BORROW_RETURNED')
  },
)

test('20 at once on 5 places, every third write failing in some way, leave exactly 5', async () => {
  const world = await aWorld(table, { limits: { concurrent: 5 } })
  const { client, faults } = faultyClient(3)
  const service = world.warm(client)
  const order: Fault[] = ['lost', 'throttled', 'twice']
  const answers: (Lease | Refusal)[] = await times(20, async (index) => {
    const fault = index % 3 === 0 ? order[(index / 3) % 3] : undefined
    if (fault !== undefined) faults.push(fault)
    return insist(() => world.out({ leaseToken: `process-${index}` }, service))
  })
  const leases = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
  expect(faults).toEqual([])
  expect(leases).toHaveLength(5)
  expect((await world.pool()).used).toBe(5)
  // Each of them is really held.
  const beats = await Promise.all(leases.map((lease) => world.beat(lease)))
  expect(beats.map(codeOf)).toEqual(Array(5).fill('granted'))
})

test('a check-out whose answer was lost, while others went on, is that one and no other', async () => {
  const world = await aWorld(table, { limits: { concurrent: 5 } })
  const { client, faults } = faultyClient(3)
  faults.push('lost', { before: () => world.out() })
  granted(await world.out({}, world.warm(client)))
  expect(await used(world)).toBe(2)
})

test('who is overtaken by a change of the licenses each time is told to come again', async () => {
  const world = await aWorld(table, {})
  const { client, faults } = faultyClient(1)
  const fence = raiseFence({ ...world.asked, metric: 'concurrent' })
  faults.push(...Array.from({ length: 50 }, () => ({ before: () => transact(table, { fence }) })))
  vi.spyOn(Math, 'random').mockReturnValue(0)
  expect(await world.out({}, world.warm(client))).toMatchObject({ refused: 'CONTENDED', retryAfter: 1 })
  expect(await used(world)).toBe(0)
})
