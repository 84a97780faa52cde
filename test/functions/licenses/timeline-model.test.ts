import fc from 'fast-check'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Instant, MINUTE, plusMilliseconds } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { calendarLines } from '../../support/calendar-lines.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import {
  boundariesOf,
  DAYS,
  type PlainLicense,
  periodsOf,
  plainlyCounts,
  plainStatus,
} from '../../support/plain-license.ts'
import { createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'
import { walks } from '../../support/walks.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const vendor = await api.token('vendor:admin')

type Own = PlainLicense & {
  readonly key: string
  /** What was seen of it, each with when that began. */
  readonly history: { at: number; status: string }[]
  /** How often it was signed, applied or deleted since its product was looked at, and what was told then. */
  signings: number
  installs: number
  seen: string
  told: number
}
type Model = { now: number; readonly begin: Instant; readonly licenses: Own[] }
type Command = fc.AsyncCommand<Model, Scenario>

const seen = new Map<string, number>()
const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

const instantOf = ({ begin }: Model, at: number) => plusMilliseconds(begin, at * MINUTE)
const extensionsOf = ({ licenses }: Model, id: string) =>
  licenses.filter((one) => one.type === 'VALIDITY' && one.base === id)
const statusOf = ({ licenses, now }: Model, one: Own, at = now) => plainStatus(one, licenses, at)
const counts = ({ licenses, now }: Model, one: Own) => plainlyCounts(one, licenses, now)
/** The next instant at which time changes what is seen of one of them. */
const nextOf = (model: Model, some: readonly Own[]) =>
  boundariesOf(model.licenses).find(
    (at) => at > model.now && some.some((one) => statusOf(model, one, at) !== statusOf(model, one)),
  )
const endOf = (model: Model, one: Own) => Math.max(...periodsOf(one, model.licenses).map(({ to }) => to))
const graceEndOf = (model: Model, one: Own) =>
  Math.max(...periodsOf(one, model.licenses).map(({ to, grace }) => to + grace))

/** What is seen now is noted, as of now. */
function remember(model: Model, at = model.now): void {
  for (const one of model.licenses) {
    const status = statusOf(model, one, at)
    if (one.history.at(-1)?.at === at) one.history.pop()
    if (one.history.at(-1)?.status !== status) one.history.push({ at, status })
  }
}

function held(what: string, answer: Answer, refused: string | undefined): boolean {
  note(`${what} ${outcome(answer)}`)
  if (refused) expect(outcome(answer).slice(4)).toBe(refused)
  else expect([200, 201]).toContain(answer.status)
  return refused === undefined
}

const Product = z.object({ nextChangeAt: z.string().optional() })
const Entitled = z.object({ products: z.array(Product) })

/** Everybody who says when something changes, says the same. */
async function check(model: Model, scenario: Scenario): Promise<void> {
  const { tenant } = scenario
  const path = `/v1/tenants/${tenant.id}/entitlements`
  const entitled = Entitled.parse(expected(200, await api.call('GET', path, { token: vendor })))
  const next = nextOf(model, model.licenses)
  expect(entitled.products[0]?.nextChangeAt).toBe(next === undefined ? undefined : instantOf(model, next))
  for (const one of model.licenses) {
    const view = await scenario.read(one.id)
    expect([one.id, view.status]).toEqual([one.id, statusOf(model, one)])
    const end = endOf(model, one)
    expect(view.effectiveExpiresAt).toBe(end === one.to ? undefined : instantOf(model, end))
    const verdict = await scenario.validate({ key: one.key })
    expect([one.id, verdict.valid]).toEqual([one.id, counts(model, one)])
    const own = nextOf(model, [one])
    if (own !== undefined) expect(verdict.nextCheckAfter <= instantOf(model, own)).toBe(true)
  }
  await checkCalendar(model, scenario)
}

async function checkCalendar(model: Model, { tenant }: Scenario): Promise<void> {
  const { body } = await api.call('POST', `/v1/tenants/${tenant.id}/calendar`, { token: vendor })
  const feed = await api.call('GET', new URL(z.object({ url: z.string() }).parse(body).url).pathname)
  const shown = calendarLines(String(feed.body))
  const wanted = model.licenses
    .filter(({ type, install }) => type !== 'VALIDITY' && install !== 'awaited')
    .flatMap((one) => {
      const isOn = one.install === 'applied' && one.state === 'usable'
      const day = (at: number) => instantOf(model, at).slice(0, 10).replaceAll('-', '')
      const line = (what: string, at: number) =>
        `${one.id} ${what} ${day(at)} ${isOn ? 'CONFIRMED' : 'CANCELLED'}`
      const [end, graceEnd] = [endOf(model, one), graceEndOf(model, one)]
      return [line('expiry', end), ...(graceEnd > end ? [line('grace', graceEnd)] : [])]
    })
  expect(shown.toSorted()).toEqual(wanted.toSorted())
}

/** Something that takes a minute, on one of the licenses. */
function about(
  name: string,
  index: number,
  run: (one: Own, model: Model, scenario: Scenario) => Promise<void>,
): Command {
  return {
    check: ({ licenses }) => licenses.length > 0,
    async run(model, scenario) {
      move(model, 1)
      const one = model.licenses.at(index % model.licenses.length)
      if (one !== undefined) await run(one, model, scenario)
      remember(model)
      await check(model, scenario)
    },
    toString: () => `${name} ${index}`,
  }
}

function move(model: Model, minutes: number): void {
  const until = model.now + minutes
  for (const at of boundariesOf(model.licenses)) if (at > model.now && at <= until) remember(model, at)
  advanceClock(minutes * MINUTE)
  model.now = until
}

type Order = { from: number; days: number; grace: number; awaited: boolean; type: Own['type']; base: number }
const issue = ({ from, days, grace, awaited, type, base }: Order): Command => ({
  check: ({ licenses }) =>
    type === 'NORMAL' || licenses.some((one) => one.type === 'NORMAL' && one.state !== 'revoked'),
  async run(model, scenario) {
    move(model, 1)
    const bases = model.licenses.filter((one) => one.type === 'NORMAL' && one.state !== 'revoked')
    const extended = type === 'NORMAL' ? undefined : bases.at(base % bases.length)
    const { license, key } = await scenario.issue({
      validFrom: inDays(from),
      expiresAt: inDays(from + days),
      graceDays: grace,
      ...(awaited && { applyOn: 'upload' }),
      ...(extended && { type, extends: extended.id }),
    })
    const start = model.now + from * DAYS
    const one: Own = {
      id: license.id,
      key,
      type,
      ...(extended && { base: extended.id }),
      from: start,
      to: start + days * DAYS,
      grace: grace * DAYS,
      install: awaited ? 'awaited' : 'applied',
      state: 'usable',
      history: [],
      signings: 0,
      installs: 0,
      seen: '',
      told: 0,
    }
    model.licenses.push(one)
    one.seen = statusOf(model, one)
    remember(model)
    await check(model, scenario)
  },
  toString: () => `issue ${JSON.stringify([type, base, from, days, grace, awaited])}`,
})

const act = (action: 'suspend' | 'reinstate' | 'revoke', index: number) =>
  about(action, index, async (one, _, scenario) => {
    const from = { suspend: ['usable'], reinstate: ['suspended'], revoke: ['usable', 'suspended'] }[action]
    const answer = await scenario.act(one.id, action)
    if (!held(action, answer, from.includes(one.state) ? undefined : 'TRANSITION_NOT_ALLOWED')) return
    one.signings += 1
    one.state = ({ suspend: 'suspended', reinstate: 'usable', revoke: 'revoked' } as const)[action]
  })

const renew = (index: number, days: number) =>
  about(`renew by ${days}`, index, async (one, model, scenario) => {
    const end = endOf(model, one) + days * DAYS
    const answer = await scenario.act(one.id, 'renew', { expiresAt: instantOf(model, end) })
    const refused =
      one.state === 'revoked'
        ? 'TRANSITION_NOT_ALLOWED'
        : days <= 0 || end <= model.now
          ? 'LICENSE_MISMATCH'
          : undefined
    if (!held('renew', answer, refused)) return
    one.signings += 1
    one.to = end
  })

const upload = (index: number) =>
  about('upload', index, async (one, model, scenario) => {
    const file = await scenario.fileOf(one.id)
    const answer = await scenario.upload(file)
    const status = statusOf(model, one)
    const refused =
      one.state !== 'usable' ? 'FILE_NOT_USABLE' : status === 'EXPIRED' ? 'FILE_EXPIRED' : undefined
    if (!held('upload', answer, refused)) return
    if (one.install !== 'applied') one.installs += 1
    one.install = 'applied'
  })

const remove = (index: number) =>
  about('delete', index, async (one, _, { tenant }) => {
    const path = `/v1/tenants/${tenant.id}/licenses/${one.id}`
    held('delete', await api.call('DELETE', path, { token: vendor }), undefined)
    if (one.install !== 'applied') return
    one.install = 'deleted'
    one.installs += 1
  })

/** What is told of each since it was looked at is true, and all of it where nobody changed its dates meanwhile. */
const look: Command = {
  check: () => true,
  async run(model, scenario) {
    await api.call('POST', `/v1/tenants/${scenario.tenant.id}/licenses/refresh`, { token: vendor })
    for (const one of model.licenses) {
      const events = (await scenario.events(one.id)).filter(({ type }) => type === 'license.status-changed')
      const told = events.slice(one.told).map(({ before, after }) => {
        return {
          before: String(before?.['state']),
          after: String(after?.['state']),
          since: String(after?.['since']),
        }
      })
      one.told = events.length
      let status = one.seen
      for (const change of told) {
        expect(change.before).toBe(status)
        status = change.after
      }
      expect([one.id, status]).toEqual([one.id, statusOf(model, one)])
      const more = extensionsOf(model, one.id)
      const isPlain = one.signings === 0 && more.every(({ signings, installs }) => signings + installs < 2)
      // What was signed or uploaded again tells nothing of what it was before.
      const isKnown = more.every(({ signings, installs }) => signings < 2 && installs < 2)
      const then = (since: string) =>
        one.history.findLast(({ at }) => instantOf(model, at) <= Instant.parse(since))?.status
      if (isKnown)
        for (const { after, since } of told)
          expect([one.id, since, then(since)]).toEqual([one.id, since, after])
      const isResigned = more.some(({ signings, state }) => signings > 0 && state === 'usable')
      if (isPlain && !isResigned) {
        const all = one.history.slice(1).map(({ at, status: after }) => `${after} ${instantOf(model, at)}`)
        expect(told.map(({ after, since }) => `${after} ${since}`)).toEqual(all)
      }
      note(`told ${told.length}${isPlain ? ' in full' : ''}`)
      one.seen = status
      one.history.splice(0, one.history.length - 1)
    }
    for (const one of model.licenses) Object.assign(one, { signings: 0, installs: 0 })
  },
  toString: () => 'look',
}

/** To the instant at which something changes, or a minute before. */
const passTo = (before: number): Command => ({
  check: (model) => (nextOf(model, model.licenses) ?? 0) - before > model.now,
  async run(model, scenario) {
    move(model, (nextOf(model, model.licenses) ?? 0) - before - model.now)
    await check(model, scenario)
  },
  toString: () => `wait for the next change${before ? ' but for a minute' : ''}`,
})

const pass = (days: number): Command => ({
  check: () => true,
  async run(model, scenario) {
    move(model, days * DAYS)
    await check(model, scenario)
  },
  toString: () => `wait ${days}`,
})

const some = fc.nat(9)
const order = fc
  .record({
    type: fc.constantFrom<Own['type']>('NORMAL', 'TOPUP', 'VALIDITY', 'VALIDITY', 'VALIDITY'),
    base: some,
    from: fc.constantFrom(-20, -3, 0, 0, 4, 12),
    days: fc.constantFrom(5, 15, 30),
    grace: fc.constantFrom(0, 3, 10),
    awaited: fc.constantFrom(false, false, true),
  })
  .map(issue)
const commands = [
  order,
  order,
  fc
    .tuple(fc.constantFrom('suspend' as const, 'reinstate' as const, 'reinstate' as const), some)
    .map(([one, index]) => act(one, index)),
  some.map((index) => act('revoke', index)),
  fc.tuple(some, fc.constantFrom(-3, 0, 5, 20)).map(([index, days]) => renew(index, days)),
  some.map(upload),
  some.map(remove),
  fc.constant(look),
  fc.constant(look),
  fc.constantFrom(0, 0, 1).map(passTo),
  fc.constantFrom(0, 0, 1).map(passTo),
  fc.constantFrom(1, 6, 20).map(pass),
]

/** One that went on by what extended it long after its own end, until that was deleted, late to be looked at. */
const END = [
  issue({ type: 'NORMAL', base: 0, from: 0, days: 5, grace: 0, awaited: false }),
  issue({ type: 'VALIDITY', base: -1, from: 0, days: 30, grace: 0, awaited: true }),
  look,
  pass(6),
  upload(-1),
  pass(1),
  look,
  pass(6),
  remove(-1),
  pass(1),
  look,
  upload(-1),
  renew(-2, 5),
  look,
]

const BEGIN = [
  issue({ type: 'NORMAL', base: 0, from: 0, days: 15, grace: 3, awaited: false }),
  issue({ type: 'VALIDITY', base: 0, from: 12, days: 15, grace: 0, awaited: false }),
]

test('whatever was sold, renewed, taken back: it changes exactly when all say so', {
  timeout: 900_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (steps) => {
      stopClock()
      const scenario = await createScenario(api)
      const model: Model = { now: 0, begin: inDays(0), licenses: [] }
      await fc.asyncModelRun(() => ({ model, real: scenario }), [...BEGIN, ...steps, look, ...END])
      vi.useRealTimers()
    }),
    { ...walks(2), unbiased: true },
  )
  const wanted = ['delete 200', 'upload 200', 'renew 200', 'told 2 in full']
  expect(wanted.filter((one) => !seen.has(one))).toEqual([])
})
