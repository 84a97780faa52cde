import { afterAll, describe, expect, test, vi } from 'vitest'
import { newLicenseId } from '../../../shared/platform/ids.ts'
import {
  epochMilliseconds,
  HOUR,
  type Instant,
  plusMilliseconds,
  readClock,
} from '../../../shared/platform/time.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { setClock, stopClock } from '../../support/clock.ts'
import { type Answered, codesOf, createScenario, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { issue, act, validate, product, plans, tenant } = scenario
const stranger = await createScenario(api)

/** Without what the time of the question decides. */
const timeless = ({ checkedAt: _, nextCheckAfter: __, ...verdict }: Answered) => verdict
const ask = (body: object, token?: string) => api.call('POST', '/v1/validate', { body, token })

describe('a valid license', () => {
  test('is told with all it gives', async () => {
    const own = await createScenario(api)
    const { license, key } = await own.issue({ limits: { users: 100 }, reference: 'R-7' })
    await own.issue({
      validFrom: inDays(-9),
      expiresAt: inDays(-1),
      limits: { users: 10 },
      features: { sso: false },
    })
    const verdict = await own.validate({ key, product: own.product.code, features: ['sso'] })
    expect(verdict).toEqual({
      valid: true,
      code: 'VALID',
      detail: 'The license is valid.',
      findings: [],
      license: {
        id: license.id,
        tenantId: own.tenant.id,
        productId: own.product.id,
        productCode: own.product.code,
        type: 'NORMAL',
        term: 'subscription',
        allocation: 'named',
        status: 'ACTIVE',
        revision: 1,
        reference: 'R-7',
        limits: { users: 100 },
        features: { sso: true },
        validFrom: license.validFrom,
        expiresAt: license.expiresAt,
        graceEndsAt: license.graceEndsAt,
      },
      entitlement: {
        productId: own.product.id,
        inForce: true,
        pools: [
          expect.objectContaining({
            metric: 'users',
            capacity: 110,
            used: 0,
            remaining: 110,
            utilization: 0,
          }),
        ],
        features: { sso: true },
        expiresAt: license.expiresAt,
      },
      unchecked: [],
      checkedAt: expect.any(String),
      nextCheckAfter: expect.any(String),
    })
  })

  test('is to be asked about again within the hour, not all at the same moment, and before it changes', async () => {
    const { key } = await issue()
    const verdicts = await Promise.all(Array.from({ length: 12 }, () => validate({ key })))
    const waits = verdicts.map(
      (one) => epochMilliseconds(one.nextCheckAfter) - epochMilliseconds(one.checkedAt),
    )
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(0.9 * HOUR)
      expect(wait).toBeLessThanOrEqual(HOUR)
    }
    expect(new Set(waits).size).toBeGreaterThan(6)
    const ending = await issue({ expiresAt: inDays(0.01) })
    expect((await validate({ key: ending.key })).nextCheckAfter).toBe(ending.license.expiresAt)
  })

  test('is told with what was asked and is not checked here', async () => {
    const { key } = await issue()
    expect((await validate({ key, version: '1.2.3', userId: 'ada' })).unchecked).toContain('userId')
  })
})

test('as time goes on: its start is in, its end is out, grace follows, all without a write', async () => {
  stopClock()
  const dates = { validFrom: inDays(1), expiresAt: inDays(3), graceDays: 2 }
  const { license, key } = await issue(dates)
  const codeAt = async (instant: Instant) => {
    setClock(instant)
    return (await validate({ key })).code
  }
  const moment = (instant: Instant) => [plusMilliseconds(instant, -1), instant]
  const { validFrom, expiresAt, graceEndsAt = expiresAt } = license
  const codes: string[] = []
  for (const instant of [validFrom, expiresAt ?? validFrom, graceEndsAt ?? validFrom].flatMap(moment))
    codes.push(await codeAt(instant))
  vi.useRealTimers()
  expect(codes).toEqual(['PENDING', 'VALID', 'VALID', 'GRACE_PERIOD', 'GRACE_PERIOD', 'EXPIRED'])
  expect(await scenario.row(license)).toMatchObject({ version: 1 })
})

