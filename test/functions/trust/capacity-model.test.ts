import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Instant, MINUTE, plusMilliseconds } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import {
  boundariesOf,
  DAYS,
  type PlainLicense,
  plainlyCounts,
  plainStatus,
} from '../../support/plain-license.ts'
import { createPlan } from '../../support/resources.ts'
import { createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'
import { walks } from '../../support/walks.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const vendor = await api.token('vendor:admin')

const METRICS = ['users', 'certificates', 'signatures'] as const
type Metric = (typeof METRICS)[number]
type Own = PlainLicense & {
  readonly limits: Readonly<Partial<Record<Metric, number>>>
  readonly overdraft: number
}
/** What was told last of a pool. */
type Level = {
  reached: number
  excess: 'none' | 'curing' | 'overdue'
  seenAt: number
  overdueAt: number
  told: number
}
type Model = {
  now: number
  readonly begin: Instant
  readonly licenses: Own[]
  readonly used: Record<Metric, number>
  readonly levels: Record<Metric, Level>
  /** What was licensed of it, from when on; and when anything was done that may be taken for less. */
  readonly licensed: Record<Metric, { at: number; limit: number }[]>
  lastAct: number
}
type Real = { readonly scenario: Scenario; readonly app: string; readonly generous: string }
type Command = fc.AsyncCommand<Model, Real>

const seen = new Map<string, number>()
const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)
const CURE = 14 * DAYS

const giving = ({ licenses }: Model, metric: Metric, at: number) =>
  licenses.filter((one) => one.limits[metric] !== undefined && plainlyCounts(one, licenses, at))
const capacityOf = (model: Model, metric: Metric, at = model.now) =>
  giving(model, metric, at).reduce((sum, { limits }) => sum + (limits[metric] ?? 0), 0)
const limitOf = (model: Model, metric: Metric, at = model.now) =>
  giving(model, metric, at).reduce((sum, { overdraft }) => sum + overdraft, capacityOf(model, metric, at))

function remember(model: Model, at = model.now): void {
  for (const metric of METRICS) model.licensed[metric].push({ at, limit: limitOf(model, metric, at) })
}
/** Since when there was never more than there is now. */
function fell({ licensed, now }: Model, metric: Metric): number {
  const history = licensed[metric]
  const limit = history.at(-1)?.limit ?? 0
  return history[history.findLastIndex((one) => one.limit > limit) + 1]?.at ?? now
}

/** Time passes, or something is done at once; what became less is noted. */
function move(model: Model, minutes: number): void {
  const until = model.now + minutes
  const instants = boundariesOf(model.licenses).filter((at) => at > model.now && at <= until)
  for (const at of instants) {
    remember(model, at)
    model.lastAct = at
  }
  advanceClock(minutes * MINUTE)
  model.now = until
}
async function acting(model: Model, act: () => Promise<void>): Promise<void> {
  move(model, 1)
  await act()
  remember(model)
  model.lastAct = model.now
}

const minute = ({ begin }: Model, at: number) => plusMilliseconds(begin, at * MINUTE)
const Told = z.object({ type: z.string(), after: z.record(z.string(), z.unknown()) })

