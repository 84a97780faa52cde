import type fc from 'fast-check'
import { expect } from 'vitest'
import * as z from 'zod'
import { Overview } from '../../../shared/domain/overview.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { DAY, MINUTE } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi } from '../../support/api.ts'
import { advanceClock } from '../../support/clock.ts'
import { DAYS, type PlainLicense, plainlyCounts, plainStatus } from '../../support/plain-license.ts'
import { expected, inDays } from '../../support/scenario.ts'
import { openMarket } from './transfer-rig.ts'

export const api = await startApi()
export const market = await openMarket(api)
const rule = (transfer?: object) => ({ rules: transfer ? { transfer } : {}, limits: { users: 10 } })
const once = { allowed: true, perYear: 1 }
const PLANS = {
  open: { allowed: true, approval: false, plan: await market.plan({}, rule({ allowed: true })) },
  both: {
    allowed: true,
    approval: true,
    plan: await market.plan({}, rule({ allowed: true, approval: true })),
  },
  once: { allowed: true, approval: false, perYear: 1, plan: await market.plan({}, rule(once)) },
  never: { allowed: false, approval: false, plan: await market.plan({}, rule({ allowed: false })) },
  silent: { allowed: undefined, approval: false, plan: await market.plan({}, rule()) },
} as const
export type PlanName = keyof typeof PLANS

type Own = PlainLicense & {
  readonly holder: number
  readonly plan: PlanName
  revision: number
  readonly moved: readonly number[]
}
type Way = {
  readonly id: string
  readonly code: string
  readonly giver: number
  receiver: number | undefined
  readonly items: readonly (readonly [string, number])[]
  readonly lapses: number
  readonly approvals: Set<'giving' | 'receiving'>
  state: 'REQUESTED' | 'APPROVED' | 'EXECUTED' | 'FAILED' | 'REFUSED' | 'LAPSED'
}
/** What has to be true, told without any of the code under test. */
export type Model = { now: number; readonly licenses: Own[]; readonly ways: Way[] }
type Real = { readonly tenants: readonly Tenant[] }
type Command = fc.AsyncCommand<Model, Real>

export const seen = new Map<string, number>()
const note = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

const extensionsOf = ({ licenses }: Model, id: string) => licenses.filter(({ base }) => base === id)
const statusOf = ({ licenses, now }: Model, one: Own) => plainStatus(one, licenses, now)
const counts = ({ licenses, now }: Model, one: Own) => plainlyCounts(one, licenses, now)

/** What moves with it now, or all that may be said of why not. */
function moving(model: Model, id: string): readonly Own[] | ReadonlySet<string> {
  const base = model.licenses.find((one) => one.id === id)
  if (base === undefined) throw new Error('no license')
  if (base.base !== undefined) return new Set(['LICENSE_MISMATCH'])
  const isGone = (one: Own) =>
    ['REVOKED', 'EXPIRED'].includes(statusOf(model, one)) || one.install === 'deleted'
  const more = extensionsOf(model, id).filter((one) => !isGone(one))
  const whyNot = (one: Own) => {
    if (isGone(one) || one.state === 'suspended') return ['TRANSITION_NOT_ALLOWED']
    if (!(PLANS[one.plan].allowed ?? PLANS[base.plan].allowed)) return ['TRANSFER_NOT_ALLOWED']
    const ruling = PLANS[one.plan].allowed === undefined ? base.plan : one.plan
    const isSpent = ruling === 'once' && one.moved.some((at) => at > model.now - 365 * DAYS)
    return isSpent ? ['TRANSFERS_EXHAUSTED'] : []
  }
  const own = whyNot(base)
  const reasons = own.length > 0 ? own : more.flatMap(whyNot)
  return reasons.length > 0 ? new Set(reasons) : [base, ...more]
}
const isList = (one: readonly Own[] | ReadonlySet<string>): one is readonly Own[] => Array.isArray(one)
const wordsOf = (items: readonly (readonly [string, number])[]) => items.map(String).toSorted().join()
const revisions = (some: readonly Own[]) => some.map(({ id, revision }) => [id, revision] as const)

