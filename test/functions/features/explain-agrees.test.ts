import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { aboutLease, aboutTicket } from '../../../functions/features/explain-lease.ts'
import { aboutUser } from '../../../functions/features/explain-user.ts'
import { poolViews } from '../../../functions/leases/pools-view.ts'
import type { Lease, TicketView } from '../../../functions/leases/shapes.ts'
import { openLeaseId, openTicketId } from '../../../functions/sealed-id.ts'
import type { Caller } from '../../../shared/domain/access.ts'
import type { Explanation } from '../../../shared/domain/explanation.ts'
import { isRefusal, type Refusal } from '../../../shared/domain/refusal.ts'
import { withCodes } from '../../../shared/domain/shares.ts'
import { raiseFence } from '../../../shared/store/fence.ts'
import { readPoolShares, replacePoolShares } from '../../../shared/store/pool-shares.ts'
import { transact } from '../../../shared/store/transact.ts'
import { localTable } from '../../store/local-table.ts'
import { times } from '../../support/parallel.ts'
import { walks } from '../../support/walks.ts'
import { aMachine, aWorld, granted, queued, type World } from '../leases/rig.ts'

const table = await localTable()
const MACHINE = aMachine()

/** What a step does; `pick` chooses among the leases or tickets there ever were, old ids too. */
const STEPS = [
  ...(['out', 'beat', 'in', 'join', 'ping', 'claim', 'cancel', 'pass', 'suspend', 'cut'] as const),
  // Of two pools at once, and for use offline.
  ...(['both', 'lend'] as const),
] as const
const step = fc.record({ what: fc.constantFrom(...STEPS), pick: fc.nat(), amount: fc.nat(400) })

type Step = { what: (typeof STEPS)[number]; pick: number; amount: number }

/** Steps in short: `beat:2` is about the third lease there was, `pass:60` a minute. */
const steps = (text: string): Step[] =>
  text.split(/\s+/).map((word) => {
    const [name, number = '0'] = word.split(':')
    const what = STEPS.find((one) => one === name)
    if (what === undefined) throw new Error(`no step ${name}`)
    return { what, pick: Number(number), amount: Number(number) }
  })

/**
 * A walk by every kind of answer: three places within the capacity and one of overdraft; an id that was renewed, and
 * then is somebody's copy; a ticket that waits, is held, claimed; tickets and leases that lapse; a license that ends;
 * a place that is free while somebody waits for two.
 */
const SCRIPT = steps(
  `out out out out out beat beat pass:60 beat in join ping claim in:1 ping claim claim out
   join join cancel:4 pass:700 beat:2 ping:2 claim:1
   out cut suspend out beat:6 cut suspend pass:700 out out out join:300 out`,
)

/** Physics has one place that is kept for it, and two at most: it comes by its maximum, and others by what is kept. */
const SHARED = steps('out:1 out:1 out:1 out:1 out out out join join:1 ping ping:1 in ping ping:1 claim out')

async function shareOut({ asked }: World) {
  const address = { ...asked, metric: 'concurrent' }
  const share = { department: 'Physics', share: { units: 1 }, guaranteed: true, maximum: { units: 2 } }
  const current = await readPoolShares(table, address)
  const next = { ...current, ...withCodes(current, [share]), revision: current.revision + 1 }
  const writes = { shares: replacePoolShares(address, next, current.revision), fence: raiseFence(address) }
  expect(await transact(table, writes)).toEqual({ ok: true })
}

/** Every third asks for Physics. */
const departmentOf = (pick: number) => (pick % 3 === 0 ? { department: 'Physics' } : {})

test('what explain predicts is what the operation then answers', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 30, maxLength: 30, size: 'max' }),
      fc.constant(true),
      async (walk, isShared) => {
        const world = await aWorld(
          table,
          {
            limits: { concurrent: 2, editors: 2 },
            rules: { overdraft: { kind: 'absolute', units: 1 }, borrow: { maximum: 'PT10M' } },
          },
          { limits: { concurrent: 1 } },
        )
        if (isShared) await shareOut(world)
        const take = walkThrough(world)
        for (const one of walk) {
          // The same request again in the same second is answered as it was, whatever became of the license.
          world.pass(1)
          const [predicted, answered] = await take(one)
          expect(answered, JSON.stringify(one)).toEqual(predicted)
          seen.add(`${one.what} ${answered}`)
        }
      },
    ),
    {
      ...walks(4),
      examples: [
        [SCRIPT, false],
        [SHARED, true],
      ],
    },
  )
  const codes = [
    ...['out OK', 'out POOL_EXHAUSTED', 'out LICENSE_NOT_IN_FORCE'],
    ...['beat OK', 'beat LEASE_SUPERSEDED', 'beat LEASE_LAPSED', 'beat LICENSE_NOT_IN_FORCE'],
    ...['in OK', 'in LEASE_SUPERSEDED', 'ping waiting', 'ping held', 'ping ended'],
    ...['claim OK', 'claim TRANSITION_NOT_ALLOWED', 'claim TICKET_ENDED'],
  ]
  expect(codes.filter((code) => !seen.has(code))).toEqual([])
})

