import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { typesOf } from '../../support/events.ts'
import { tally, times } from '../../support/parallel.ts'
import { expected } from '../../support/scenario.ts'
import { activatedBy, openShop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const tenMinutes = (revive: string, required = false) => ({
  heartbeat: { window: 'PT10M', revive, required },
})

describe('a heartbeat', () => {
  test('moves the end of life, and says when the next one is wanted', async () => {
    const shop = await openShop(api, 1, tenMinutes('never'))
    stopClock()
    const { id } = activatedBy(await shop.activate(['a']))
    advanceClock(60 * MINUTE)
    expect((await shop.list())[0]).toMatchObject({ state: 'NOT_STARTED' })
    const now = advanceClock(0)
    const answer = expected(200, await shop.beat(id))
    expect(answer).toMatchObject({ activationId: id, state: 'ALIVE' })
    expect((await shop.list())[0]).toMatchObject({ state: 'ALIVE', lastHeartbeatAt: now, ...deadAt(answer) })
    advanceClock(10 * MINUTE)
    expect(expected(200, await shop.beat(id))).toMatchObject({ state: 'ALIVE' })
    advanceClock(11 * MINUTE)
    expect((await shop.list())[0]).toMatchObject({ state: 'DEAD' })
  })

  test('is one update: no read, no transaction, no event', async () => {
    const shop = await openShop(api, 1, tenMinutes('never'))
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.beat(id)
    const events = (await shop.events()).length
    const before = api.dynamoCalls()
    await shop.beat(id)
    const calls = api.dynamoCalls()
    const done = (name: string) => (calls[name] ?? 0) - (before[name] ?? 0)
    // One read is of the license key's own license, by authentication.
    expect([done('UpdateItem'), done('TransactWriteItems'), done('Query'), done('GetItem')]).toEqual([
      1, 0, 0, 1,
    ])
    expect(await shop.events()).toHaveLength(events)
  })

  test('of nobody, or of another tenant, is NOT_FOUND', async () => {
    const [shop, other] = [await openShop(api, 1), await openShop(api, 1)]
    const { id } = activatedBy(await shop.activate(['a']))
    expect(outcome(await other.beat(id))).toBe('404 NOT_FOUND')
    expect(outcome(await shop.beat(`act_${'0'.repeat(26)}`))).toBe('404 NOT_FOUND')
    const token = await api.token('tenant:app', other.tenantId)
    expect(outcome(await shop.beat(id, { headers: {}, token }))).toBe('404 NOT_FOUND')
  })

  test.each([
    ['never', 5, '409 ACTIVATION_DEAD'],
    ['within-window', 5, '200'],
    ['within-window', 11, '409 ACTIVATION_DEAD'],
    ['always', 100_000, '200'],
  ])('of a dead machine, revival %s, %d minutes late: %s', async (revive, late, answered) => {
    const shop = await openShop(api, 1, tenMinutes(revive))
    stopClock()
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.beat(id)
    advanceClock((10 + late) * MINUTE)
    const token = await api.token('tenant:app', shop.tenantId)
    const answer = await shop.beat(id, { headers: {}, token })
    expect(outcome(answer)).toBe(answered)
    if (answer.status === 200) expect(answer.body).toMatchObject({ state: 'REVIVED' })
  })

  test('is taken while the license is suspended', async () => {
    const shop = await openShop(api, 1, tenMinutes('never'))
    const { id } = activatedBy(await shop.activate(['a']))
    await shop.act(shop.license.id, 'suspend')
    expect((await shop.beat(id)).status).toBe(200)
  })
})

describe('a dead machine', () => {
  test('never blocks a grant: its place is taken by the grant that needs it, with its event', async () => {
    const shop = await openShop(api, 2, tenMinutes('always'))
    stopClock()
    const [dead, alive] = [activatedBy(await shop.activate(['a'])), activatedBy(await shop.activate(['b']))]
    await shop.beat(dead.id)
    expect(said(await shop.activate(['c']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    advanceClock(11 * MINUTE)
    await shop.beat(alive.id)
    const next = activatedBy(await shop.activate(['c']))
    expect((await shop.list()).map(({ id }) => id)).toEqual([alive.id, next.id])
    const reclaimed = (await shop.events()).find(({ type }) => type === 'activation.reclaimed')
    expect(reclaimed).toMatchObject({ subject: { id: dead.id }, after: { by: next.id } })
    expect(outcome(await shop.beat(dead.id))).toBe('404 NOT_FOUND')
    expect(said(await shop.activate(['d']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    expect(await shop.faults()).toEqual([])
  })

  test('that never sent a required heartbeat is dead after its window', async () => {
    const shop = await openShop(api, 1, tenMinutes('never', true))
    stopClock()
    await shop.activate(['a'])
    advanceClock(10 * MINUTE)
    expect(said(await shop.activate(['b']))).toBe('409 ACTIVATIONS_EXHAUSTED')
    advanceClock(MINUTE)
    expect(said(await shop.activate(['b']))).toBe('created')
    expect(await shop.faults()).toEqual([])
  })

  test('is activated anew when it asks again, in its own place', async () => {
    const shop = await openShop(api, 1, tenMinutes('never', true))
    stopClock()
    const first = activatedBy(await shop.activate(['a', 'mac:a']))
    advanceClock(11 * MINUTE)
    const again = await shop.activate(['a', 'mac:a'])
    expect(said(again)).toBe('created')
    expect(activatedBy(again)).toMatchObject({ state: 'NOT_STARTED' })
    expect((await shop.list()).map(({ id }) => id)).not.toContain(first.id)
    expect(typesOf(await shop.events()).toSorted()).toEqual([
      'activation.created',
      'activation.created',
      'activation.reclaimed',
    ])
    expect(await shop.faults()).toEqual([])
  })

  test('keeps no component from a living one', async () => {
    const shop = await openShop(api, 5, { ...tenMinutes('never', true), fingerprints: { match: 'all' } })
    stopClock()
    await shop.activate(['mac:shared', 'disk:old'])
    expect(said(await shop.activate(['mac:shared', 'disk:new']))).toBe('409 FINGERPRINT_TAKEN')
    advanceClock(11 * MINUTE)
    expect(said(await shop.activate(['mac:shared', 'disk:new']))).toBe('created')
    expect(await shop.rows()).toHaveLength(1)
    expect(await shop.faults()).toEqual([])
  })

  test('frees a place of the capacity before the overdraft is drawn on', async () => {
    const shop = await openShop(api, 2, {
      ...tenMinutes('never', true),
      overdraft: { kind: 'absolute', units: 1 },
    })
    stopClock()
    for (const machine of ['a', 'b']) await shop.activate([machine])
    advanceClock(11 * MINUTE)
    const flags: boolean[] = []
    for (const machine of ['c', 'd', 'e']) flags.push(activatedBy(await shop.activate([machine])).overdraft)
    expect(flags).toEqual([false, false, true])
    expect(await shop.faults()).toEqual([])
  })

  test('no more than the dead are replaced by 12 at once', async () => {
    const shop = await openShop(api, 6, tenMinutes('never', true))
    stopClock()
    const ids: string[] = []
    for (const machine of ['a', 'b', 'c', 'd', 'e', 'f'])
      ids.push(activatedBy(await shop.activate([machine])).id)
    advanceClock(5 * MINUTE)
    for (const id of ids.slice(0, 3)) await shop.beat(id)
    advanceClock(7 * MINUTE)
    const answers = await times(12, (index) => shop.activate([`${index}`]))
    expect(tally(answers.map(said))).toEqual({ created: 3, '409 ACTIVATIONS_EXHAUSTED': 9 })
    const left = (await shop.list()).map(({ id }) => id)
    expect(left).toHaveLength(6)
    expect(left).toEqual(expect.arrayContaining(ids.slice(0, 3)))
    expect(await shop.faults()).toEqual([])
  })

  test('many of them make way after a capacity was cut', { timeout: 180_000 }, async () => {
    const shop = await openShop(api, 2, tenMinutes('never', true))
    const { license } = await shop.issue({
      type: 'TOPUP',
      extends: shop.license.id,
      limits: { machines: 30 },
    })
    stopClock()
    await times(32, (index) => shop.activate([`${index}`]))
    expect(await shop.rows()).toHaveLength(32)
    await shop.act(license.id, 'revoke')
    advanceClock(11 * MINUTE)
    expect(said(await shop.activate(['new']))).toBe('created')
    expect(await shop.pool()).toMatchObject({ used: 2 })
    expect(await shop.faults()).toEqual([])
  })
})

function deadAt(answer: unknown): object {
  return typeof answer === 'object' && answer !== null && 'deadAt' in answer ? { deadAt: answer.deadAt } : {}
}