/** Why what was asked for does not move now, if it does not. */
function inTheWay(model: Model, { items }: Way): ReadonlySet<string> | undefined {
  const found = moving(model, items[0]?.[0] ?? '')
  if (!isList(found)) return found
  return wordsOf(revisions(found)) === wordsOf(items) ? undefined : new Set(['TRANSFER_OUTDATED'])
}

/** Either the answer is one of these refusals, or it is a success. */
function held(what: string, answer: Answer, refused: ReadonlySet<string> | undefined): boolean {
  note(`${what} ${outcome(answer)}`)
  if (refused) expect([...refused]).toContain(outcome(answer).slice(4))
  else expect([200, 201]).toContain(answer.status)
  return !refused
}
const pick = <T>(all: readonly T[], index: number): T | undefined => all.at(index % all.length)

/** A command about one of what there is; after it everybody holds what they should. */
function about<T>(
  name: string,
  all: (model: Model) => readonly T[],
  index: number,
  run: (one: T, model: Model, real: Real) => Promise<void>,
): Command {
  return {
    check: (model) => all(model).length > 0,
    async run(model, real) {
      const one = pick(all(model), index)
      if (one !== undefined) await run(one, model, real)
      await check(model, real)
    },
    toString: () => `${name} ${index}`,
  }
}
const licenses = ({ licenses: all }: Model) => all
/** Mostly of those that are there still. */
const live = (model: Model) => model.licenses.filter(({ state }) => state !== 'revoked')
const ways = ({ ways: all }: Model) => all
const open = (model: Model) => model.ways.filter(({ state }) => state === 'REQUESTED')

async function check(model: Model, { tenants }: Real): Promise<void> {
  for (const [index, tenant] of tenants.entries()) {
    const own = model.licenses.filter(({ holder }) => holder === index)
    const shown = (await market.held(tenant)).map(
      ({ id, status, appliedAt }) => `${id} ${status} ${!!appliedAt}`,
    )
    const wanted = own.map((one) => `${one.id} ${statusOf(model, one)} ${one.install === 'applied'}`)
    expect(shown.toSorted()).toEqual(wanted.toSorted())
    const answer = await market.by(tenant, 'GET', `/v1/tenants/${tenant.id}/overview`)
    const giving = own.filter((one) => one.type !== 'VALIDITY' && counts(model, one))
    expect(Overview.parse(expected(200, answer)).users.capacity).toBe(10 * giving.length)
  }
}

type Order = { plan: PlanName; from: number; days: number; grace: number; awaited: boolean }
export function issueTo(
  holder: number,
  { plan, from, days, grace, awaited }: Order,
  extending?: { index: number; type: 'TOPUP' | 'VALIDITY' },
): Command {
  return {
    check: (model) => extending === undefined || live(model).some(({ type }) => type === 'NORMAL'),
    async run(model, real) {
      const base =
        extending &&
        pick(
          live(model).filter(({ type }) => type === 'NORMAL'),
          extending.index,
        )
      const owner = base?.holder ?? holder
      const tenant = real.tenants[owner]
      if (tenant === undefined) throw new Error('no tenant')
      const { license } = await market.issue(tenant, PLANS[plan].plan.id, {
        validFrom: inDays(from),
        expiresAt: inDays(from + days),
        graceDays: grace,
        ...(awaited && { applyOn: 'upload' }),
        ...(base && { extends: base.id, type: extending?.type }),
      })
      const type = extending?.type ?? 'NORMAL'
      const dates = {
        from: model.now + from * DAYS,
        to: model.now + (from + days) * DAYS,
        grace: grace * DAYS,
      }
      const install = awaited ? ('awaited' as const) : ('applied' as const)
      const facts = { install, state: 'usable' as const, revision: 1, moved: [] }
      model.licenses.push({
        id: license.id,
        holder: owner,
        type,
        ...(base && { base: base.id }),
        plan,
        ...dates,
        ...facts,
      })
      await check(model, real)
    },
    toString: () => `issue ${JSON.stringify([holder, plan, from, days, grace, awaited, extending])}`,
  }
}