describe('it is named', () => {
  test('by its key in the body or the header, by its file in each form, alike', async () => {
    const { key, file } = await issue()
    const answers = await Promise.all([
      validate({ key }),
      validate({}, { headers: { authorization: `License ${key}` } }),
      validate({}, { headers: { authorization: `license ${key.toLowerCase()}` } }),
      validate({ file }),
      validate({ file: JSON.stringify(file) }),
      validate({ file: file.license }),
    ])
    expect(new Set(answers.map((answer) => JSON.stringify(timeless(answer)))).size).toBe(1)
    expect(answers[0]).toMatchObject({ valid: true, license: { id: file.licenseId } })
  })

  test('by its id, by vendor staff and by roles of its tenant', async () => {
    const { license, key } = await issue()
    const byKey = timeless(await validate({ key }))
    const vendors = ['vendor:admin', 'vendor:issuer', 'vendor:support'] as const
    const tenants = ['tenant:admin', 'org:admin', 'tenant:reporter', 'tenant:app'] as const
    const tokens = await Promise.all([
      ...vendors.map((role) => api.token(role)),
      ...tenants.map((role) => api.token(role, tenant.id)),
    ])
    for (const token of tokens) {
      expect(timeless(await validate({ licenseId: license.id }, { token }))).toEqual(byKey)
    }
  })

  test('by its id, by nobody else', async () => {
    const { license, key } = await issue()
    const body = { licenseId: license.id }
    const collector = await api.token('tenant:collector', tenant.id)
    const withKey = await api.call('POST', '/v1/validate', {
      body,
      headers: { authorization: `License ${key}` },
    })
    expect(outcome(await ask(body))).toBe('401 UNAUTHENTICATED')
    expect(outcome(withKey)).toBe('401 UNAUTHENTICATED')
    expect(outcome(await ask(body, collector))).toBe('403 FORBIDDEN')
    expect(outcome(await ask(body, 'lk_test_wrong'))).toBe('401 UNAUTHENTICATED')
  })

  test("by the id of another tenant's license, as if there were none", async () => {
    const { license, key } = await stranger.issue()
    const token = await api.token('tenant:app', tenant.id)
    const foreign = await ask({ licenseId: license.id }, token)
    const unknown = await ask({ licenseId: newLicenseId(readClock()) }, token)
    const again = await ask({ licenseId: license.id }, token)
    const bytes = [foreign, unknown, again].map(({ status, headers, body }) =>
      JSON.stringify([status, Object.keys(headers), body]).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '(time)'),
    )
    expect(new Set(bytes).size).toBe(1)
    expect(unknown).toMatchObject({ status: 200, body: { valid: false, code: 'NOT_FOUND' } })
    expect(await validate({ key })).toMatchObject({ valid: true })
  })

  test('once, and by something that can be a name', async () => {
    const { license, key, file } = await issue()
    const both = await ask({ key, licenseId: license.id })
    const none = await ask({})
    const many = await ask({ key, file })
    expect([both, many, none].map(outcome)).toEqual(Array(3).fill('400 INVALID_REQUEST'))
    expect(wrongFields(none)).toEqual(['/body/key'])
    for (const [body, field] of [
      [{ key, country: 'de' }, '/body/country'],
      [{ key, fingerprint: 'short' }, '/body/fingerprint'],
      [{ key, nonce: 'short' }, '/body/nonce'],
      [{ key, features: [''] }, '/body/features/0'],
      [{ licenseId: 'lic_1' }, '/body/licenseId'],
      [{ key, offline: true }, '/body/offline'],
    ] as const) {
      expect(wrongFields(await ask(body))).toEqual([field])
    }
  })
})

describe('what extends it counts', () => {
  test('TOPUP adds capacity while its base is in force, and is refused itself when it is not', async () => {
    const own = await createScenario(api)
    const base = await own.issue({ limits: { users: 100 } })
    const topUp = await own.issue({ type: 'TOPUP', extends: base.license.id, limits: { users: 25 } })
    const capacity = async (key: string) => (await own.validate({ key })).entitlement?.pools[0]?.capacity
    expect(await capacity(base.key)).toBe(125)
    await own.act(base.license.id, 'suspend')
    const without = await own.validate({ key: topUp.key })
    expect([codesOf(without), without.entitlement?.pools]).toEqual([['BASE_NOT_IN_FORCE'], []])
    await own.act(base.license.id, 'reinstate', {})
    await own.act(topUp.license.id, 'revoke')
    expect(await capacity(base.key)).toBe(100)
  })

  test('VALIDITY carries its base over its end, with its own grace, and no further', async () => {
    const base = await issue({ validFrom: inDays(-30), expiresAt: inDays(-20), graceDays: 0 })
    const before = await validate({ key: base.key })
    const extension = { type: 'VALIDITY', extends: base.license.id, validFrom: inDays(-20) }
    const over = await issue({ ...extension, expiresAt: inDays(-1), graceDays: 5 })
    const grace = await validate({ key: base.key })
    const carried = await issue({ ...extension, expiresAt: inDays(9), planId: plans.month.id })
    const during = await validate({ key: base.key })
    await act(carried.license.id, 'suspend')
    await act(over.license.id, 'revoke')
    const after = await validate({ key: base.key })
    expect([before, grace, during, after].map(({ code }) => code)).toEqual([
      'EXPIRED',
      'GRACE_PERIOD',
      'VALID',
      'EXPIRED',
    ])
    expect(during.license).toMatchObject({ status: 'ACTIVE', expiresAt: carried.license.expiresAt })
    expect(during.entitlement?.inForce).toBe(true)
  })

  test('FEATURE adds to what the base gives: true wins, the highest number, the text of what ends last', async () => {
    const own = await createScenario(api)
    const { key } = await own.issue({
      features: { sso: false, 'storage-gb': 50, edition: 'basic' },
      expiresAt: inDays(10),
    })
    const add = { type: 'FEATURE', features: { sso: true, 'storage-gb': 20, edition: 'pro' } }
    const before = await own.validate({ key, features: ['sso'] })
    await own.issue({ ...add, expiresAt: inDays(20) })
    const after = await own.validate({ key, features: ['sso'] })
    expect([codesOf(before), codesOf(after)]).toEqual([['FEATURE_MISSING'], []])
    expect(after.entitlement?.features).toEqual({ sso: true, 'storage-gb': 50, edition: 'pro' })
    expect(after.license?.features).toMatchObject({ sso: false })
    expect(await own.validate({ key, product: own.product.id })).toMatchObject({ valid: true })
    expect(product.id).not.toBe(own.product.id)
  })
})
