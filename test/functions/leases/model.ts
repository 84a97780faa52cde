import type fc from 'fast-check'
import { expect } from 'vitest'
import type { Lease, TicketView } from '../../../functions/leases/shapes.ts'
import { seconds } from '../../../shared/domain/pool-terms.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { tally, times } from '../../support/parallel.ts'
import { codeOf, granted, queued, type World } from './rig.ts'

/** What should be: a few numbers, and nothing of how they are stored. Times in seconds since the start. */
export type Model = {
  now: number
  suspended: boolean
  capacity: number
  /** Leases and holds that have not lapsed. */
  leases: { id: number; units: number; until: number; hold?: boolean; claimedAt?: number }[]
  /** The queue, in its order; each wants one unit. */
  tickets: { id: number; pingBy: number }[]
  /** Leases and tickets that there ever were. */
  made: number
  hadLeases: boolean
  hadTickets: boolean
}

export type Real = {
  readonly world: World
  readonly leases: Map<number, Lease>
  readonly tickets: Map<number, TicketView>
}
export type Command = fc.AsyncCommand<Model, Real>

const LENGTH = 600
const DRIFT = 30
const HOLD = 180
const PING = 300
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
      expect(live.filter(({ kind }) => kind === 'hold')).toHaveLength(
        model.leases.filter(({ hold }) => hold).length,
      )
      expect(pool.waiting).toBe(model.tickets.length)
    },
    toString: () => name,
  }
}

/** Gives what is free to those who wait, and forgets those who do not any more. */
function serve(model: Model): void {
  model.tickets = model.tickets.filter(({ pingBy }) => pingBy > model.now)
  while (model.tickets.length > 0 && held(model) < limit(model)) {
    const first = model.tickets.shift()
    if (first) model.leases.push({ id: first.id, units: 1, until: model.now + HOLD, hold: true })
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
  model.hadLeases = true
}

export const out = (units: number): Command =>
  command(`out(${units})`, async (model, real) => {
    const answer = await real.world.out({ items: [{ metric: 'concurrent', units }] })
    if (limit(model) > 0) serve(model)
    if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
    else if (model.tickets.length > 0 || held(model) + units > limit(model))
      expect(codeOf(answer)).toBe('POOL_EXHAUSTED')
    else take(model, real, units, granted(answer))
  })

/** Several at once: exactly as many as there are places. */
export const outs = (count: number): Command =>
  command(`outs(${count})`, async (model, real) => {
    if (limit(model) > 0) serve(model)
    const free = model.tickets.length > 0 ? 0 : limit(model) - held(model)
    const places = Math.max(0, Math.min(count, free))
    const answers = await times(count, () => real.world.out())
    const won = answers.flatMap((answer) => (isRefusal(answer) ? [] : [answer]))
    expect(won).toHaveLength(places)
    for (const lease of won) take(model, real, 1, lease)
  })

const hasLeases = ({ hadLeases }: Readonly<Model>) => hadLeases
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
        delete own.claimedAt
      }
    },
    hasLeases,
  )

export const giveBack = (index: number): Command =>
  command(
    `in(${index})`,
    async (model, real) => {
      const [id, lease] = pick([...real.leases], index)
      const released = model.leases.some((one) => one.id === id)
      expect(await real.world.in(lease)).toEqual({ released })
      forget(model, id)
      if (released) serve(model)
    },
    hasLeases,
  )

/** Renewals and check-ins of everything at once, each lease both. */
export const storm = (): Command =>
  command(
    'storm',
    async (model, real) => {
      const own = model.leases.filter(({ hold }) => !hold)
      const all = own.map(({ id }) => real.leases.get(id)).filter((lease) => lease !== undefined)
      const done = await Promise.all(all.flatMap((lease) => [real.world.in(lease), real.world.beat(lease)]))
      const codes = tally(done.map((one) => ('released' in Object(one) ? 'in' : codeOf(one))))
      expect(codes['in'] ?? 0).toBe(all.length)
      model.leases = model.leases.filter(({ hold }) => hold)
      if (all.length > 0) serve(model)
    },
    (model) => held(model) <= limit(model),
  )

export const join = (): Command =>
  command('join', async (model, real) => {
    const answer = await real.world.join()
    if (limit(model) === 0) {
      expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
      return
    }
    model.made += 1
    model.hadTickets = true
    real.tickets.set(model.made, queued(answer))
    model.tickets.push({ id: model.made, pingBy: model.now + PING })
    serve(model)
    expect(queued(answer).state).toBe(stateOf(model, model.made))
  })

function stateOf(model: Model, id: number): TicketView['state'] {
  if (model.leases.some((one) => one.id === id && one.hold)) return 'held'
  return model.tickets.some((one) => one.id === id) ? 'waiting' : 'ended'
}

const hasTickets = ({ hadTickets }: Readonly<Model>) => hadTickets

export const ping = (index: number): Command =>
  command(
    `ping(${index})`,
    async (model, real) => {
      const [id, ticket] = pick([...real.tickets], index)
      serve(model)
      const { state, position } = await real.world.ping(ticket)
      expect(state).toBe(stateOf(model, id))
      if (state !== 'waiting') return
      expect(position).toBe(model.tickets.findIndex((one) => one.id === id) + 1)
      for (const one of model.tickets) if (one.id === id) one.pingBy = model.now + PING
    },
    hasTickets,
  )

export const cancel = (index: number): Command =>
  command(
    `cancel(${index})`,
    async (model, real) => {
      const [id, ticket] = pick([...real.tickets], index)
      const state = stateOf(model, id)
      expect(await real.world.cancel(ticket)).toEqual({ canceled: state !== 'ended' })
      model.tickets = model.tickets.filter((one) => one.id !== id)
      if (state !== 'held') return
      forget(model, id)
      serve(model)
    },
    hasTickets,
  )

export const claim = (index: number): Command =>
  command(
    `claim(${index})`,
    async (model, real) => {
      const [id, ticket] = pick([...real.tickets], index)
      const answer = await real.world.claim(ticket)
      const own = model.leases.find((one) => one.id === id)
      const state = stateOf(model, id)
      if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
      else if (own?.claimedAt !== undefined && model.now - own.claimedAt <= 30)
        expect(codeOf(answer)).toBe('granted')
      else if (own?.hold !== true)
        expect(codeOf(answer)).toBe(state === 'waiting' ? 'TRANSITION_NOT_ALLOWED' : 'TICKET_ENDED')
      else if (held(model) > limit(model)) {
        expect(codeOf(answer)).toBe('TICKET_ENDED')
        forget(model, id)
      } else {
        real.leases.set(id, granted(answer))
        model.hadLeases = true
        Object.assign(own, { hold: false, until: model.now + LENGTH, claimedAt: model.now })
      }
    },
    hasTickets,
  )

/** Nobody asks any more: every ticket has ended, and the queue is empty once somebody looks. */
export async function everyTicketEnds({ world, tickets }: Real): Promise<void> {
  world.pass(1000)
  for (const ticket of tickets.values()) expect((await world.ping(ticket)).state).toBe('ended')
  if (tickets.size > 0) expect((await world.pool()).waiting).toBe(0)
}

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