export const act = (action: 'suspend' | 'reinstate' | 'revoke', index: number) =>
  about(action, live, index, async (one, model) => {
    const isAllowed = (action === 'reinstate') === (one.state === 'suspended') || action === 'revoke'
    const answer = await market.by(undefined, 'POST', `/v1/licenses/${one.id}/${action}`, {
      reason: 'a walk',
    })
    if (!held(action, answer, isAllowed ? undefined : new Set(['TRANSITION_NOT_ALLOWED']))) return
    one.revision += 1
    one.state = ({ suspend: 'suspended', reinstate: 'usable', revoke: 'revoked' } as const)[action]
    expect(statusOf(model, one)).toBe(Object(answer.body).status)
  })

export const install = (index: number) =>
  about('upload', licenses, index, async (one, model, { tenants }) => {
    const { body } = await market.by(undefined, 'GET', `/v1/licenses/${one.id}/file`)
    const holder = tenants[one.holder]
    const answer = await market.by(holder, 'POST', `/v1/tenants/${holder?.id}/licenses/upload`, {
      file: body,
    })
    const status = statusOf(model, one)
    const whyNot = { REVOKED: 'FILE_NOT_USABLE', SUSPENDED: 'FILE_NOT_USABLE', EXPIRED: 'FILE_EXPIRED' }
    const refused = Object.entries(whyNot).find(([name]) => name === status)?.[1]
    if (held('upload', answer, refused === undefined ? undefined : new Set([refused])))
      one.install = 'applied'
  })

export const remove = (index: number) =>
  about('delete', live, index, async (one, _, { tenants }) => {
    const holder = tenants[one.holder]
    held(
      'delete',
      await market.by(holder, 'DELETE', `/v1/tenants/${holder?.id}/licenses/${one.id}`),
      undefined,
    )
    if (one.install === 'applied') one.install = 'deleted'
  })

export const request = (index: number, receiver: number | undefined) =>
  about(`request for ${receiver}`, licenses, index, async (one, model, { tenants }) => {
    const found = moving(model, one.id)
    const isTaken = model.ways.some(
      ({ items, state, lapses }) =>
        items[0]?.[0] === one.id && (state === 'APPROVED' || (state === 'REQUESTED' && model.now < lapses)),
    )
    const isOwn = receiver === one.holder
    const to = receiver === undefined ? {} : { receiver: tenants[receiver]?.id }
    const answer = await market.ask(receiver === undefined ? tenants[one.holder] : undefined, one.id, to)
    const refused = isTaken ? ['IN_USE'] : isOwn ? ['TRANSFER_NOT_ALLOWED'] : undefined
    if (!held('request', answer, isList(found) ? refused && new Set(refused) : found) || !isList(found))
      return
    const { transfer, transferCode } = z
      .object({ transfer: z.looseObject({ id: z.string() }), transferCode: z.string().default('') })
      .parse(answer.body)
    const twoParty = found.some(({ plan }) => PLANS[plan].approval)
    model.ways.push({
      id: transfer.id,
      code: transferCode,
      giver: one.holder,
      receiver,
      items: revisions(found),
      lapses: model.now + 14 * DAYS,
      approvals: new Set(twoParty ? [] : ['giving']),
      state: 'REQUESTED',
    })
  })

export const takeUp = (index: number, by: number) =>
  about(`${by} takes up`, open, index, async (way, model, { tenants }) => {
    const [taker] = [tenants[by]]
    if (taker === undefined || way.code === '') return
    const answer = await market.takeUp(taker, way.code)
    const refused =
      way.receiver !== undefined && way.receiver !== by
        ? 'NOT_FOUND'
        : model.now >= way.lapses
          ? 'TRANSFER_OVER'
          : way.giver === by
            ? 'TRANSFER_NOT_ALLOWED'
            : undefined
    if (held('take up', answer, refused === undefined ? undefined : new Set([refused]))) way.receiver = by
  })

export const approve = (index: number, who: 'giving' | 'receiving' | 'vendor') =>
  about(`${who} approves`, ways, index, async (way, model, { tenants }) => {
    if (who === 'receiving' && way.receiver === undefined) return
    const by = { giving: tenants[way.giver], receiving: tenants[way.receiver ?? -1], vendor: undefined }[who]
    const answer = await market.act(by, way.id, 'approve', who === 'vendor' ? { reason: 'agreed' } : {})
    const said = who === 'vendor' ? (['giving', 'receiving'] as const) : [who]
    const isLast = new Set([...way.approvals, ...said]).size === 2
    const refused = () => {
      if (way.state === 'APPROVED') return undefined
      if (way.state !== 'REQUESTED' || model.now >= way.lapses) return new Set(['TRANSFER_OVER'])
      if (way.receiver === undefined) return new Set(['TRANSITION_NOT_ALLOWED'])
      return isLast ? inTheWay(model, way) : undefined
    }
    if (!held('approve', answer, refused()) || way.state === 'APPROVED') return
    for (const side of said) way.approvals.add(side)
    if (isLast) way.state = 'APPROVED'
  })

