import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { Answered, codesOf, expected } from '../../support/scenario.ts'
import { activatedBy, fingerprints, openShop, type Shop } from './machines.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const validate = async ({ key }: Shop, body: object) =>
  Answered.parse(expected(200, await api.call('POST', '/v1/validate', { body: { key, ...body } })))
const of = (machine: string) => ({ fingerprint: `machine-${machine}` })

const MONITORED = { heartbeat: { window: 'PT10M', required: true, revive: 'within-window' } }

describe('validation with a fingerprint', () => {
  test('answers from the activation: none, not started, alive, dead', async () => {
    const shop = await openShop(api, 2, MONITORED)
    stopClock()
    expect(await validate(shop, of('a'))).toMatchObject({
      valid: false,
      code: 'NO_ACTIVATION',
      findings: [{ subject: 'machine', cure: expect.stringContaining('Activate') }],
    })
    const { id } = activatedBy(await shop.activate(['a']))
    expect(await validate(shop, of('a'))).toMatchObject({ valid: false, code: 'HEARTBEAT_NOT_STARTED' })
    await shop.beat(id)
    expect(await validate(shop, of('a'))).toMatchObject({ valid: true, code: 'VALID' })
    advanceClock(11 * MINUTE)
    expect(await validate(shop, of('a'))).toMatchObject({
      valid: false,
      code: 'HEARTBEAT_DEAD',
      findings: [{ subject: `activation:${id}`, cure: expect.stringContaining('Send a heartbeat') }],
    })
    await shop.beat(id)
    expect(await validate(shop, of('a'))).toMatchObject({ valid: true })
    advanceClock(21 * MINUTE)
    const [found] = (await validate(shop, of('a'))).findings
    expect(found?.cure).toMatch(/Activate it again/)
    expect((await validate(shop, of('b'))).code).toBe('NO_ACTIVATION')
  })

  test('sees at once that a machine was deactivated, moved or activated again', async () => {
    const shop = await openShop(api, 2)
    const { id } = activatedBy(await shop.activate(['a']))
    expect((await validate(shop, of('a'))).code).toBe('VALID')
    await shop.move(id, ['b'])
    expect((await validate(shop, of('a'))).code).toBe('NO_ACTIVATION')
    expect((await validate(shop, of('b'))).code).toBe('VALID')
    await shop.activate(['a'])
    expect((await validate(shop, of('a'))).code).toBe('VALID')
  })

  test('holds the components against the rule', async () => {
    const shop = await openShop(api, 2, { fingerprints: { match: 'most' } })
    await shop.activate(['mac:a', 'disk:a', 'board:a', 'tpm:a'])
    const codeOf = async (...parts: string[]) =>
      (await validate(shop, { fingerprints: fingerprints(...parts) })).code
    expect(await codeOf('mac:a', 'disk:a', 'board:x')).toBe('VALID')
    expect(await codeOf('mac:a', 'disk:x')).toBe('NO_ACTIVATION')
    expect(await codeOf('a')).toBe('NO_ACTIVATION')
  })

  test('is one read more in steady state, and without a fingerprint it is one read', async () => {
    const shop = await openShop(api, 2)
    await shop.activate(['a'])
    await validate(shop, of('a'))
    const reads = async (body: object) => {
      const before = api.dynamoCalls()
      await validate(shop, body)
      const now = api.dynamoCalls()
      return ['Query', 'GetItem', 'BatchGetItem'].map((name) => (now[name] ?? 0) - (before[name] ?? 0))
    }
    expect(await reads(of('a'))).toEqual([1, 0, 1])
    expect(await reads({})).toEqual([1, 0, 0])
  })

  test('tells what is the matter with the license before what is with the machine', async () => {
    const shop = await openShop(api, 2)
    await shop.issue()
    await shop.act(shop.license.id, 'suspend')
    expect(codesOf(await validate(shop, of('a')))).toEqual(['SUSPENDED', 'NO_ACTIVATION'])
  })

  test('does not look for a machine of a suspended license among those of another', async () => {
    const shop = await openShop(api, 2, { fingerprints: { match: 'any', unique: 'license' } })
    await shop.activate(['a'])
    await shop.issue()
    await shop.act(shop.license.id, 'suspend')
    expect(codesOf(await validate(shop, of('a')))).toEqual(['SUSPENDED'])
  })

  test('of a license bound to machines at issue, or for no machines, looks for no activation', async () => {
    const shop = await openShop(api, 2)
    const bound = await shop.issue({ fingerprints: ['machine-a'] })
    expect((await validate({ ...shop, key: bound.key }, of('a'))).code).toBe('VALID')
    expect((await validate({ ...shop, key: bound.key }, of('b'))).code).toBe('FINGERPRINT_MISMATCH')
    const none = await shop.issue({ type: 'FEATURE' })
    expect((await validate({ ...shop, key: none.key }, of('b'))).code).toBe('VALID')
  })
})