/** What a run tells, told beforehand: thresholds up and down, and an excess with the time to cure it. */
const run: Command = {
  check: () => true,
  async run(model, { scenario }) {
    move(model, 1)
    const path = `/v1/tenants/${scenario.tenant.id}/validation/runs`
    expected(200, await api.call('POST', path, { token: vendor, body: {} }))
    for (const metric of METRICS) {
      const level = model.levels[metric]
      const [used, capacity] = [model.used[metric], capacityOf(model, metric)]
      const isAt = (percent: number) => used > 0 && used * 100 >= percent * capacity
      const reached = Math.max(
        0,
        ...[80, 90, 100].filter((one) => isAt(one) || (one <= level.reached && isAt(one - 5))),
      )
      const all = (await scenario.events(`${scenario.product.id}/${metric}`)).map((event) =>
        Told.parse(event),
      )
      const told = all.slice(level.told)
      level.told = all.length
      const wanted: string[] = []
      if (reached > level.reached) wanted.push(`reached ${reached}`)
      if (reached < level.reached) wanted.push(`cleared ${level.reached}`)
      level.reached = reached
      const over = metric === 'signatures' ? 0 : used - limitOf(model, metric)
      const isOver = over > 0
      if (isOver && level.excess === 'none') wanted.push(`over-allocated ${over}`)
      const overdue = told.find(({ type }) => type === 'capacity.cure-overdue')
      const begun = told.find(({ type }) => type === 'capacity.over-allocated')
      if (isOver) {
        const began = begun && Instant.parse(begun.after['since'])
        if (began) {
          expect(began >= minute(model, fell(model, metric)) && began <= minute(model, model.now)).toBe(true)
          level.seenAt = model.now
        }
        const latest = Math.max(model.lastAct, level.seenAt)
        if (overdue) {
          wanted.push('cure-overdue')
          // Nobody is hurried: all the time since it became less. And it is told again only where there was more time.
          expect(model.now).toBeGreaterThanOrEqual(fell(model, metric) + CURE)
          if (level.excess === 'overdue') expect(latest).toBeGreaterThan(level.overdueAt - CURE)
          Object.assign(level, { excess: 'overdue', overdueAt: model.now })
        } else if (level.excess === 'none') level.excess = 'curing'
        // Nothing that happened since gives it more time.
        if (level.excess === 'curing') expect(model.now).toBeLessThan(latest + CURE)
      } else {
        if (level.excess !== 'none') wanted.push('cured')
        level.excess = 'none'
      }
      const words = told.map(({ type, after }) =>
        [
          type.replace('capacity.', ''),
          after['threshold'] ?? (type.endsWith('allocated') ? after['excess'] : undefined),
        ]
          .filter((one) => one !== undefined)
          .join(' '),
      )
      for (const word of words) note(word.replace(/over-allocated .*/, 'over-allocated'))
      expect([metric, ...words]).toEqual([metric, ...wanted])
      for (const { after } of told) expect(after).toMatchObject({ used, capacity })
    }
  },
  toString: () => 'run',
}

const act = (name: string, change: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run: (model, real) => acting(model, () => change(model, real)),
  toString: () => name,
})
const about = (
  name: string,
  index: number,
  change: (one: Own, model: Model, real: Real) => Promise<boolean>,
) =>
  act(`${name} ${index}`, async (model, real) => {
    const one = model.licenses.at(index % model.licenses.length)
    if (one) note(`${name} ${await change(one, model, real)}`)
  })

const report = (metric: Metric, value: number) =>
  act(`report ${value} ${metric}`, async ({ used }, { app, scenario: { product } }) => {
    const record = {
      product: product.code,
      metric,
      ...(metric === 'signatures' ? { add: value + 1 } : { value }),
    }
    expected(200, await api.call('POST', '/v1/usage', { token: app, body: { records: [record] } }))
    used[metric] = metric === 'signatures' ? used[metric] + value + 1 : value
  })

type Order = {
  type: Own['type']
  base: number
  from: number
  days: number
  grace: number
  overdraft: boolean
  users: number
  certificates: number | undefined
}
const issue = ({ type, base, from, days, grace, overdraft, users, certificates }: Order) =>
  act(
    `issue ${JSON.stringify([type, base, from, days, grace, overdraft, users, certificates])}`,
    async (model, { scenario, generous }) => {
      const bases = model.licenses.filter((one) => one.type === 'NORMAL' && one.state !== 'revoked')
      const extended = type === 'NORMAL' ? undefined : bases.at(base % bases.length)
      if (type !== 'NORMAL' && extended === undefined) return
      const limits = { users, ...(certificates && { certificates }), ...(users > 8 && { signatures: 20 }) }
      const { license } = await scenario.issue({
        ...(overdraft && { planId: generous }),
        validFrom: inDays(from),
        expiresAt: inDays(from + days),
        graceDays: grace,
        ...(type !== 'VALIDITY' && { limits: { ...{ users: 0 }, ...limits } }),
        ...(extended && { type, extends: extended.id }),
      })
      const start = model.now + from * DAYS
      model.licenses.push({
        id: license.id,
        type,
        ...(extended && { base: extended.id }),
        from: start,
        to: start + days * DAYS,
        grace: grace * DAYS,
        install: 'applied',
        state: 'usable',
        limits: type === 'VALIDITY' ? {} : limits,
        overdraft: overdraft ? 2 : 0,
      })
    },
  )