test('leases that lapsed on more pages than one write takes away do not count for explain either', async () => {
  const world = await aWorld(table, { limits: { concurrent: 140 } })
  await world.fill(100)
  const lease = granted(await world.out())
  await times(39, () => world.out())
  world.pass(450)
  const kept = granted(await world.beat(lease))
  world.pass(181)
  await world.cut(101)
  const address = openLeaseId(kept.leaseId, world.services.secrets.leaseKey)
  if (address === undefined) throw new Error('no lease id')
  const by = { caller: world.caller, now: world.clock.now, requestId: 'looks' }
  const [view] = await poolViews(world.asked.tenantId, world.clock.now, world.services)
  expect(view?.used).toBe(101)
  const explained = await aboutLease(by, address, world.services)
  expect(outcome(explained, 'POST /v1/leases/heartbeat')).toBe('OK')
  expect(codeOf(await world.beat(kept))).toBe('OK')
})

test('units are told that lapsed, not leases, and count for nothing', async () => {
  const world = await aWorld(table, { limits: { concurrent: 3 } })
  await world.out({ items: [{ metric: 'concurrent', units: 3 }] })
  world.pass(631)
  const by = { caller: world.caller, now: world.clock.now, requestId: 'looks' }
  const { chain } = await aboutUser(by, world.asked, { userId: 'ada', question: {} }, world.services)
  expect(chain.map(({ evidence }) => evidence)).toContainEqual(
    expect.stringContaining('3 of 3 concurrent taken, 3 of them lapsed'),
  )

  // Nor is more to be bought for their sake.
  const kept = granted(await world.out())
  granted(await world.out())
  world.pass(450)
  granted(await world.beat(kept))
  world.pass(181)
  await world.cut(1)
  const later = { ...by, now: world.clock.now }
  const { cures } = await aboutUser(later, world.asked, { userId: 'ada', question: {} }, world.services)
  expect(cures.map(({ cure }) => cure)).toContain('Buy 1 more concurrent.')
})

test('a place that is held for a license key whose own license ended is explained as its claim is answered', async () => {
  const world = await aWorld(table, { limits: { concurrent: 1 } }, { limits: { concurrent: 1 } })
  const [licenseId] = world.ids
  if (licenseId === undefined) throw new Error('no license')
  const caller: Caller = { kind: 'license', ...world.asked, licenseId, subject: licenseId }
  const { ticketId } = queued(await world.join({}, world.services, { caller }))
  await world.suspend(licenseId)
  const address = openTicketId(ticketId, world.services.secrets.leaseKey)
  if (address === undefined) throw new Error('no ticket id')
  const by = { caller, now: world.clock.now, requestId: 'looks' }
  const explained = await aboutTicket(by, address, world.services)
  expect(explained).toMatchObject({
    granted: false,
    summary: expect.stringContaining('no license that counts'),
  })
  expect(explained.chain.filter(({ passed }) => !passed)).toContainEqual(
    expect.objectContaining({ step: 'own license counts' }),
  )
  expect(explained.cures).not.toEqual([])
  expect(outcome(explained, 'POST /v1/tickets/claim')).toBe('LICENSE_NOT_IN_FORCE')
})

