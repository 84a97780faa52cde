import { afterAll, describe, expect, test } from 'vitest'
import { newLicenseId, newPlanId, newTenantId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { type Answer, outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { plans, tenant, issue, order } = scenario
const admin = await api.token('vendor:admin')
const { license: base } = await issue()
const { license: endless } = await issue({ planId: plans.perpetual.id })
const now = readClock()

/** Refused, and nothing was written. */
async function refusal(body: object): Promise<Answer> {
  const before = await allRows(api.table)
  const answer = await order(body)
  expect(await allRows(api.table)).toEqual(before)
  return answer
}

describe('what does not fit its plan, base or dates is LICENSE_MISMATCH', () => {
  const topUp = { type: 'TOPUP', extends: base.id }
  const cases: [string, object, RegExp][] = [
    ['a NORMAL license from a trial plan', { type: 'NORMAL', planId: plans.trial.id }, /term is trial/],
    ['a TRIAL license from a subscription plan', { type: 'TRIAL' }, /cannot be TRIAL/],
    ['a NORMAL license that extends', { extends: base.id }, /NORMAL license extends no other/],
    [
      'a TRIAL license that extends',
      { planId: plans.trial.id, extends: base.id },
      /TRIAL license extends no/,
    ],
    ['a TOPUP of nothing', { type: 'TOPUP' }, /names the one it extends/],
    ['a VALIDITY of nothing', { type: 'VALIDITY' }, /names the one it extends/],
    ['features in a TOPUP', { ...topUp, features: { sso: true } }, /grants no features/],
    ['limits in a FEATURE', { type: 'FEATURE', limits: { users: 1 } }, /grants no limits/],
    ['limits in a VALIDITY', { ...topUp, type: 'VALIDITY', limits: { users: 1 } }, /grants no limits/],
    ['a VALIDITY of what never ends', { type: 'VALIDITY', extends: endless.id }, /never expires/],
    ['an end before the start', { validFrom: inDays(2), expiresAt: inDays(1) }, /before it starts/],
    ['an end at the start', { validFrom: now, expiresAt: now }, /before it starts/],
    ['a term too far ahead', { validFrom: '6999-06-01T00:00:00Z' }, /too far ahead/],
    ['grace after a trial', { planId: plans.trial.id, graceDays: 7 }, /has no grace/],
    [
      'grace of features for trial',
      { type: 'FEATURE', planId: plans.trial.id, graceDays: 7 },
      /has no grace/,
    ],
    ['an end of a perpetual one', { planId: plans.perpetual.id, expiresAt: inDays(9) }, /does not expire/],
  ]
  test.each(cases)('%s', async (_, body, detail) => {
    const answer = await refusal(body)
    expect(outcome(answer)).toBe('422 LICENSE_MISMATCH')
    expect(answer.body).toHaveProperty('detail', expect.stringMatching(detail))
  })

  test('a base that extends another itself', async () => {
    const { license } = await issue(topUp)
    const answer = await refusal({ ...topUp, extends: license.id })
    expect(answer.body).toMatchObject({
      code: 'LICENSE_MISMATCH',
      detail: expect.stringMatching(/extends another/),
    })
  })

  test('a base that is revoked', async () => {
    const { license } = await issue()
    await scenario.act(license.id, 'revoke')
    const answer = await refusal({ ...topUp, extends: license.id })
    expect(answer.body).toMatchObject({
      code: 'LICENSE_MISMATCH',
      detail: expect.stringMatching(/is revoked/),
    })
  })

  test('a base of another tenant or product', async () => {
    const [stranger, other] = await Promise.all([createTenant(api), createProduct(api)])
    const plan = await createPlan(api, other.id)
    for (const body of [{ tenantId: stranger.id }, { planId: plan.id }]) {
      expect((await refusal({ ...topUp, ...body })).body).toMatchObject({
        code: 'LICENSE_MISMATCH',
        detail: expect.stringMatching(/another tenant or product/),
      })
    }
  })
})

test('grants that the product does not declare, or of another type, are PLAN_MISMATCH', async () => {
  const answer = await refusal({
    limits: { users: 1, machines: 2, constructor: 3 },
    features: { sso: 'yes', unheard: true, 'storage-gb': 1 },
  })
  expect(outcome(answer)).toBe('422 PLAN_MISMATCH')
  expect(wrongFields(answer).toSorted()).toEqual([
    '/body/features/sso',
    '/body/features/unheard',
    '/body/limits/constructor',
    '/body/limits/machines',
  ])
})

test('what no file could hold is refused: nothing is issued that cannot be handed over', async () => {
  const features = Array.from({ length: 200 }, (_, index) => ({
    code: `text-${index}`,
    type: 'string' as const,
  }))
  const large = await createProduct(api, { features, modules: [] })
  const texts = (length: number) => Object.fromEntries(features.map(({ code }) => [code, 'x'.repeat(length)]))
  const plan = await createPlan(api, large.id, { features: {} })
  const answer = await refusal({ planId: plan.id, features: texts(250) })
  const { license } = await issue({ planId: plan.id, features: texts(200) })
  await scenario.act(license.id, 'suspend')
  await scenario.act(license.id, 'revoke')
  expect(outcome(answer)).toBe('422 LICENSE_MISMATCH')
  expect(answer.body).toHaveProperty('detail', expect.stringMatching(/a license file holds 46000/))
  expect(await scenario.fileOf(license.id)).toMatchObject({ revision: 3 })
})

test.each([
  ['tenantId', { tenantId: newTenantId(now) }],
  ['planId', { planId: newPlanId(now) }],
  ['extends', { type: 'TOPUP', extends: newLicenseId(now) }],
])('an unknown %s is named', async (field, body) => {
  const answer = await refusal(body)
  expect([outcome(answer), wrongFields(answer)]).toEqual(['400 INVALID_REQUEST', [`/body/${field}`]])
})

describe('bad fields are named', () => {
  const cases: [object, string][] = [
    [{ graceDays: -1 }, '/body/graceDays'],
    [{ graceDays: 1.5 }, '/body/graceDays'],
    [{ limits: { users: -1 } }, '/body/limits/users'],
    [{ limits: { users: 1.5 } }, '/body/limits/users'],
    [{ limits: { users: 1e15 } }, '/body/limits/users'],
    [{ limits: { users: 'many' } }, '/body/limits/users'],
    [{ limits: { '../users': 1 } }, '/body/limits/..~1users'],
    [{ validFrom: 'tomorrow' }, '/body/validFrom'],
    [{ validFrom: '2026-02-30T00:00:00Z' }, '/body/validFrom'],
    [{ validFrom: '2026-02-20T00:00:00+01:00' }, '/body/validFrom'],
    [{ validFrom: '1969-12-31T23:59:59.999Z' }, '/body/validFrom'],
    // What people write for never: its grace and the news of its end would lie beyond the years there are.
    [{ expiresAt: '9999-12-31T00:00:00Z' }, '/body/expiresAt'],
    [{ fingerprints: [] }, '/body/fingerprints'],
    [{ fingerprints: ['short'] }, '/body/fingerprints/0'],
    [{ reference: ' ' }, '/body/reference'],
    [{ applyOn: 'never' }, '/body/applyOn'],
    [{ type: 'FREE' }, '/body/type'],
    [{ keyHash: 'mine' }, '/body/keyHash'],
  ]
  test.each(cases)('%j', async (body, field) => {
    const answer = await refusal(body)
    expect([outcome(answer), wrongFields(answer)]).toEqual(['400 INVALID_REQUEST', [field]])
  })
})

describe('what is archived sells nothing', () => {
  test.each(['tenant', 'plan', 'product'])('a %s', async (which) => {
    const own = await createProduct(api)
    const [plan, customer] = [await createPlan(api, own.id), await createTenant(api)]
    const path = { tenant: `tenants/${customer.id}`, plan: `plans/${plan.id}`, product: `products/${own.id}` }
    for (const [name, place] of Object.entries(path)) {
      if (name === which) await api.call('POST', `/v1/${place}/archive`, { token: admin })
    }
    const answer = await refusal({ tenantId: customer.id, planId: plan.id })
    expect(answer.body).toMatchObject({ code: 'ARCHIVED', detail: expect.stringContaining(which) })
  })
})

describe('a reference', () => {
  test('is taken once', async () => {
    await issue({ reference: 'PO-1' })
    expect(outcome(await refusal({ reference: ' PO-1 ' }))).toBe('409 CODE_TAKEN')
  })

  test('is taken once by many at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => order({ reference: 'PO-2' })))
    expect(answers.map(outcome).toSorted()).toEqual(['201', ...Array(7).fill('409 CODE_TAKEN')])
  })
})

test('extending a base by many at the same time loses none of them', async () => {
  const { license } = await issue({ tenantId: tenant.id, planId: plans.month.id })
  const extensions = await Promise.all(
    Array.from({ length: 4 }, () => order({ type: 'VALIDITY', extends: license.id })),
  )
  expect(extensions.map(outcome)).toEqual(Array(4).fill('201'))
  expect((await scenario.read(license.id)).extendedBy).toHaveLength(4)
})

test('issuing twice under one Idempotency-Key issues one license, shown with its key both times', async () => {
  const headers = { 'idempotency-key': 'issue-1' }
  const together = await Promise.all(Array.from({ length: 5 }, () => order({}, { headers })))
  const later = await order({}, { headers })
  expect(new Set([...together, later].map(({ body }) => JSON.stringify(body))).size).toBe(1)
  expect(together.map(outcome)).toEqual(Array(5).fill('201'))
})