const change = (action: 'suspend' | 'reinstate' | 'revoke', index: number) =>
  about(action, index, async (one, _, { scenario }) => {
    const { status } = await scenario.act(one.id, action)
    if (status === 200)
      one.state = ({ suspend: 'suspended', reinstate: 'usable', revoke: 'revoked' } as const)[action]
    return status === 200
  })
const remove = (index: number) =>
  about('delete', index, async (one, _, { scenario: { tenant } }) => {
    await api.call('DELETE', `/v1/tenants/${tenant.id}/licenses/${one.id}`, { token: vendor })
    one.install = 'deleted'
    return true
  })
const upload = (index: number) =>
  about('upload', index, async (one, model, { scenario }) => {
    const { status } = await scenario.upload(await scenario.fileOf(one.id))
    const isPossible = !['SUSPENDED', 'REVOKED', 'EXPIRED'].includes(
      plainStatus(one, model.licenses, model.now),
    )
    expect(status === 200).toBe(isPossible)
    if (isPossible) one.install = 'applied'
    return isPossible
  })
const pass = (days: number): Command => ({
  check: () => true,
  run: async (model) => move(model, days * DAYS),
  toString: () => `wait ${days}`,
})

const some = fc.nat(6)
const commands = [
  fc
    .record({
      type: fc.constantFrom<Own['type']>('NORMAL', 'TOPUP', 'VALIDITY'),
      base: some,
      from: fc.constantFrom(-9, 0, 0, 8),
      days: fc.constantFrom(10, 30, 60),
      grace: fc.constantFrom(0, 3),
      overdraft: fc.boolean(),
      users: fc.constantFrom(3, 10, 20),
      certificates: fc.constantFrom(undefined, 4),
    })
    .map(issue),
  fc
    .tuple(fc.constantFrom(...METRICS, 'users' as const), fc.nat(30))
    .map(([metric, value]) => report(metric, value)),
  fc
    .tuple(fc.constantFrom(...METRICS, 'users' as const), fc.nat(30))
    .map(([metric, value]) => report(metric, value)),
  fc
    .tuple(
      fc.constantFrom('suspend' as const, 'reinstate' as const, 'reinstate' as const, 'revoke' as const),
      some,
    )
    .map(([one, index]) => change(one, index)),
  some.map(remove),
  some.map(upload),
  fc.constantFrom(1, 5, 14, 14).map(pass),
  fc.constantFrom(1, 5, 14, 14).map(pass),
  ...Array(5).fill(fc.constant(run)),
]

/** A license that is extended, and what extends it taken back long after its own end. */
const base = { from: 0, grace: 0, overdraft: false, base: 0, users: 10, certificates: undefined }
const END = [
  issue({ ...base, type: 'NORMAL', days: 10, users: 20 }),
  issue({ ...base, type: 'VALIDITY', base: -1, days: 60 }),
  report('users', 16),
  pass(20),
  run,
  remove(-1),
  run,
  pass(5),
  run,
  pass(10),
  run,
  run,
  report('users', 0),
  run,
]
const BEGIN = [
  issue({ ...base, type: 'NORMAL', days: 10 }),
  issue({ ...base, type: 'VALIDITY', days: 60 }),
  report('users', 8),
]

test('what is told of capacity is what a plain count tells, each crossing once, and nobody is hurried to cure it', {
  timeout: 900_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 50, size: 'max' }), async (steps) => {
      stopClock()
      const scenario = await createScenario(api)
      const rules = { overdraft: { kind: 'absolute', units: 2 } }
      const plan = await createPlan(api, scenario.product.id, { rules, limits: { users: 0 } })
      const each = <T>(make: () => T) => ({ users: make(), certificates: make(), signatures: make() })
      const model: Model = {
        now: 0,
        begin: inDays(0),
        licenses: [],
        used: each(() => 0),
        levels: each((): Level => ({ reached: 0, excess: 'none', seenAt: 0, overdueAt: 0, told: 0 })),
        licensed: each(() => [{ at: 0, limit: 0 }]),
        lastAct: 0,
      }
      const real = { scenario, generous: plan.id, app: await api.token('tenant:app', scenario.tenant.id) }
      await fc.asyncModelRun(() => ({ model, real }), [...BEGIN, ...steps, ...END])
      vi.useRealTimers()
    }),
    { ...walks(2), unbiased: true },
  )
  const wanted = ['reached 80', 'cleared 80', 'over-allocated', 'cure-overdue', 'cured']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})
