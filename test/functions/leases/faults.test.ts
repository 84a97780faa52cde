import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Lease } from '../../../functions/leases/shapes.ts'
import { isRefusal, type Refusal } from '../../../shared/domain/refusal.ts'
import { localTable } from '../../store/local-table.ts'
import { type Fault, faultyClient, insist, PATIENCE, WAYS } from '../../support/faults.ts'
import { times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, type World } from './rig.ts'

const table = await localTable()

const used = async (world: World) => (await world.pool()).used
describe.each(PATIENCE)('%s after a write was', (_, attempts) => {
  test.each(WAYS)('%s: nothing is lost, nothing leaks', async (_name, planned) => {
    const world = await aWorld(table, { limits: { concurrent: 2, render: 2 } })
    const { client, meet: meetAll } = faultyClient(attempts)
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
})

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
  expect(leases).toHaveLength(5)
  expect((await world.pool()).used).toBe(5)
  // Each of them is really held.
  const beats = await Promise.all(leases.map((lease) => world.beat(lease)))
  expect(beats.map(codeOf)).toEqual(Array(5).fill('granted'))
})