/** By vendor staff alone, who know all tenants. */
export const agree = (index: number, to: number): Command => ({
  check: (model) => live(model).length > 0,
  async run(model, real) {
    const before = model.ways.length
    const one = pick(
      live(model).filter(({ type }) => type === 'NORMAL'),
      index,
    )
    if (one === undefined) return
    await request(model.licenses.indexOf(one), to).run(model, real)
    if (model.ways.length > before) await approve(before, 'vendor').run(model, real)
  },
  toString: () => `agree ${index} ${to}`,
})

export const refuse = (index: number) =>
  about('refuse', ways, index, async (way, model, { tenants }) => {
    const answer = await market.act(tenants[way.giver], way.id, 'refuse')
    const isOver = way.state !== 'REQUESTED' || model.now >= way.lapses
    if (held('refuse', answer, isOver ? new Set(['TRANSFER_OVER']) : undefined)) way.state = 'REFUSED'
  })

export const execute: Command = {
  check: ({ ways: all }) => all.some(({ state }) => state === 'APPROVED'),
  async run(model, real) {
    // A run is known by its time.
    advanceClock(MINUTE)
    model.now += 1
    await market.execute()
    for (const way of model.ways.filter(({ state }) => state === 'APPROVED')) {
      const refused = inTheWay(model, way)
      const done = await market.read(undefined, way.id)
      note(`${done.state} ${done.code}`)
      way.state = refused ? 'FAILED' : 'EXECUTED'
      expect(done.state).toBe(way.state)
      if (refused) expect([...refused]).toContain(done.code)
      else await moved(model, real, way, new Map(done.licenses.map((one) => [one.licenseId, one.successor])))
    }
    await check(model, real)
  },
  toString: () => 'execute',
}

/** The receiver has what was left; nothing of it counts that did not count, and nothing is told of it but that it came. */
async function moved(
  model: Model,
  { tenants }: Real,
  { id, items, receiver = -1 }: Way,
  successors: ReadonlyMap<string | undefined, string | undefined>,
) {
  const fresh: Own[] = []
  for (const [itemId] of items) {
    const old = model.licenses.find((one) => one.id === itemId)
    if (old === undefined) throw new Error('moved from nowhere')
    const base = old.base && successors.get(old.base)
    const from = old.to <= model.now || old.from > model.now ? old.from : model.now
    const past = old.moved.filter((at) => at > model.now - 365 * DAYS)
    const next = {
      id: successors.get(itemId) ?? '',
      holder: receiver,
      from,
      revision: 1,
      moved: [...past, model.now],
    }
    fresh.push({ ...old, ...next, ...(base && { base }) })
    if (old.install === 'awaited') note('moved unapplied')
  }
  for (const [itemId] of items)
    for (const old of model.licenses)
      if (old.id === itemId) Object.assign(old, { state: 'revoked', revision: old.revision + 1 })
  model.licenses.push(...fresh)
  const tenant = tenants[receiver]
  if (tenant === undefined) throw new Error('nobody received it')
  const { key, license } = await market.collect(tenant, id)
  const [first] = fresh
  expect(await market.verdict({ key })).toMatchObject({
    valid: first && counts(model, first),
    license: { id: license.id },
  })
  await market.by(tenant, 'POST', `/v1/tenants/${tenant.id}/licenses/refresh`)
  const told = (await market.log(tenant)).filter(({ subject }) => fresh.some((one) => one.id === subject.id))
  const types = told.map(({ type }) => type).filter((type) => type !== 'license-key.revealed')
  expect(types).toEqual(fresh.map(() => 'license.received'))
}

export const pass = (days: number): Command => ({
  check: () => true,
  async run(model, real) {
    advanceClock(days * DAY)
    model.now += days * DAYS
    await check(model, real)
  },
  toString: () => `wait ${days}`,
})
