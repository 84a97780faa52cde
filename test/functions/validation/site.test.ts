import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Api, startApi } from '../../support/api.ts'
import { createPlan } from '../../support/resources.ts'
import { createScenario } from '../../support/scenario.ts'

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

it('a site license is unlimited for who is inside and refuses who is not', async () => {
  const scenario = await createScenario(api)
  const plan = await createPlan(api, scenario.product.id, {
    allocation: 'site',
    limits: { users: 'unlimited' },
    rules: { site: { domains: ['example.edu'] }, countries: { allow: ['DE'] } },
  })
  const { key } = await scenario.issue({ planId: plan.id })
  expect(await scenario.validate({ key, country: 'DE', email: 'ada@chem.example.edu' })).toMatchObject({
    valid: true,
    entitlement: {
      pools: [{ metric: 'users', capacity: 'unlimited', remaining: 'unlimited', utilization: null }],
    },
  })
  expect(await scenario.validate({ key, country: 'DE', email: 'eve@evil.test' })).toMatchObject({
    valid: false,
    code: 'OUTSIDE_SITE',
  })
  expect(await scenario.validate({ key, country: 'DE' })).toMatchObject({
    valid: false,
    code: 'SITE_MEMBER_REQUIRED',
  })
  const both = await scenario.validate({ key, country: 'FR', email: 'eve@evil.test' })
  expect(both.findings.map(({ code }) => code)).toEqual(['COUNTRY_NOT_ALLOWED', 'OUTSIDE_SITE'])
})
