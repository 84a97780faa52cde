import type fc from 'fast-check'
import { expect } from 'vitest'
import type { Lease, TicketView } from '../../../functions/leases/shapes.ts'
import { seconds } from '../../../shared/domain/pool-terms.ts'
import { isRefusal } from '../../../shared/domain/refusal.ts'
import { tally, times } from '../../support/parallel.ts'
import { aMachine, codeOf, granted, queued, type World } from './rig.ts'

const MACHINE = aMachine()

/** What should be: a few numbers, and nothing of how they are stored. Times in seconds since the start. */
export type Model = {
  now: number
  suspended: boolean
  /** Beside the units that others hold all the time. */
  capacity: number
  readonly others: number
  /** Leases and holds that have not lapsed. */
  leases: {
    id: number
    units: number
    until: number
    /** How often the department had got its share when it was granted to it. */
    share?: number | undefined
    hold?: boolean
    claimedAt?: number
    isAway?: boolean
  }[]
  /** All that was ever borrowed, by its id. */
  readonly borrowed: Map<number, { until: number; isBack: boolean; isSigned: boolean }>
  /** The queue, in its order; nobody in it is of the department that has a share. */
  tickets: { id: number; units: number; pingBy: number; overtaken: number }[]
  /** Units that are guaranteed to a department, if any are, and how often it got a share. */
  guaranteed: number
  shares: number
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

/** Half of what the pool has may be away, for an hour. */
export const BORROW = { maximum: 'PT1H', share: 50 }
const AWAY = 3600
type Command = fc.AsyncCommand<Model, Real>

const LENGTH = 600
const DRIFT = 30
const HOLD = 180
const PING = 300
const held = ({ leases, others }: Readonly<Model>) => leases.reduce((sum, { units }) => sum + units, others)
const all = ({ capacity, others }: Readonly<Model>) => capacity + others
const limit = (model: Readonly<Model>) => (model.suspended ? 0 : all(model))

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

/** Units that are kept for the department. */
function kept(model: Readonly<Model>): number {
  const { guaranteed, shares, leases } = model
  const own = leases.filter(({ share }) => share === shares).reduce((sum, { units }) => sum + units, 0)
  return guaranteed === 0 ? 0 : Math.max(0, Math.min(guaranteed, all(model)) - own)
}

/** What anybody else can ever have. */
const most = (model: Readonly<Model>) => limit(model) - Math.min(model.guaranteed, all(model))

const MOST_OVERTAKEN = 5

/**
 * Gives what is free to those who wait, and forgets those who do not any more. A large ticket is overtaken by smaller
 * ones five times, then what is free is set aside for it.
 *
 * @returns whether somebody waits for what is free, or will be
 */
function serve(model: Model): boolean {
  model.tickets = model.tickets.filter(({ pingBy }) => pingBy > model.now)
  const passed: { ticket: Model['tickets'][number]; at: number }[] = []
  let given = 0
  for (const ticket of [...model.tickets]) {
    const { id, units } = ticket
    if (units > most(model)) continue
    const free = limit(model) - held(model) - kept(model)
    const mayOvertake = passed.every(({ ticket: one, at }) => one.overtaken + given - at < MOST_OVERTAKEN)
    if (units > free || !mayOvertake) {
      passed.push({ ticket, at: given })
      continue
    }
    given += 1
    model.tickets = model.tickets.filter((one) => one !== ticket)
    model.leases.push({ id, units, until: model.now + HOLD, hold: true })
  }
  for (const { ticket, at } of passed) ticket.overtaken += given - at
  return passed.length > 0
}

const pick = <T>(all: readonly T[], index: number): T => {
  const one = all[index % all.length]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}

function take(model: Model, real: Real, units: number, lease: Lease, share?: number): void {
  model.made += 1
  model.leases.push({ id: model.made, units, until: model.now + LENGTH, share })
  real.leases.set(model.made, lease)
  model.hadLeases = true
}

/** `department`: it is for the one that may have a share. */
export const out = (units: number, department?: string): Command =>
  command(`out(${units}, ${department})`, async (model, real) => {
    const answer = await real.world.out({ department, items: [{ metric: 'concurrent', units }] })
    const others = limit(model) > 0 && serve(model)
    const share = department !== undefined && model.guaranteed > 0 ? model.shares : undefined
    const isOwn = share !== undefined && units <= kept(model)
    const free = limit(model) - held(model) - (share === undefined ? kept(model) : 0)
    if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
    else if ((others && !isOwn) || units > free) expect(codeOf(answer)).toBe('POOL_EXHAUSTED')
    else take(model, real, units, granted(answer), share)
  })

/** Several at once: exactly as many as there are places. */
export const outs = (count: number): Command =>
  command(`outs(${count})`, async (model, real) => {
    const others = limit(model) > 0 && serve(model)
    const free = others ? 0 : limit(model) - held(model) - kept(model)
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
      const away = model.borrowed.get(id)
      if (away) expect(codeOf(answer)).toBe(contact(away, model.now))
      else if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
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

/** What a copy is told that comes online. */
function contact({ isBack, until }: { isBack: boolean; until: number }, now: number): string {
  if (isBack) return 'BORROW_RETURNED'
  return until + DRIFT > now ? 'TRANSITION_NOT_ALLOWED' : 'LEASE_LAPSED'
}

/** Every other one by a machine that has to prove its return. */
export const borrow = (units: number): Command =>
  command(`borrow(${units})`, async (model, real) => {
    const isSigned = model.made % 2 === 0
    const body = {
      wanted: { metric: 'concurrent', units },
      ...(isSigned && { publicKey: MACHINE.publicKey }),
    }
    const answer = await real.world.borrow(body)
    const others = limit(model) > 0 && serve(model)
    const away = model.leases.reduce((sum, one) => sum + (one.isAway ? one.units : 0), units)
    const free = limit(model) - held(model) - kept(model)
    if (limit(model) === 0) expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
    else if (others || units > free) expect(codeOf(answer)).toBe('POOL_EXHAUSTED')
    else if (away > Math.floor((all(model) * BORROW.share) / 100))
      expect(codeOf(answer)).toBe('BORROW_NOT_ALLOWED')
    else {
      const until = model.now + AWAY
      take(model, real, units, granted(answer))
      Object.assign(model.leases.at(-1) ?? {}, { until, isAway: true })
      model.borrowed.set(model.made, { until, isBack: false, isSigned })
    }
  })

/** Of any lease that ever was; one that was borrowed with a key comes back where `isProven`. */
export const giveBack = (index: number, isProven = true): Command =>
  command(
    `in(${index}, ${isProven})`,
    async (model, real) => {
      const [id, lease] = pick([...real.leases], index)
      const released = model.leases.some((one) => one.id === id)
      const away = model.borrowed.get(id)
      const answer = await real.world.in(lease, real.world.services, {}, isProven ? MACHINE.sign : undefined)
      if (away?.isSigned && !away.isBack && !isProven) {
        expect(codeOf(answer)).toBe('RETURN_NOT_PROVEN')
        return
      }
      expect(answer).toEqual({ released })
      if (away && released) away.isBack = true
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
      const own = model.leases.filter(({ hold, isAway }) => !hold && !isAway)
      const leases = own.map(({ id }) => real.leases.get(id)).filter((lease) => lease !== undefined)
      const done = await Promise.all(
        leases.flatMap((lease) => [real.world.in(lease), real.world.beat(lease)]),
      )
      const codes = tally(done.map((one) => ('released' in Object(one) ? 'in' : codeOf(one))))
      expect(codes['in'] ?? 0).toBe(leases.length)
      model.leases = model.leases.filter(({ hold, isAway }) => hold || isAway)
      if (leases.length > 0) serve(model)
    },
    // In which order places come free decides how often large tickets are overtaken.
    (model) => held(model) <= limit(model) && model.tickets.every(({ units }) => units === 1),
  )

export const join = (units: number): Command =>
  command(`join(${units})`, async (model, real) => {
    const answer = await real.world.join({ wanted: { metric: 'concurrent', units } })
    if (limit(model) === 0) {
      expect(codeOf(answer)).toBe('LICENSE_NOT_IN_FORCE')
      return
    }
    if (units > most(model)) {
      expect(codeOf(answer)).toBe('POOL_EXHAUSTED')
      return
    }
    model.made += 1
    model.hadTickets = true
    real.tickets.set(model.made, queued(answer))
    model.tickets.push({ id: model.made, units, pingBy: model.now + PING, overtaken: 0 })
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

/** The department is guaranteed so many units from now on; what it holds by then is not counted to it. */
export const share = (units: number): Command =>
  command(`share(${units})`, async (model, { world }) => {
    const guarantee = { department: 'art', share: { units }, guaranteed: true }
    await world.shareOut(...(units === 0 ? [] : [guarantee]))
    if (units > 0 && model.guaranteed === 0) model.shares += 1
    model.guaranteed = units
  })
