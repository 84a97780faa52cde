import { describe, expect, test } from 'vitest'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { localTable } from '../../store/local-table.ts'
import { tally, times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted } from './rig.ts'

const table = await localTable()
const ONE = [{ metric: 'concurrent', units: 1 }]

describe('50 check-outs at the same time', () => {
  test('of a capacity of 5, from functions that are warm and cold, leave exactly 5', async () => {
    const world = await aWorld(table, { limits: { concurrent: 5 } })
    const cold = world.warm()
    const answers = await times(50, (index) => world.out({}, index % 2 === 0 ? world.services : cold))
    expect(tally(answers.map(codeOf))).toEqual({ granted: 5, POOL_EXHAUSTED: 45 })
    expect(await world.pool()).toMatchObject({ used: 5 })
  })

  test('in place of 5 that lapsed leave exactly 5', async () => {
    const world = await aWorld(table, { limits: { concurrent: 5 } })
    await times(5, () => world.out())
    world.pass(631)
    const answers = await times(50, () => world.out())
    expect(tally(answers.map(codeOf))).toEqual({ granted: 5, POOL_EXHAUSTED: 45 })
    expect((await world.pool()).used).toBe(5)
  })

  test('of several metrics at once take all or nothing', async () => {
    const world = await aWorld(table, { limits: { cad: 5, render: 50 } })
    const items = [
      { metric: 'cad', units: 1 },
      { metric: 'render', units: 2 },
    ]
    const answers = await times(50, () => world.out({ items }))
    expect(tally(answers.map(codeOf))).toEqual({ granted: 5, POOL_EXHAUSTED: 45 })
    expect([(await world.pool('cad')).used, (await world.pool('render')).used]).toEqual([5, 10])
  })

  test('of 2 units each leave no more than fit', async () => {
    const world = await aWorld(table, { limits: { concurrent: 5 } })
    const answers = await times(50, () => world.out({ items: [{ metric: 'concurrent', units: 2 }] }))
    expect(tally(answers.map(codeOf))).toEqual({ granted: 2, POOL_EXHAUSTED: 48 })
    expect(codeOf(await world.out({ items: ONE }))).toBe('granted')
  })

  test('with an overdraft leave exactly what is declared', async () => {
    const overdraft = { kind: 'absolute', units: 2 } as const
    const world = await aWorld(table, { limits: { concurrent: 5 }, rules: { overdraft } })
    const answers = await times(50, () => world.out())
    expect(tally(answers.map(codeOf))).toEqual({ granted: 7, POOL_EXHAUSTED: 43 })
    const flagged = answers.filter((answer) => !isRefusal(answer) && answer.items[0]?.overdraft)
    expect(flagged).toHaveLength(2)
  })

  test('under one token are one lease', async () => {
    const world = await aWorld(table, { limits: { concurrent: 5 } })
    const answers = await times(50, () => world.out({ leaseToken: 'the-same-process' }))
    expect(new Set(answers.map((answer) => granted(answer).leaseId)).size).toBe(1)
    expect((await world.pool()).used).toBe(1)
  })
})

describe('a change of the licenses', () => {
  test('that suspends: nothing is granted once it is done', async () => {
    const world = await aWorld(table, { limits: { concurrent: 40 } })
    await world.out()
    const early = times(20, () => world.out())
    await world.suspend()
    const late = await times(20, () => world.out())
    const held = (await world.pool()).used
    expect(tally(late.map(codeOf))).toEqual({ LICENSE_NOT_IN_FORCE: 20 })
    await early
    // Whoever was still on the way found it suspended, too.
    expect((await world.pool()).used).toBe(held)
  })

  test('that cuts the capacity: no grant is decided on what was before', async () => {
    const world = await aWorld(table, { limits: { concurrent: 40 } })
    await world.out()
    const early = times(30, () => world.out())
    await world.cut(5)
    const { used } = await world.pool()
    await Promise.all([early, times(20, () => world.out())])
    expect((await world.pool()).used).toBe(Math.max(5, used))
  })

  test('that cuts it below what is held: of all that renew at once, as many go as are too many', async () => {
    const world = await aWorld(table, { limits: { concurrent: 10 } })
    const leases = (await times(10, () => world.out())).map(granted)
    await world.cut(4)
    const beats = await Promise.all(leases.map((lease) => world.beat(lease)))
    expect(tally(beats.map(codeOf))).toEqual({ granted: 4, LEASE_LAPSED: 6 })
    expect((await world.pool()).used).toBe(4)
  })

  test('that adds capacity is seen by functions that remember less', async () => {
    const world = await aWorld(table, { limits: { concurrent: 1 } })
    granted(await world.out())
    expect(codeOf(await world.out())).toBe('POOL_EXHAUSTED')
    await world.issue({ limits: { concurrent: 1 } })
    expect(codeOf(await world.out())).toBe('granted')
  })
})

describe('one lease', () => {
  test('renewed 20 times at once has one new id, which all are told', async () => {
    const world = await aWorld(table, {})
    const lease = granted(await world.out())
    world.pass(60)
    const renewed = await times(20, () => world.beat(lease))
    expect(new Set(renewed.map((one) => granted(one).leaseId)).size).toBe(1)
    expect(codeOf(await world.beat(granted(renewed[0] ?? lease)))).toBe('granted')
  })

  test('given back by two ids of it while the unit is taken again frees one unit once', async () => {
    const world = await aWorld(table, { limits: { concurrent: 1 } })
    for (let round = 0; round < 5; round += 1) {
      const lease = granted(await world.out())
      const results = await Promise.all([world.in(lease), world.out(), world.in(lease), world.out()])
      expect(tally(results.map((one) => JSON.stringify(one)))['{"released":true}']).toBe(1)
      const taken = results.filter((one) => 'leaseId' in Object(one)).length
      expect((await world.pool()).used).toBe(taken)
      world.pass(3600)
    }
  })

  test('is renewed or given back, never both', async () => {
    const world = await aWorld(table, { limits: { concurrent: 20 } })
    const leases = await times(10, async () => granted(await world.out()))
    world.pass(60)
    const [beats, ins] = await Promise.all([
      Promise.all(leases.map((lease) => world.beat(lease))),
      Promise.all(leases.map((lease) => world.in(lease))),
    ])
    for (const [index, beat] of beats.entries()) {
      // A check-in with the id of just before is good: its heartbeat may have been lost.
      expect(ins[index]).toEqual({ released: true })
      expect(['granted', 'LEASE_LAPSED']).toContain(codeOf(beat))
    }
    expect((await world.pool()).used).toBe(0)
  })
})
