import { afterAll, describe, expect, test } from 'vitest'
import { startApi } from '../../support/api.ts'
import { tally, times } from '../../support/parallel.ts'
import { activatedBy, openShop, type Shop, said } from './machines.ts'

const api = await startApi()
afterAll(api.stop)

/** Machines that come at once. */
const rush = async (shop: Shop, machines: number) =>
  tally((await times(machines, (index) => shop.activate([`${index}`]))).map(said))

describe('simultaneous activations on a capacity of 5', () => {
  test('20 leave exactly 5', async () => {
    const shop = await openShop(api, 5)
    expect(await rush(shop, 20)).toEqual({ created: 5, '409 ACTIVATIONS_EXHAUSTED': 15 })
    expect(await shop.list()).toHaveLength(5)
    expect(await shop.faults()).toEqual([])
    expect(await shop.events()).toHaveLength(5)
  })

  // How much each kind of overdraft gives is in test/domain/activation-pool.test.ts.
  test.each([
    ['3 more', { kind: 'absolute', units: 3 }, 8],
    ['no limit', { kind: 'unlimited' }, 12],
  ])('12 with an overdraft of %s leave exactly what is declared', async (_, overdraft, most) => {
    const shop = await openShop(api, 5, { overdraft })
    const { created, '409 ACTIVATIONS_EXHAUSTED': refused = 0 } = await rush(shop, 12)
    expect([created, refused]).toEqual([most, 12 - most])
    const flags = (await shop.list()).map(({ overdraft: flagged }) => String(flagged))
    expect(tally(flags)).toEqual({ false: 5, true: most - 5 })
    expect(await shop.faults()).toEqual([])
  })

  test('over two licenses leave exactly what both give', async () => {
    const shop = await openShop(api, 3)
    const second = await shop.issue()
    const keys = [shop.key, second.key]
    const answers = await times(12, (index) =>
      shop.activate([`${index}`], { headers: { authorization: `License ${keys[index % 2]}` } }),
    )
    expect(tally(answers.map(said))).toEqual({ created: 6, '409 ACTIVATIONS_EXHAUSTED': 6 })
    expect(await shop.faults()).toEqual([])
  })
})

test('one machine that asks 8 times at once has one place, and each answer names it', async () => {
  const shop = await openShop(api, 5)
  const answers = await times(8, () => shop.activate(['mac:a', 'disk:a']))
  expect(tally(answers.map(said))).toEqual({ created: 1, 'there before': 7 })
  expect(new Set(answers.map((answer) => activatedBy(answer).id)).size).toBe(1)
  expect(await shop.pool()).toMatchObject({ used: 1 })
  expect(await shop.faults()).toEqual([])
})

test('machines that share a component never get it twice', async () => {
  const shop = await openShop(api, 20, { fingerprints: { match: 'all' } })
  const answers = await times(8, (index) => shop.activate(['mac:shared', `disk:${index}`]))
  expect(tally(answers.map(said))).toEqual({ created: 1, '409 FINGERPRINT_TAKEN': 7 })
  expect(await shop.faults()).toEqual([])
})

test('an activation is before a suspension or refused, never after it', async () => {
  const shop = await openShop(api, 100)
  for (let round = 0; round < 5; round += 1) {
    const before = (await shop.rows()).length
    const suspended = shop.act(shop.license.id, 'suspend')
    const answers = await times(6, (index) => shop.activate([`${round}-${index}`]))
    expect((await suspended).status).toBe(200)
    const outcomes = tally(answers.map(said))
    expect((outcomes['created'] ?? 0) + (outcomes['409 LICENSE_NOT_IN_FORCE'] ?? 0)).toBe(6)
    expect((await shop.rows()).length - before).toBe(outcomes['created'] ?? 0)
    expect(said(await shop.activate(['late']))).toBe('409 LICENSE_NOT_IN_FORCE')
    expect(await shop.faults()).toEqual([])
    expect((await shop.act(shop.license.id, 'reinstate')).status).toBe(200)
  }
})

test('a capacity that is cut while machines are activated is never exceeded by a later grant', async () => {
  const shop = await openShop(api, 1)
  const { license } = await shop.issue({ type: 'TOPUP', extends: shop.license.id, limits: { machines: 12 } })
  const revoked = shop.act(license.id, 'revoke')
  await times(12, (index) => shop.activate([`${index}`]))
  expect((await revoked).status).toBe(200)
  const before = (await shop.list()).length
  const late = tally((await times(4, (index) => shop.activate([`late-${index}`]))).map(said))
  expect(late).toEqual(
    before === 0 ? { created: 1, '409 ACTIVATIONS_EXHAUSTED': 3 } : { '409 ACTIVATIONS_EXHAUSTED': 4 },
  )
  expect(await shop.faults()).toEqual([])
})

test('deactivating one machine many times at once frees one place', async () => {
  const shop = await openShop(api, 3)
  const { id } = activatedBy(await shop.activate(['a']))
  await shop.activate(['b'])
  const answers = await times(6, () => shop.deactivate(id))
  expect(tally(answers.map(({ status }) => String(status)))).toEqual({ '200': 1, '404': 5 })
  expect(await shop.pool()).toMatchObject({ used: 1 })
  expect(await shop.faults()).toEqual([])
})

test('a place that is freed while many wait for it goes to one of them', async () => {
  const shop = await openShop(api, 1)
  const { id } = activatedBy(await shop.activate(['a']))
  const [freed, ...answers] = await Promise.all([
    shop.deactivate(id),
    ...Array.from({ length: 8 }, (_, index) => shop.activate([`${index}`])),
  ])
  expect(freed.status).toBe(200)
  expect((tally(answers.map(said))['created'] ?? 0) <= 1).toBe(true)
  expect((await shop.rows()).length).toBeLessThanOrEqual(1)
  expect(await shop.faults()).toEqual([])
})

test('moving and deactivating one activation at once: one of them, never both', async () => {
  const shop = await openShop(api, 10)
  for (let round = 0; round < 5; round += 1) {
    const before = (await shop.rows()).length
    const { id } = activatedBy(await shop.activate([`a-${round}`]))
    const answers = await Promise.all([
      shop.deactivate(id),
      ...['b', 'c', 'd'].map((machine) => shop.move(id, [`${machine}-${round}`])),
    ])
    expect(tally(answers.map(({ status }) => String(status)))).toEqual({ '200': 1, '404': 3 })
    const [isDeactivated] = answers.map(({ status }) => status === 200)
    expect(await shop.rows()).toHaveLength(before + (isDeactivated ? 0 : 1))
    expect(await shop.faults()).toEqual([])
  }
})

test('two activations moved to one machine at once: one of them', async () => {
  const shop = await openShop(api, 2)
  const ids = [activatedBy(await shop.activate(['a'])).id, activatedBy(await shop.activate(['b'])).id]
  const answers = await Promise.all(ids.map((id) => shop.move(id, ['c'])))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409])
  expect(await shop.rows()).toHaveLength(2)
  expect(await shop.faults()).toEqual([])
})