test('what is borrowed is explained as its heartbeat and its return are answered: away, back, proven or not, over', async () => {
  const world = await aWorld(table, { limits: { concurrent: 3 }, rules: { borrow: { maximum: 'PT1H' } } })
  const lent = granted(await world.borrow({}))
  const proven = granted(await world.borrow({ publicKey: MACHINE.publicKey }))
  const left = granted(await world.borrow({}))
  async function agrees(lease: Lease, beat: string, back: string) {
    const by = { caller: world.caller, now: world.clock.now, requestId: 'looks' }
    const address = openLeaseId(lease.leaseId, world.services.secrets.leaseKey)
    if (address === undefined) throw new Error('no lease id')
    const explained = await aboutLease(by, address, world.services)
    expect(outcome(explained, 'POST /v1/leases/heartbeat')).toBe(beat)
    expect(codeOf(await world.beat(lease))).toBe(beat)
    expect(outcome(explained, 'POST /v1/leases/check-in')).toBe(back)
    expect(codeOf(await world.in(lease))).toBe(back)
    return explained
  }
  await agrees(proven, 'TRANSITION_NOT_ALLOWED', 'RETURN_NOT_PROVEN')
  await agrees(lent, 'TRANSITION_NOT_ALLOWED', 'OK')
  const { chain } = await agrees(lent, 'BORROW_RETURNED', 'OK')
  expect(chain).toContainEqual(expect.objectContaining({ step: 'copy of it', passed: false }))
  world.pass(3700)
  await agrees(left, 'LEASE_LAPSED', 'OK')
})

type Pair = readonly [predicted: string, answered: string]

function walkThrough(world: World) {
  const { asked, caller, clock, services } = world
  const key = services.secrets.leaseKey
  const leases: Lease[] = []
  const tickets: TicketView[] = []
  let isSuspended = false
  let isCut = false
  const by = () => ({ caller, now: clock.now, requestId: 'a walk' })

  const ofLease = async ({ leaseId }: Lease, operation: string) => {
    const address = openLeaseId(leaseId, key)
    if (address === undefined) throw new Error('no lease id')
    return outcome(await aboutLease(by(), address, services), operation)
  }
  const ofTicket = async ({ ticketId }: TicketView, operation: string) => {
    const address = openTicketId(ticketId, key)
    if (address === undefined) throw new Error('no ticket id')
    return outcome(await aboutTicket(by(), address, services), operation)
  }
  const kept = (answer: Lease | Refusal) => {
    if (!isRefusal(answer)) leases.push(answer)
    return codeOf(answer)
  }

  return async (one: Step): Promise<Pair> => {
    const lease = leases[one.pick % Math.max(1, leases.length)]
    const ticket = tickets[one.pick % Math.max(1, tickets.length)]
    const nothing: Pair = ['nothing', 'nothing']
    switch (one.what) {
      case 'out': {
        const own = departmentOf(one.pick)
        const explained = await aboutUser(by(), asked, { userId: 'ada', question: {}, ...own }, services)
        const answer = await world.out(own)
        return [outcome(explained, 'POST /v1/leases (concurrent)'), kept(answer)]
      }
      case 'both':
        kept(await world.out({ items: ['editors', 'concurrent'].map((metric) => ({ metric, units: 1 })) }))
        return nothing
      case 'lend':
        // Every other one comes back only with a proof, which is not given.
        kept(await world.borrow(one.pick % 2 === 0 ? { publicKey: MACHINE.publicKey } : {}))
        return nothing
      case 'beat':
        if (lease === undefined) return nothing
        return [await ofLease(lease, 'POST /v1/leases/heartbeat'), kept(await world.beat(lease))]
      case 'in':
        if (lease === undefined) return nothing
        return [await ofLease(lease, 'POST /v1/leases/check-in'), codeOf(await world.in(lease))]
      case 'join': {
        const units = one.amount > 200 ? 2 : 1
        const answer = await world.join({
          wanted: { metric: 'concurrent', units },
          ...departmentOf(one.pick),
        })
        if (!isRefusal(answer)) tickets.push(answer)
        return nothing
      }
      case 'ping':
        if (ticket === undefined) return nothing
        return [await ofTicket(ticket, 'POST /v1/tickets/ping'), (await world.ping(ticket)).state]
      case 'claim':
        if (ticket === undefined) return nothing
        return [await ofTicket(ticket, 'POST /v1/tickets/claim'), kept(await world.claim(ticket))]
      case 'cancel':
        if (ticket !== undefined && one.pick % 4 === 0) await world.cancel(ticket)
        return nothing
      case 'pass':
        world.pass(one.amount)
        return nothing
      case 'suspend':
        // Out of force every other time; both licenses seldom.
        await (isSuspended ? world.reinstate() : world.suspend())
        isSuspended = !isSuspended
        return nothing
      case 'cut':
        await world.cut(isCut ? 1 : 0, world.ids[1])
        isCut = !isCut
        return nothing
    }
  }
}

function outcome({ predictions = [] }: Explanation, operation: string): string {
  const found = predictions.find((one) => one.operation === operation)
  return found?.state ?? found?.outcome ?? 'not predicted'
}

const codeOf = (answer: unknown) => (isRefusal(answer) ? answer.refused : 'OK')
