import type fc from 'fast-check'
import { expect } from 'vitest'
import type { Lease } from '../../../functions/leases/lease-view.ts'
import { seconds } from '../../../shared/domain/pool-terms.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { tally, times } from '../../support/parallel.ts'
import { codeOf, granted, type World } from './rig.ts'

/** What should be: a few numbers, and nothing of how they are stored. Times in seconds since the start. */
export type Model = {
  now: number
  suspended: boolean
  capacity: number
  leases: { id: number; units: number; until: number }[]
  /** Leases and tickets that there ever were. */
  made: number
}

export type Real = { readonly world: World; readonly leases: Map<number, Lease> }
export type Command = fc.AsyncCommand<Model, Real>

const LENGTH = 600
const DRIFT = 30
export const held = ({ leases }: Readonly<Model>) => leases.reduce((sum, { units }) => sum + units, 0)
export const limit = ({ suspended, capacity }: Readonly<Model>) => (suspended ? 0 : capacity)

/** Makes a command; after each one the pool is looked at: its counts equal its rows, and it holds what it should. */
function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return {
    check,
    async run(model, real) {
      await run(model, real)
      const pool = await real.world.pool()
      const now = seconds(real.world.clock.now)
      const live = [...pool.entries.values()].filter(({ until }) => until + DRIFT > now)
      expect(live.reduce((sum, { units }) => sum + units, 0)).toBe(held(model))
    },
    toString: () => name,
  }
}

const pick = <T>(all: readonly T[], index: number): T => {
  const one = all[index % all.length]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}

function take(model: Model, real: Real, units: number, lease: Lease): void {
  model.made += 1
  model.leases.push({ id: model.made, units, until: model.now + LENGTH })
  real.leases.set(model.made, lease)
}

export const out = (units: number): Command =>
  command(`out(${units})`, async (model, real) => {
    const answer = await real.world.out({ items: [{ metric: 'concurrent', units }] })
    if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
    else if (held(model) + units > limit(model)) expect(codeOf(answer)).toBe('POOL_EXHAUSTED')
    else take(model, real, units, granted(answer))
  })

/** Several at once: exactly as many as there are places. */
export const outs = (count: number): Command =>
  command(`outs(${count})`, async (model, real) => {
    const places = Math.max(0, Math.min(count, limit(model) - held(model)))
    const answers = await times(count, () => real.world.out())
    const won = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
    expect(won).toHaveLength(places)
    for (const lease of won) take(model, real, 1, lease)
  })

const forget = (model: Model, id: number) => {
  model.leases = model.leases.filter((one) => one.id !== id)
}

/** Of any lease that ever was. */
export const beat = (index: number): Command =>
  command(
    `beat(${index})`,
    async (model, real) => {
      const [id, lease] = pick([...real.leases], index)
      const answer = await real.world.beat(lease)
      const own = model.leases.find((one) => one.id === id)
      if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
      else if (own === undefined) expect(codeOf(answer)).toBe('LEASE_LAPSED')
      else if (held(model) > limit(model)) {
        expect(codeOf(answer)).toBe('LEASE_LAPSED')
        forget(model, id)
      } else {
        real.leases.set(id, granted(answer))
        own.until = model.now + LENGTH
      }
    },
    ({ made }) => made > 0,
  )

export const giveBack = (index: number): Command =>
  command(
    `in(${index})`,
    async (model, real) => {
      const [id, lease] = pick([...real.leases], index)
      const released = model.leases.some((one) => one.id === id)
      expect(await real.world.in(lease)).toEqual({ released })
      forget(model, id)
    },
    ({ made }) => made > 0,
  )

/** Renewals and check-ins of everything at once, each lease both. */
export const storm = (): Command =>
  command('storm', async (model, real) => {
    const all = model.leases.map(({ id }) => real.leases.get(id)).filter((lease) => lease !== undefined)
    const done = await Promise.all(all.flatMap((lease) => [real.world.in(lease), real.world.beat(lease)]))
    const codes = tally(done.map((one) => ('released' in Object(one) ? 'in' : codeOf(one))))
    expect(codes['in'] ?? 0).toBe(all.length)
    model.leases = []
  })

export const pass = (time: number): Command =>
  command(`pass(${time})`, async (model, real) => {
    real.world.pass(time)
    model.now += time
    model.leases = model.leases.filter(({ until }) => until + DRIFT > model.now)
  })

export const suspend = (): Command =>
  command('suspend', async (model, { world }) => {
    for (const id of world.ids) await world.suspend(id)
    model.suspended = true
  })

export const reinstate = (): Command =>
  command('reinstate', async (model, { world }) => {
    for (const id of world.ids) await world.reinstate(id)
    model.suspended = false
  })

/** Another license adds to the capacity. */
export const topUp = (units: number): Command =>
  command(
    `topUp(${units})`,
    async (model, { world }) => {
      await world.issue({ limits: { concurrent: units } })
      model.capacity += units
    },
    ({ suspended, capacity }) => !suspended && capacity < 30,
  )

/** The first license is cut to so many. */
export const cut = (to: number): Command =>
  command(`cut(${to})`, async (model, { world }) => {
    const own = (await world.licenses()).find(({ id }) => id === world.ids[0])?.limits['concurrent']
    await world.cut(to)
    model.capacity += to - Number(own)
  })
