import { afterAll, describe, expect, test } from 'vitest'
import { outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { allRows } from '../../support/rows.ts'
import { expected } from '../../support/scenario.ts'
import { activatedBy, fingerprints, keyed, openShop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)

describe('activating a machine', () => {
  test('takes a place, and asking again answers the same one', async () => {
    const shop = await openShop(api, 2)
    const first = await shop.activate(['a'], { more: { name: 'Laptop 3', platform: 'linux' } })
    const activation = activatedBy(first)
    expect(activation).toMatchObject({
      tenantId: shop.tenantId,
      productId: shop.productId,
      licenseId: shop.license.id,
      name: 'Laptop 3',
      platform: 'linux',
      state: 'NOT_STARTED',
      overdraft: false,
      fingerprints: 1,
    })
    expect(said(first)).toBe('created')
    const again = await shop.activate(['a'])
    expect(said(again)).toBe('there before')
    expect(activatedBy(again)).toEqual(activation)
    expect(await shop.list()).toEqual([activation])
    expect(await shop.pool()).toMatchObject({ used: 1, overdrawn: 0 })
    expect(typesOf(await shop.events())).toEqual(['activation.created'])
    expect(await shop.faults()).toEqual([])
  })

  test('with an Idempotency-Key answers a replay with the first answer', async () => {
    const shop = await openShop(api, 2)
    const headers = { authorization: `License ${shop.key}`, ...keyed() }
    const first = await shop.activate(['a'], { headers })
    await shop.deactivate(activatedBy(first).id)
    expect((await shop.activate(['a'], { headers })).body).toEqual(first.body)
    expect(outcome(await shop.activate(['b'], { headers }))).toBe('422 IDEMPOTENCY_MISMATCH')
    expect(await shop.rows()).toEqual([])
  })

  test('works with a token of the tenant that names the product', async () => {
    const shop = await openShop(api, 1)
    const token = await api.token('tenant:app', shop.tenantId)
    expect(outcome(await shop.activate(['a'], { token }))).toBe('400 INVALID_REQUEST')
    expect(said(await shop.activate(['a'], { token, more: { product: shop.product } }))).toBe('created')
    expect(said(await shop.activate(['a'], { token, more: { product: shop.productId } }))).toBe(
      'there before',
    )
  })

  test('stores no raw value of the hardware', async () => {
    const shop = await openShop(api, 1)
    await shop.activate(['mac:00-1B-44-11-3A-B7', 'disk:WD-WCC4E1'])
    const text = JSON.stringify([...(await allRows(api.table)).values()])
    expect(text).not.toContain('00-1B-44-11-3A-B7')
    expect(text).not.toContain('WD-WCC4E1')
  })

  test('draws from all node-locked licenses in force, and what adds to them', async () => {
    const shop = await openShop(api, 1)
    expect(said(await shop.activate(['a']))).toBe('created')
    expect(said(await shop.activate(['b']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    const { license } = await shop.issue({ type: 'TOPUP', extends: shop.license.id, limits: { machines: 2 } })
    expect(said(await shop.activate(['b']))).toBe('created')
    expect(said(await shop.activate(['c']))).toBe('created')
    expect(said(await shop.activate(['d']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    await shop.act(license.id, 'revoke')
    // Nobody is dropped when capacity falls; new grants stop.
    expect(await shop.list()).toHaveLength(3)
    expect(said(await shop.activate(['c']))).toBe('there before')
    expect(said(await shop.activate(['d']))).toBe('409 ACTIVATIONS_EXHAUSTED')
  })

  test('is refused when every place is taken, and says how things stand', async () => {
    const shop = await openShop(api, 1, { overdraft: { kind: 'absolute', units: 1 } })
    await shop.activate(['a'], { more: { name: 'Lab 1' } })
    await shop.activate(['b'])
    const token = await api.token('tenant:admin', shop.tenantId)
    const toTenant = await shop.activate(['c'], { token, more: { product: shop.product } })
    expect(outcome(toTenant)).toBe('409 ACTIVATIONS_EXHAUSTED')
    expect(toTenant.body).toMatchObject({
      detail: expect.stringMatching(/^2 of 2 places.*1 of them overdraft.*act_\w+ Lab 1/),
      pool: { metric: 'machines', capacity: 1, limit: 2, used: 2 },
    })
    const toKey = await shop.activate(['c'])
    expect(JSON.stringify(toKey.body)).not.toContain('Lab 1')
  })

  test('is refused while the license is not in force', async () => {
    const shop = await openShop(api, 5)
    await shop.activate(['a'])
    await shop.act(shop.license.id, 'suspend')
    expect(said(await shop.activate(['a']))).toBe('409 LICENSE_NOT_IN_FORCE')
    await shop.act(shop.license.id, 'reinstate')
    expect(said(await shop.activate(['a']))).toBe('there before')
  })
})

describe('deactivating a machine', () => {
  test('frees its place and its fingerprints; it can be activated again', async () => {
    const shop = await openShop(api, 1)
    const { id } = activatedBy(await shop.activate(['a', 'mac:x']))
    const answer = await shop.deactivate(id, { query: { reason: 'sold' } })
    expect(expected(200, answer)).toMatchObject({ activation: { id } })
    expect(outcome(await shop.deactivate(id))).toBe('404 NOT_FOUND')
    expect(await shop.pool()).toMatchObject({ used: 0 })
    expect(activatedBy(await shop.activate(['a', 'mac:x'])).id).not.toBe(id)
    const [, deactivated] = await shop.events()
    expect(deactivated).toMatchObject({ type: 'activation.deactivated', reason: 'sold', subject: { id } })
    expect(await shop.faults()).toEqual([])
  })

  test('is possible when no license is in force, and with the license key', async () => {
    const shop = await openShop(api, 1)
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.act(shop.license.id, 'revoke')
    const headers = { authorization: `License ${shop.key}` }
    expect((await shop.deactivate(id, { token: undefined, headers })).status).toBe(200)
    expect(await shop.faults()).toEqual([])
  })

  test('is not for the key of another product', async () => {
    const shop = await openShop(api, 1)
    const other = await openShop(api, 1)
    const { id } = activatedBy(await shop.activate(['a']))
    const headers = { authorization: `License ${other.key}` }
    const foreign = await shop.deactivate(id, { token: undefined, headers })
    expect(outcome(foreign)).toBe('404 NOT_FOUND')
    expect(outcome(await other.beat(id))).toBe('404 NOT_FOUND')
    expect(await shop.list()).toHaveLength(1)
  })
})

describe('overdraft', () => {
  test.each([
    ['none', { kind: 'none' }, 2, 0],
    ['absolute', { kind: 'absolute', units: 2 }, 4, 2],
    ['percent, rounded down', { kind: 'percent', percent: 75 }, 3, 1],
    ['percent, capped', { kind: 'percent', percent: 400, cap: 3 }, 5, 3],
    ['unlimited', { kind: 'unlimited' }, 6, 4],
  ])('%s', async (_, overdraft, most, flagged) => {
    const shop = await openShop(api, 2, { overdraft })
    for (const machine of ['a', 'b', 'c', 'd', 'e', 'f']) await shop.activate([machine])
    const all = await shop.list()
    expect(all.map((one) => one.overdraft)).toEqual(
      Array.from({ length: most }, (__, index) => index >= most - flagged),
    )
    expect(await shop.faults()).toEqual([])
  })

  test('a place inside the limit that frees goes to the oldest overdraft grant', async () => {
    const shop = await openShop(api, 2, { overdraft: { kind: 'absolute', units: 2 } })
    const ids: string[] = []
    for (const machine of ['a', 'b', 'c', 'd']) ids.push(activatedBy(await shop.activate([machine])).id)
    await shop.deactivate(ids[0] ?? '')
    const left = (await shop.list()).map(({ id, overdraft }) => [id, overdraft])
    expect(left).toEqual([
      [ids[1], false],
      [ids[2], false],
      [ids[3], true],
    ])
    await shop.deactivate(ids[3] ?? '')
    expect((await shop.list()).map(({ overdraft }) => overdraft)).toEqual([false, false])
    const promoted = (await shop.events()).filter(({ type }) => type === 'activation.promoted')
    expect(promoted.map(({ subject }) => subject.id)).toEqual([ids[2]])
    expect(await shop.faults()).toEqual([])
  })

  test('more capacity makes room for those in overdraft at the next change', async () => {
    const shop = await openShop(api, 1, { overdraft: { kind: 'absolute', units: 2 } })
    for (const machine of ['a', 'b', 'c']) await shop.activate([machine])
    await shop.issue({ type: 'TOPUP', extends: shop.license.id, limits: { machines: 3 } })
    await shop.activate(['d'])
    expect((await shop.list()).map(({ overdraft }) => overdraft)).toEqual([false, false, false, false])
    expect(await shop.faults()).toEqual([])
  })
})

describe('whose machine it is', () => {
  test('a machine with a part replaced is the same where the rule lets it', async () => {
    const shop = await openShop(api, 3, { fingerprints: { match: 'most' } })
    const { id } = activatedBy(await shop.activate(['mac:1', 'disk:1', 'board:1']))
    expect(activatedBy(await shop.activate(['mac:1', 'disk:2', 'board:1'])).id).toBe(id)
    const taken = await shop.activate(['mac:1', 'disk:2', 'board:2'])
    expect(said(taken)).toBe('409 FINGERPRINT_TAKEN')
    expect(taken.body).toHaveProperty('detail', expect.stringContaining(id))
    expect(said(await shop.activate(['mac:2', 'disk:2', 'board:2']))).toBe('created')
    expect(await shop.faults()).toEqual([])
  })

  test('the same value of another component is another fingerprint', async () => {
    const shop = await openShop(api, 3)
    expect(said(await shop.activate(['mac:1']))).toBe('created')
    expect(said(await shop.activate(['disk:1']))).toBe('created')
    expect(said(await shop.activate(['1']))).toBe('created')
  })

  test('duplicates are one component', async () => {
    const shop = await openShop(api, 3, { fingerprints: { match: 'two' } })
    const { fingerprints: count } = activatedBy(await shop.activate(['mac:1', 'mac:1']))
    expect(count).toBe(1)
    expect(said(await shop.activate(['mac:1']))).toBe('there before')
  })

  test.each([
    ['product', 'there before', 'there before'],
    ['plan', 'there before', 'created'],
    ['license', 'created', 'created'],
  ])('a machine counts once within its %s', async (unique, onSamePlan, onOtherPlan) => {
    const rules = { fingerprints: { match: 'any', unique } }
    const shop = await openShop(api, 3, rules)
    const samePlan = await shop.issue()
    const plan = await api.call('POST', '/v1/plans', {
      token: await api.token('vendor:admin'),
      body: {
        productId: shop.productId,
        name: 'Another',
        term: 'subscription',
        duration: 'P1Y',
        allocation: 'node-locked',
        limits: { machines: 3 },
        rules,
      },
    })
    const planId: unknown = expected(201, plan)
    const otherPlan = await shop.issue({ planId: idOf(planId) })
    expect(said(await shop.activate(['a']))).toBe('created')
    const asked = (key: string) => shop.activate(['a'], { headers: { authorization: `License ${key}` } })
    expect(said(await asked(samePlan.key))).toBe(onSamePlan)
    expect(said(await asked(otherPlan.key))).toBe(onOtherPlan)
    expect(await shop.faults()).toEqual([])
  })
})

test('the list shows a page at a time, and one product or state where asked', async () => {
  const shop = await openShop(api, 5)
  for (const machine of ['a', 'b', 'c']) await shop.activate([machine])
  const [first, second, third] = await shop.list()
  expect(await shop.list({ product: shop.product })).toEqual([first, second, third])
  await shop.beat(second?.id ?? '')
  expect((await shop.list({ state: 'ALIVE' })).map(({ id }) => id)).toEqual([second?.id])
  expect(await shop.list({ product: (await openShop(api, 1)).product })).toEqual([])
  const token = await api.token('tenant:reporter', shop.tenantId)
  const path = `/v1/tenants/${shop.tenantId}/activations`
  const page = await api.call('GET', path, { token, query: { limit: '2' } })
  const ids = [{ id: first?.id }, { id: second?.id }]
  expect(page.body).toMatchObject({ items: ids, nextCursor: expect.any(String) })
})

test('what is no machine is refused', async () => {
  const shop = await openShop(api, 5)
  const body = (more: object) => shop.activate(['a'], { more })
  for (const wrong of [
    { fingerprints: [] },
    { fingerprints: fingerprints(...Array.from({ length: 21 }, (_, index) => `p:${index}`)) },
    { fingerprints: [{ value: 'short' }] },
    { serial: 'x' },
  ]) {
    expect(outcome(await body(wrong))).toBe('400 INVALID_REQUEST')
  }
  expect(await shop.rows()).toEqual([])
})

function idOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'id' in body ? String(body.id) : ''
}
