import { describe, expect, test } from 'vitest'
import { heldBy } from '../../../shared/domain/shares.ts'
import { localTable } from '../../store/local-table.ts'
import type { LicenseOverrides } from '../../support/licenses.ts'
import { tally, times } from '../../support/parallel.ts'
import { aWorld, codeOf, granted, queued } from './rig.ts'

const table = await localTable()

const of = (department: string) => ({ department })
const units = (count: number) => ({ units: count })
const guaranteed = (department: string, share: number) => ({
  department,
  share: units(share),
  guaranteed: true,
})

/** A tenant that has shared its pool out. */
async function aTenant(license: LicenseOverrides, ...shares: readonly object[]) {
  const world = await aWorld(table, license)
  await world.shareOut(...shares)
  return {
    world,
    shareOut: world.shareOut,
    out: async (department: string, wanted = 1) =>
      world.out({ department, items: [{ metric: 'concurrent', units: wanted }] }),
    /** Units by the code of the department. That they are counted so, `pool` looks at. */
    held: async () => Object.fromEntries(heldBy((await world.pool()).entries.values())),
  }
}

describe('many check-outs at the same time', () => {
  test('leave a department what is guaranteed to it, another no more than its maximum, and 10 in all', async () => {
    const tenant = await aTenant({ limits: { concurrent: 10 } }, guaranteed('art', 3), {
      department: 'bio',
      maximum: { percent: 20 },
    })
    const cold = tenant.world.warm()
    const ask = (index: number) => (index % 3 < 2 ? 'bio' : `guest-${index}`)
    const answers = await times(30, (index) =>
      tenant.world.out(of(ask(index)), index % 2 === 0 ? tenant.world.services : cold),
    )
    expect(answers.filter((answer) => codeOf(answer) === 'granted')).toHaveLength(7)
    const held = await tenant.held()
    expect([held[1] ?? 0, (held[2] ?? 0) <= 2]).toEqual([0, true])
    expect(tally((await times(10, () => tenant.out('art'))).map(codeOf))).toEqual({
      granted: 3,
      POOL_EXHAUSTED: 7,
    })
    expect((await tenant.world.pool()).used).toBe(10)
    expect(await tenant.out('bio')).toMatchObject({ pool: { used: 10 } })
  })

  test('of all departments beside check-ins never go beyond, whoever gives back', async () => {
    const tenant = await aTenant({ limits: { concurrent: 6 } }, guaranteed('art', 2), guaranteed('bio', 2))
    for (let round = 0; round < 2; round += 1) {
      const answers = await times(15, (index) => tenant.out(['art', 'bio', 'cad'][index % 3] ?? ''))
      const leases = answers.flatMap((answer) => ('leaseId' in answer ? [answer] : []))
      // The guarantees are kept free, so those who come first do not have all.
      expect(await tenant.held()).toMatchObject({
        1: expect.toSatisfy((held) => held >= 2),
        2: expect.toSatisfy((held) => held >= 2),
      })
      expect((await tenant.world.pool()).used).toBe(6)
      await Promise.all([
        ...leases.map((lease) => tenant.world.in(lease)),
        ...leases.map(() => tenant.out('cad')),
      ])
      expect((await tenant.world.pool()).used).toBeLessThanOrEqual(2)
      await tenant.held()
      tenant.world.pass(700)
    }
  })
})

describe('a share', () => {
  test('says why there is none: kept for others, or used up; and is that of the moment', async () => {
    const tenant = await aTenant(
      { limits: { concurrent: 4 } },
      { department: 'art', share: { percent: 50 }, guaranteed: true, maximum: { percent: 50 } },
    )
    for (const department of ['bio', 'cad', 'art', 'art']) granted(await tenant.out(department))
    expect(await tenant.out('art')).toMatchObject({ pool: { because: 'quota', used: 4 } })
    // A license comes to it, and half of it is theirs at once.
    await tenant.world.issue({ limits: { concurrent: 4 } })
    for (const department of ['art', 'cad', 'cad']) granted(await tenant.out(department))
    expect(await tenant.out('cad')).toMatchObject({ pool: { because: 'reserved-elsewhere', used: 7 } })
    granted(await tenant.out('art'))
    expect(await tenant.out('cad')).toMatchObject({ pool: { because: 'capacity', used: 8 } })
    expect(await tenant.held()).toEqual({ 1: 4 })
  })

  test('given anew counts for what is granted then, by functions that remember the old one too', async () => {
    const tenant = await aTenant({ limits: { concurrent: 3 } })
    granted(await tenant.out('bio'))
    await tenant.shareOut(guaranteed('art', 2))
    expect(codeOf(await tenant.out('bio'))).toBe('POOL_EXHAUSTED')
    const lease = granted(await tenant.out('art'))
    await tenant.shareOut({ department: 'art', maximum: units(1) })
    expect(await tenant.out('art')).toMatchObject({ pool: { because: 'quota' } })
    await tenant.shareOut()
    granted(await tenant.out('art'))
    // Renewed, given back and reclaimed, a lease takes what it counts with it.
    tenant.world.pass(60)
    const renewed = granted(await tenant.world.beat(lease))
    expect(await tenant.held()).toEqual({ 1: 1 })
    await tenant.world.in(renewed)
    expect(await tenant.held()).toEqual({})
    await tenant.shareOut(guaranteed('art', 1))
    granted(await tenant.out('art'))
    tenant.world.pass(700)
    granted(await tenant.out('bio', 2))
    expect(await tenant.held()).toEqual({})
  })

  test('at its maximum: whoever gives a place of it back gives it to the one of it who waits', async () => {
    const tenant = await aTenant(
      { limits: { concurrent: 3 } },
      { ...guaranteed('bio', 1), maximum: units(1) },
      { department: 'cad', maximum: units(1) },
    )
    for (const department of ['bio', 'cad']) {
      const lease = granted(await tenant.out(department))
      const ticket = queued(await tenant.world.join(of(department)))
      expect(await tenant.world.in(lease)).toEqual({ released: true })
      expect((await tenant.world.ping(ticket)).state).toBe('held')
    }
    expect(await tenant.held()).toEqual({ 1: 1, 2: 1 })
  })

  test('is kept by the queue: who is below it comes first, who is at the maximum is in nobody’s way', async () => {
    const tenant = await aTenant(
      { limits: { concurrent: 2 } },
      { department: 'art', share: units(1) },
      { department: 'bio', maximum: units(1) },
    )
    const leases = [granted(await tenant.out('bio')), granted(await tenant.out('cad'))]
    const tickets = []
    for (const department of ['bio', 'cad', 'art'])
      tickets.push(queued(await tenant.world.join(of(department))))
    const [bio, cad, art] = tickets
    if (leases[1] === undefined || !bio || !cad || !art) throw new Error('no lease')
    await tenant.world.in(leases[1])
    expect((await tenant.world.ping(art)).state).toBe('held')
    expect(await tenant.held()).toEqual({ 1: 1, 2: 1 })
    granted(await tenant.world.claim(art))
    await tenant.world.cancel(cad)
    await tenant.world.issue({ limits: { concurrent: 1 } })
    // Only biology waits, and may have no more: the place goes to who comes.
    expect(codeOf(await tenant.out('cad'))).toBe('granted')
    expect((await tenant.world.ping(bio)).state).toBe('waiting')
    expect(
      await tenant.world.join({ department: 'bio', wanted: { metric: 'concurrent', units: 2 } }),
    ).toMatchObject({
      refused: 'POOL_EXHAUSTED',
      pool: { because: 'quota' },
    })
  })
})
