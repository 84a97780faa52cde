import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { hashesOf } from '../../../shared/domain/activation.ts'
import { DAY } from '../../../shared/platform/time.ts'
import { fingerprintKey } from '../../../shared/store/keys.ts'
import { writeRow } from '../../../shared/store/write.ts'
import { type CallOptions, outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { typesOf } from '../../support/events.ts'
import { tally, times } from '../../support/parallel.ts'
import { expected } from '../../support/scenario.ts'
import { activatedBy, fingerprints, keyed, openShop, type Shop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const TWICE_A_MONTH = { deactivations: { allowed: 2, period: 'P30D' } }

async function reset(shop: Shop, reason?: string, options: CallOptions = {}) {
  const token = await api.token('vendor:support')
  const body = { product: shop.product, ...(reason && { reason }) }
  return api.call('POST', `/v1/tenants/${shop.tenantId}/activations/reset`, {
    token,
    body,
    headers: keyed(),
    ...options,
  })
}

/** Machines that are dead, and the components of one that takes after all of them. */
async function manyDead() {
  const shop = await openShop(api, 8, {
    heartbeat: { required: true, window: 'PT10M', revive: 'never' },
    fingerprints: { match: 'all' },
  })
  stopClock()
  const partsOf = (name: string) => Array.from({ length: 20 }, (_, part) => `p${part}:${name}${part}`)
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const name of names) await shop.activate(partsOf(name))
  advanceClock(DAY)
  return { shop, one: names.map((name, part) => `p${part}:${name}${part}`) }
}

/** Time to take away those of one transaction: the frame of the function looks once, too. */
function shortly() {
  let looks = 2
  return { remaining: () => (looks-- > 0 ? 60_000 : 1_000) }
}

describe('moving to other hardware', () => {
  test('keeps the place and ends the old activation', async () => {
    const shop = await openShop(api, 1)
    const old = activatedBy(await shop.activate(['a', 'mac:a'], { more: { name: 'Lab 1', userId: 'ada' } }))
    const moved = expected(200, await shop.move(old.id, ['b', 'mac:a']))
    expect(moved).toMatchObject({ activation: { movedFrom: old.id, userId: 'ada', fingerprints: 2 } })
    expect(moved).not.toHaveProperty('activation.name')
    expect(moved).not.toHaveProperty('moves')
    expect(outcome(await shop.beat(old.id))).toBe('404 NOT_FOUND')
    expect(said(await shop.activate(['b', 'mac:a']))).toBe('there before')
    expect(said(await shop.activate(['a']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    expect(typesOf(await shop.events())).toEqual(['activation.created', 'activation.moved'])
    expect(await shop.faults()).toEqual([])
  })

  test('to a machine that has a place is FINGERPRINT_TAKEN', async () => {
    const shop = await openShop(api, 2)
    const [a, b] = [activatedBy(await shop.activate(['a'])), activatedBy(await shop.activate(['b']))]
    const answer = await shop.move(a.id, ['b'])
    expect(outcome(answer)).toBe('409 FINGERPRINT_TAKEN')
    expect(answer.body).toHaveProperty('detail', expect.stringContaining(b.id))
    expect(await shop.faults()).toEqual([])
  })

  test('takes the places of dead machines, however many of its components were theirs', async () => {
    const { shop, one } = await manyDead()
    const { id } = activatedBy(await shop.activate(['x']))
    expect(outcome(await shop.move(id, one, shortly()))).toBe('503 UNFINISHED')
    expect(await shop.rows()).toHaveLength(5)
    expect(expected(200, await shop.move(id, one))).toMatchObject({ activation: { movedFrom: id } })
    expect((await shop.rows()).map(({ movedFrom }) => movedFrom)).toEqual([id])
    expect(await shop.faults()).toEqual([])
  })

  test('so does an activation, offline or not', async () => {
    for (const path of ['/v1/activations', '/v1/activations/offline']) {
      const { shop, one } = await manyDead()
      const machine = { product: shop.product, fingerprints: fingerprints(...one) }
      const request = { ...machine, format: 'latchkey-activation-request/1', nonce: 'a-nonce-of-the-machine' }
      const body = path.endsWith('offline') ? { request } : machine
      const headers = { authorization: `License ${shop.key}` }
      const activate = (options: CallOptions = {}) => api.call('POST', path, { headers, body, ...options })
      expect(outcome(await activate(shortly())), path).toBe('503 UNFINISHED')
      expect(await shop.rows(), path).toHaveLength(4)
      expect(outcome(await activate()), path).toBe('200')
      expect(await shop.rows(), path).toHaveLength(1)
      expect(await shop.faults()).toEqual([])
    }
  })

  test('is refused while no license is in force', async () => {
    const shop = await openShop(api, 2)
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.act(shop.license.id, 'suspend')
    expect(outcome(await shop.move(id, ['b']))).toBe('409 LICENSE_NOT_IN_FORCE')
  })

  test('of an overdraft grant stays one', async () => {
    const shop = await openShop(api, 1, { overdraft: { kind: 'absolute', units: 1 } })
    await shop.activate(['a'])
    const { id } = activatedBy(await shop.activate(['b']))
    expect(expected(200, await shop.move(id, ['c']))).toMatchObject({ activation: { overdraft: true } })
    expect(await shop.faults()).toEqual([])
  })
})

describe('the allowance: two moves to another machine in 30 days', () => {
  test('counts moves, and lets a replaced part be', async () => {
    const shop = await openShop(api, 1, { ...TWICE_A_MONTH, fingerprints: { match: 'most' } })
    stopClock()
    const move = async (from: string, parts: string[]) => {
      const answer = await shop.move(from, parts)
      return answer.status === 200 ? activatedIn(answer.body) : { id: from, left: outcome(answer) }
    }
    const { id } = activatedBy(await shop.activate(['mac:1', 'disk:1']))
    let at = await move(id, ['mac:1', 'disk:2'])
    expect(at.left).toBe(2)
    at = await move(at.id, ['mac:2', 'disk:3'])
    expect(at.left).toBe(1)
    // Back to a machine that was seen.
    at = await move(at.id, ['mac:1', 'disk:2'])
    expect(at.left).toBe(1)
    at = await move(at.id, ['mac:4', 'disk:4'])
    expect(at.left).toBe(0)
    expect((await move(at.id, ['mac:5', 'disk:5'])).left).toBe('409 MOVES_EXHAUSTED')
    advanceClock(30 * DAY)
    at = await move(at.id, ['mac:5', 'disk:5'])
    expect(at.left).toBe(1)
    expect(await shop.faults()).toEqual([])
  })

  test('counts a place that passes by deactivation, unless to a machine seen or where there is room', async () => {
    const shop = await openShop(api, 2, TWICE_A_MONTH)
    stopClock()
    const swap = async (from: string, to: string) => {
      const found = activatedBy(await shop.activate([from]))
      await shop.deactivate(found.id)
      return said(await shop.activate([to]))
    }
    await shop.activate(['a'])
    // The second place was nobody's yet.
    expect(await swap('a', 'b')).toBe('created')
    expect(await shop.pool()).toMatchObject({ freed: 1, moves: [] })
    // Its own place again.
    expect(said(await shop.activate(['a']))).toBe('created')
    expect(await shop.pool()).toMatchObject({ freed: 0, moves: [] })
    expect(await swap('a', 'c')).toBe('created')
    expect(await swap('c', 'd')).toBe('created')
    expect((await shop.pool()).moves).toHaveLength(2)
    expect(await swap('d', 'e')).toBe('409 MOVES_EXHAUSTED')
    expect(said(await shop.activate(['d']))).toBe('created')
    await shop.deactivate(activatedBy(await shop.activate(['d'])).id)
    advanceClock(30 * DAY)
    expect(said(await shop.activate(['e']))).toBe('created')
    expect(await shop.faults()).toEqual([])
  })

  test('is not touched by what the vendor deactivates', async () => {
    const shop = await openShop(api, 1, { deactivations: { allowed: 0, period: 'P1Y' } })
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.deactivate(id, { token: await api.token('vendor:support') })
    expect(said(await shop.activate(['b']))).toBe('created')
    await shop.deactivate(activatedBy(await shop.activate(['b'])).id)
    expect(said(await shop.activate(['c']))).toBe('409 MOVES_EXHAUSTED')
    expect(said(await shop.activate(['b']))).toBe('created')
  })

  test('is not touched where a machine takes the place of a dead one', async () => {
    const shop = await openShop(api, 1, {
      deactivations: { allowed: 0, period: 'P1Y' },
      overdraft: { kind: 'absolute', units: 1 },
      heartbeat: { required: true, window: 'PT10M', revive: 'never' },
    })
    stopClock()
    await shop.activate(['a'])
    await shop.activate(['b'])
    await shop.deactivate(activatedBy(await shop.activate(['a'])).id)
    // The place that `a` gave back is for `a`, or a move; that of `b`, once it is dead, is anybody's.
    expect(said(await shop.activate(['c']))).toBe('409 MOVES_EXHAUSTED')
    advanceClock(DAY)
    expect(said(await shop.activate(['c']))).toBe('created')
    expect(await shop.pool()).toMatchObject({ used: 1, freed: 1, moves: [] })
    expect(said(await shop.activate(['a']))).toBe('created')
    expect(await shop.pool()).toMatchObject({ used: 2, freed: 0, moves: [] })
    expect(await shop.faults()).toEqual([])
  })

  test('is never exceeded by many at once', async () => {
    const shop = await openShop(api, 3, TWICE_A_MONTH)
    const ids: string[] = []
    for (const machine of ['a', 'b', 'c']) ids.push(activatedBy(await shop.activate([machine])).id)
    await Promise.all(ids.map((id) => shop.deactivate(id)))
    const answers = await times(10, (index) => shop.activate([`${index}`]))
    expect(tally(answers.map(said))).toEqual({ created: 2, '409 MOVES_EXHAUSTED': 8 })
    expect(await shop.pool()).toMatchObject({ used: 2, freed: 1 })
    expect(await shop.faults()).toEqual([])
  })
})

describe('a reset by the vendor', () => {
  test('deactivates all machines of the product, forgets the moves, and is told with its reason', async () => {
    const shop = await openShop(api, 40, { ...TWICE_A_MONTH, overdraft: { kind: 'absolute', units: 2 } })
    await times(42, (index) => shop.activate([`${index}`, `mac:${index}`]))
    const [first] = await shop.rows()
    await shop.move(first?.id ?? '', ['moved'])
    expect(outcome(await reset(shop))).toBe('400 INVALID_REQUEST')
    // The frame of the function looks once, too: time for one transaction, which has no room for all.
    let looks = 2
    const shortly = { remaining: () => (looks-- > 0 ? 60_000 : 1_000) }
    expect(outcome(await reset(shop, 'new laptops', shortly))).toBe('503 UNFINISHED')
    const left = (await shop.rows()).length
    expect(left).toBeLessThan(42)
    expect(expected(200, await reset(shop, 'new laptops'))).toEqual({ deactivated: left })
    expect(await shop.pool()).toMatchObject({ used: 0, overdrawn: 0, freed: 0, moves: [] })
    const events = (await shop.events()).filter(({ reason }) => reason === 'new laptops')
    expect(tally(typesOf(events))).toEqual({ 'activation.deactivated': 42, 'activations.reset': 1 })
    expect(await shop.faults()).toEqual([])
    expect(expected(200, await reset(shop, 'again'))).toEqual({ deactivated: 0 })
    expect(said(await shop.activate(['0']))).toBe('created')
  })

  test('goes well with machines that are deactivated, or send heartbeats, at the same time', async () => {
    const shop = await openShop(api, 20, { heartbeat: { window: 'PT10M' } })
    const ids = (await times(20, (index) => shop.activate([`${index}`]))).map(
      (answer) => activatedBy(answer).id,
    )
    const [answer] = await Promise.all([
      reset(shop, 'a test'),
      ...ids.slice(0, 5).map((id) => shop.deactivate(id)),
      ...ids.slice(5).map((id) => shop.beat(id)),
    ])
    expect(answer.status).toBe(200)
    expect(await shop.rows()).toEqual([])
    expect(await shop.faults()).toEqual([])
  })

  test('comes to its end where a component is not taken by its machine', async () => {
    const shop = await openShop(api, 1)
    await shop.activate(['a'])
    const [row] = await shop.rows()
    if (row === undefined) throw new Error('there is no machine')
    const key = fingerprintKey(shop.tenantId, shop.productId, row.scope, hashesOf(row)[0] ?? '')
    await writeRow(api.table, { kind: 'remove', key })
    expect(outcome(await reset(shop, 'a test'))).toBe('503 CONTENDED')
  })

  test('is for vendor staff alone', async () => {
    const shop = await openShop(api, 1)
    const token = await api.token('tenant:admin', shop.tenantId)
    const body = { product: shop.product, reason: 'x' }
    const answer = await api.call('POST', `/v1/tenants/${shop.tenantId}/activations/reset`, { token, body })
    expect(outcome(answer)).toBe('403 FORBIDDEN')
  })
})

function activatedIn(body: unknown): { id: string; left: unknown } {
  expect(body).toMatchObject({ activation: { id: expect.any(String) }, moves: { left: expect.any(Number) } })
  const { activation, moves } = Object(body)
  return { id: String(activation.id), left: moves.left }
}
