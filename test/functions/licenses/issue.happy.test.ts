import { afterAll, describe, expect, test } from 'vitest'
import { addDuration } from '../../../shared/domain/calendar.ts'
import { customerOf } from '../../../shared/domain/tenant.ts'
import { DAY, Duration, plusMilliseconds } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { createPlan, createTenant } from '../../support/resources.ts'
import { codesOf, createScenario, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { product, plans, tenant, issue, validate, events } = scenario

describe('a license from a plan', () => {
  test('has all that the plan says, from now on', async () => {
    const { license, key, file } = await issue()

    expect(license).toEqual({
      id: license.id,
      revision: 1,
      tenantId: tenant.id,
      customer: customerOf(tenant),
      productId: product.id,
      productCode: product.code,
      planId: plans.year.id,
      type: 'NORMAL',
      term: 'subscription',
      allocation: 'named',
      limits: { users: 100 },
      features: { sso: true },
      rules: {},
      validFrom: license.issuedAt,
      expiresAt: addDuration(license.issuedAt, Duration.parse('P1Y'), tenant.timeZone),
      graceDays: 30,
      graceEndsAt: expect.any(String),
      status: 'ACTIVE',
      tampered: false,
      key: `*****-*****-*****-*****-*****-*${key.slice(-4)}`,
      issuedAt: expect.any(String),
      appliedAt: license.issuedAt,
    })
    expect(file).toMatchObject({
      format: 'latchkey-license-file/1',
      licenseId: license.id,
      revision: 1,
      product: product.code,
      customer: tenant.name,
      expiresAt: license.expiresAt,
    })
    expect(await scenario.read(license.id)).toEqual(license)
    expect(await scenario.fileOf(license.id)).toEqual(file)
    const told = await events(license.id)
    expect(typesOf(told).toSorted()).toEqual(['license-key.generated', 'license.issued'])
    expect(told.find(({ type }) => type === 'license.issued')).toMatchObject({
      actor: { kind: 'vendor', role: 'vendor:issuer' },
      after: { id: license.id, key: license.key, status: 'ACTIVE' },
    })
  })

  test('keeps what it was sold with when the plan is edited', async () => {
    const plan = await createPlan(api, product.id)
    const { license } = await issue({ planId: plan.id })
    const edit = { limits: { users: 5 }, graceDays: 1 }
    const headers = { 'if-match': '"1"' }
    await api.call('PATCH', `/v1/plans/${plan.id}`, {
      token: await api.token('vendor:admin'),
      body: edit,
      headers,
    })
    expect(await scenario.read(license.id)).toEqual(license)
  })

  test('counts its dates on the calendar of its tenant', async () => {
    const berlin = await createTenant(api, { timeZone: 'Europe/Berlin' })
    const order = { tenantId: berlin.id, planId: plans.month.id }
    // 31 January in Berlin, so a month ends on 28 February there.
    const winter = await issue({ ...order, validFrom: '2050-01-30T23:30:00Z' })
    // The clock goes forward in between: noon stays noon.
    const spring = await issue({ ...order, validFrom: '2050-03-15T11:00:00Z', graceDays: 1 })
    expect(winter.license).toMatchObject({ status: 'PENDING', expiresAt: '2050-02-27T23:30:00.000Z' })
    expect(spring.license).toMatchObject({
      expiresAt: '2050-04-15T10:00:00.000Z',
      graceEndsAt: '2050-04-16T10:00:00.000Z',
    })
  })
})

describe('overrides', () => {
  test('replace the plan metric by metric and feature by feature, and its dates', async () => {
    const dates = { validFrom: inDays(-1), expiresAt: inDays(40) }
    const { license, file } = await issue({
      limits: { departments: 7, signatures: 'unlimited' },
      features: { 'storage-gb': 20, edition: 'campus' },
      graceDays: 3,
      productInstanceId: 'INSTANCE-7',
      fingerprints: ['fingerprint-1'],
      reference: 'order 2026/7 #1',
      ...dates,
    })
    expect(license).toMatchObject({
      ...dates,
      limits: { users: 100, departments: 7, signatures: 'unlimited' },
      features: { sso: true, 'storage-gb': 20, edition: 'campus' },
      graceDays: 3,
      graceEndsAt: plusMilliseconds(dates.expiresAt, 3 * DAY),
      productInstanceId: 'INSTANCE-7',
      fingerprints: ['fingerprint-1'],
      reference: 'order 2026/7 #1',
    })
    expect(file).toMatchObject(dates)
  })

  test('can take a limit to 0 and a feature away', async () => {
    const { key } = await issue({ limits: { users: 0 }, features: { sso: false } })
    const verdict = await validate({ key, features: ['sso'] })
    expect(verdict.license).toMatchObject({ limits: { users: 0 }, features: { sso: false } })
  })
})

describe('each allocation in each term', () => {
  const allocations = ['named', 'floating', 'node-locked', 'site'] as const
  const terms = ['perpetual', 'subscription', 'trial'] as const
  const cases = allocations.flatMap((allocation) => terms.map((term) => ({ allocation, term })))
  test.each(cases)('$allocation $term', async ({ allocation, term }) => {
    const plan = await createPlan(api, product.id, {
      allocation,
      term,
      duration: term === 'perpetual' ? undefined : 'P1Y',
      graceDays: 0,
    })
    const { license, key } = await issue({ planId: plan.id })
    const verdict = await validate({ key })
    expect(license).toMatchObject({ allocation, term, type: term === 'trial' ? 'TRIAL' : 'NORMAL' })
    expect(license.expiresAt === undefined).toBe(term === 'perpetual')
    expect(verdict).toMatchObject({ valid: true, code: 'VALID', license: { allocation, term } })
  })
})

describe('the types beside NORMAL', () => {
  test('TOPUP adds its capacity to its base, and nothing else', async () => {
    const base = await issue()
    const { license } = await issue({ type: 'TOPUP', extends: base.license.id, limits: { users: 25 } })
    expect(license).toMatchObject({
      type: 'TOPUP',
      extends: base.license.id,
      limits: { users: 25 },
      features: {},
    })
  })

  test('FEATURE adds features, on its own or to a base', async () => {
    const own = await issue({ type: 'FEATURE', features: { edition: 'pro' } })
    const base = await issue()
    const added = await issue({ type: 'FEATURE', extends: base.license.id })
    expect(own.license).toMatchObject({
      type: 'FEATURE',
      limits: {},
      features: { sso: true, edition: 'pro' },
    })
    expect(own.license.extends).toBeUndefined()
    expect(added.license).toMatchObject({ extends: base.license.id, limits: {} })
  })

  test('VALIDITY starts where its base ends, and the base tells of it', async () => {
    const base = await issue({ expiresAt: inDays(10), graceDays: 0 })
    const order = { type: 'VALIDITY', extends: base.license.id, planId: plans.month.id }
    const { license } = await issue(order)
    const after = await scenario.read(base.license.id)
    expect(license).toMatchObject({
      validFrom: base.license.expiresAt,
      limits: {},
      features: {},
      status: 'PENDING',
    })
    expect(after).toMatchObject({
      expiresAt: base.license.expiresAt,
      effectiveExpiresAt: license.expiresAt,
      extendedBy: [license.id],
      revision: 1,
    })
  })

  test('VALIDITY starts now where its base is over, and two in a row both count', async () => {
    const base = await issue({ validFrom: inDays(-20), expiresAt: inDays(-5), graceDays: 0 })
    const order = { type: 'VALIDITY', extends: base.license.id }
    const first = await issue({ ...order, planId: plans.month.id })
    const second = await issue(order)
    expect(first.license.validFrom).toBe(first.license.issuedAt)
    expect(await scenario.read(base.license.id)).toMatchObject({
      status: 'ACTIVE',
      extendedBy: [first.license.id, second.license.id],
      effectiveExpiresAt: second.license.expiresAt,
    })
  })

  test('TRIAL has no grace, and who asks for some is told so', async () => {
    const { license } = await issue({ planId: plans.trial.id, graceDays: 0 })
    expect(license).toMatchObject({ type: 'TRIAL', graceDays: 0 })
    expect(license.graceEndsAt).toBeUndefined()
    const body = { tenantId: tenant.id, planId: plans.trial.id, graceDays: 30 }
    const refused = await api.call('POST', '/v1/licenses', { token: await api.token('vendor:issuer'), body })
    expect(outcome(refused)).toBe('422 LICENSE_MISMATCH')
  })
})

test('a license for upload counts once its file is uploaded', async () => {
  const { license, key, file } = await issue({ applyOn: 'upload' })
  const before = await validate({ key })
  const uploaded = await scenario.upload(file)
  const after = await validate({ key })
  expect(license.appliedAt).toBeUndefined()
  expect(codesOf(before)).toEqual(['NOT_APPLIED'])
  expect(outcome(uploaded)).toBe('200')
  expect(after).toMatchObject({ valid: true, code: 'VALID', findings: [] })
})
