import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Overview } from '../../../shared/domain/overview.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import { findReferences } from '../../../shared/store/address.ts'
import { outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { codesOf, expected, inDays } from '../../support/scenario.ts'
import { openMarket } from './transfer-rig.ts'

const api = await startApi()
afterAll(api.stop)
const market = await openMarket(api)
const { by, ask, request, takeUp, act, execute, read, collect, held, verdict, log } = market
const [giver, receiver] = await Promise.all([market.tenant('The Giver'), market.tenant('The Receiver')])

/** The vendor's own name for the license, whoever holds it. */
const REFERENCE = 'order 7, line 2'

const capacityOf = async (tenant: Tenant) => {
  const answer = await by(tenant, 'GET', `/v1/tenants/${tenant.id}/overview`)
  return Overview.parse(expected(200, answer)).users.capacity
}

test('a perpetual license moves once both sides have approved, each seeing what it needs of the other', async () => {
  const plan = await market.plan({}, { term: 'perpetual', duration: undefined, graceDays: 0 })
  const old = await market.issue(giver, plan.id, {
    reference: REFERENCE,
    productInstanceId: 'of the giver',
  })
  await by(giver, 'POST', `/v1/tenants/${giver.id}/licenses/upload`, { file: old.file })
  const { id, code, transfer } = await request(giver, old.license.id, { reason: 'Sold with the campus' })
  expect(transfer).toMatchObject({
    state: 'REQUESTED',
    side: 'giving',
    twoParty: true,
    awaits: ['receiver', 'giving', 'receiving'],
    exposure: { filesVerifyUntil: null, machines: 0 },
  })

  const seen = expected(200, await takeUp(receiver, code))
  expect(seen).toMatchObject({
    side: 'receiving',
    giving: { name: giver.name },
    awaits: ['giving', 'receiving'],
  })
  expect(seen).toMatchObject({ licenses: [{ term: 'perpetual', limits: { users: 100 } }] })
  expect(JSON.stringify(seen)).not.toMatch(new RegExp(`${giver.id}|${old.license.id}|exposure`))
  expect((await read(giver, id)).receiving).toEqual({ name: receiver.name })

  expect(expected(200, await act(giver, id, 'approve'))).toMatchObject({ awaits: ['receiving'] })
  expect(await verdict({ key: old.key })).toMatchObject({ valid: true })
  expect(expected(200, await act(receiver, id, 'approve'))).toMatchObject({ state: 'APPROVED', awaits: [] })
  expect(outcome(await act(receiver, id, 'collect'))).toBe('409 TRANSITION_NOT_ALLOWED')
  expect(await verdict({ key: old.key })).toMatchObject({ valid: true })
  await execute()
  expect(await read(giver, id)).toMatchObject({ state: 'EXECUTED', closedBy: 'receiving' })

  const gone = await verdict({ key: old.key })
  expect(gone).toMatchObject({
    valid: false,
    code: 'REVOKED',
    detail: expect.stringContaining('Transferred'),
  })
  expect(codesOf(await verdict({ file: old.file }))).toContain('REVOKED')
  const { license, key, file } = await collect(receiver, id)
  expect(await verdict({ key })).toMatchObject({ valid: true, license: { id: license.id } })
  expect(await verdict({ file })).toMatchObject({ valid: true, code: 'VALID' })
  expect(license).toMatchObject({ receivedBy: id, tenantId: receiver.id, customer: { name: receiver.name } })
  expect(license.productInstanceId).toBeUndefined()
  expect(await held(giver)).toMatchObject([{ id: old.license.id, status: 'REVOKED', transferredBy: id }])
  expect([await capacityOf(giver), await capacityOf(receiver)]).toEqual([0, 100])

  expect((await findReferences(api.table, [REFERENCE])).get(REFERENCE)?.licenseId).toBe(license.id)
  // The giving side never sees the key; an application with the old one learns why, and does nothing with it.
  expect(outcome(await act(giver, id, 'collect'))).toBe('403 FORBIDDEN')
  const headers = { authorization: `License ${old.key}` }
  const body = { records: [{ metric: 'users', value: 1 }] }
  expect(outcome(await api.call('POST', '/v1/usage', { headers, body }))).not.toBe('200')
})

test('each step is in the log of both sides, and neither log tells whose credential the other one used', async () => {
  const [given, received] = [await log(giver), await log(receiver)]
  expect(typesOf(given).filter((type) => /transfer/.test(type))).toEqual([
    'transfer.requested',
    'transfer.taken-up',
    'transfer.approved',
    'transfer.approved',
    'transfer.executed',
    'license.transferred',
  ])
  expect(typesOf(received).filter((type) => /transfer|license/.test(type))).toEqual([
    'transfer.taken-up',
    'transfer.approved',
    'transfer.approved',
    'transfer.executed',
    'license.received',
    'license-key.revealed',
  ])
  const actors = (events: typeof given) => [
    ...new Set(events.filter(({ type }) => type === 'transfer.approved').map(({ actor }) => actor.subject)),
  ]
  expect(actors(given)).toEqual([expect.stringMatching(/^tok_/), 'receiving side'])
  expect(actors(received)).toEqual(['giving side', expect.stringMatching(/^tok_/)])
  const moved = [...given, ...received].filter(({ type }) => /executed|transferred|received/.test(type))
  expect(new Set(moved.map(({ actor }) => actor.subject))).toEqual(new Set(['executeTransfers']))
  const [old] = await held(giver)
  expect(JSON.stringify(received)).not.toMatch(
    new RegExp(`${giver.id}|${old?.id}|${giver.customerId}|of the giver`),
  )
  expect(JSON.stringify(given)).not.toMatch(new RegExp(`${receiver.id}|${receiver.customerId}`))
})

test('vendor staff move one in the stead of both sides, with what extends it, and say why', async () => {
  const [from, to] = await Promise.all([market.tenant(), market.tenant()])
  const plan = await market.plan({ approval: true, perYear: 1 })
  const base = await market.issue(from, plan.id, { validFrom: inDays(-30), expiresAt: inDays(30) })
  const { id: baseId } = base.license
  const more = { extends: baseId, type: 'TOPUP', limits: { users: 20 } }
  await market.issue(from, plan.id, more)
  await market.issue(from, plan.id, { extends: baseId, type: 'VALIDITY', expiresAt: inDays(90) })
  const over = await market.issue(from, plan.id, more)
  await by(undefined, 'POST', `/v1/licenses/${over.license.id}/revoke`, { reason: 'a test' })

  const { id, code } = await request(undefined, baseId, { receiver: to.id, reason: 'Merger' })
  expect(code).toBe('')
  expect((await read(to, id)).awaits).toEqual(['giving', 'receiving'])
  expect(outcome(await act(undefined, id, 'approve'))).toBe('400 INVALID_REQUEST')
  expected(200, await act(undefined, id, 'approve', { reason: 'Both have signed' }))
  await execute()
  expect(await read(to, id)).toMatchObject({ state: 'EXECUTED', closedBy: 'vendor' })

  const { license, key, rest } = await collect(to, id)
  expect(rest.map((one) => [one.license.type, one.license.extends]).toSorted()).toEqual([
    ['TOPUP', license.id],
    ['VALIDITY', license.id],
  ])
  expect(await verdict({ key })).toMatchObject({
    valid: true,
    license: { expiresAt: inDaysText(await read(undefined, id)) },
    entitlement: { pools: [{ metric: 'users', capacity: 120 }] },
  })
  expect((await held(from)).map(({ status }) => status)).toEqual(Array(4).fill('REVOKED'))
  expect(await capacityOf(from)).toBe(0)
  const byStaff = (await log(to)).filter(({ type }) => type === 'transfer.approved')
  expect(byStaff).toMatchObject([
    { actor: { kind: 'vendor', role: 'vendor:issuer' }, reason: 'Both have signed' },
  ])

  // Its rule of one a year knows where it came from.
  expect(outcome(await ask(to, license.id))).toBe('409 TRANSFERS_EXHAUSTED')
  // And the vendor goes on with it as with any other.
  expect(outcome(await by(undefined, 'POST', `/v1/licenses/${license.id}/renew`))).toBe('200')
})

/** The end of the VALIDITY license of a transfer: the end of all. */
const inDaysText = ({ licenses }: Awaited<ReturnType<typeof read>>) =>
  licenses.find(({ type }) => type === 'VALIDITY')?.expiresAt

test('what the giving side could go on using offline is told before, and kept with the transfer', async () => {
  const borrow = { transfer: { allowed: true }, borrow: { maximum: 'P7D' } }
  const [from, to] = await Promise.all([market.tenant(), market.tenant()])
  const plans = await Promise.all([
    market.plan({}, { rules: borrow, allocation: 'floating', limits: { concurrent: 5 }, features: {} }),
    market.plan({}, { allocation: 'node-locked', limits: { machines: 5 }, features: {} }),
  ])
  const [floating, locked] = await Promise.all(plans.map((plan) => market.issue(from, plan.id)))
  if (floating === undefined || locked === undefined) throw new Error('nothing was issued')
  const use = async (path: string, { key }: typeof floating, body: object) => {
    const answer = await api.call('POST', path, { headers: { authorization: `License ${key}` }, body })
    return z.looseObject({ lease: z.object({ expiresAt: z.string() }).optional() }).parse(answer.body)
  }
  const out = { item: { metric: 'concurrent', units: 2 }, fingerprint: 'machine-of-ada' }
  const { lease: borrowed } = await use('/v1/leases/borrow', floating, out)
  await use('/v1/leases', floating, {})
  await use('/v1/activations', locked, { fingerprints: [{ value: 'machine-one' }] })
  const file = { format: 'latchkey-activation-request/1', product: market.product.code }
  const offline = { ...file, fingerprints: [{ value: 'machine-two' }], nonce: 'n'.repeat(16) }
  await use('/v1/activations/offline', locked, { request: offline })

  const first = await request(from, floating.license.id)
  expect(first.transfer.exposure).toMatchObject({
    filesVerifyUntil: floating.license.graceEndsAt,
    leases: { count: 1 },
    borrowed: { count: 2, until: borrowed?.expiresAt },
    machines: 0,
  })
  const { id } = await request(undefined, locked.license.id, { receiver: to.id })
  const wanted = { machines: 1, offlineMachines: { count: 1, until: locked.license.graceEndsAt } }
  expect((await read(from, id)).exposure).toMatchObject(wanted)
  expected(200, await act(to, id, 'approve'))
  await execute()
  expect((await read(from, id)).exposure).toMatchObject(wanted)
  expect((await read(to, id)).exposure).toBeUndefined()
})

describe('where one word is enough', () => {
  test('the receiver’s, or vendor staff’s, executes what the giver asked for', async () => {
    const plan = await market.plan({})
    const [from, to] = await Promise.all([market.tenant(), market.tenant()])
    for (const who of [to, undefined]) {
      const old = await market.issue(from, plan.id)
      const { id, code } = await request(from, old.license.id)
      expected(200, await takeUp(to, code))
      const done = await act(who, id, 'approve', { reason: 'Agreed' })
      expect(expected(200, done)).toMatchObject({ state: 'APPROVED', twoParty: false })
      await execute()
      const { license } = await collect(to, id)
      expect(license).toMatchObject({
        expiresAt: old.license.expiresAt,
        graceEndsAt: old.license.graceEndsAt,
      })
    }
    expect([await capacityOf(from), await capacityOf(to)]).toEqual([0, 200])
  })

  test('lists show each side its own, to vendor staff all, by state', async () => {
    const plan = await market.plan({})
    const [from, to, stranger] = await Promise.all([market.tenant(), market.tenant(), market.tenant()])
    const [first, second] = [await market.issue(from, plan.id), await market.issue(from, plan.id)]
    const done = await request(undefined, first.license.id, { receiver: to.id })
    expected(200, await act(to, done.id, 'approve'))
    await execute()
    const open = await request(from, second.license.id)
    const Page = z.object({ items: z.array(z.object({ id: z.string(), state: z.string() })) })
    const list = async (tenant: Tenant | undefined, path: string, state?: string) => {
      const token = await (tenant ? api.token('tenant:reporter', tenant.id) : api.token('vendor:support'))
      const answer = await api.call('GET', path, { token, query: { ...(state && { state }) } })
      return Page.parse(expected(200, answer)).items.map((one) => one.id)
    }
    const own = (tenant: Tenant) => `/v1/tenants/${tenant.id}/transfers`
    expect(await list(from, own(from))).toEqual([open.id, done.id])
    expect(await list(to, own(to))).toEqual([done.id])
    expect(await list(stranger, own(stranger))).toEqual([])
    expect(await list(from, own(from), 'REQUESTED')).toEqual([open.id])
    expect((await list(undefined, '/v1/transfers')).slice(0, 2)).toEqual([open.id, done.id])
  })
})
