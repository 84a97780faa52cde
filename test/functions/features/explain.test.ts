import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { createPlan } from '../../support/resources.ts'
import { createScenario, inDays, type Scenario } from '../../support/scenario.ts'

let api: Api
let scenario: Scenario

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

async function ask(body: object): Promise<Explanation> {
  const token = await api.token('tenant:app', scenario.tenant.id)
  const answer = await api.call('POST', '/v1/explain', { token, body })
  expect(outcome(answer)).toBe('200')
  return Explanation.parse(answer.body)
}

describe('why a feature is off', () => {
  it('names every license that includes it, why it does not count, and the cheapest cure first', async () => {
    scenario = await createScenario(api)
    const expired = await scenario.issue({ validFrom: inDays(-60), expiresAt: inDays(-30), graceDays: 0 })
    const suspended = await scenario.issue()
    await scenario.act(suspended.license.id, 'suspend', { reason: 'unpaid' })
    const waiting = await scenario.issue({ applyOn: 'upload' })

    const { granted, cures, chain } = await ask({ feature: 'sso' })

    expect(granted).toBe(false)
    expect(cures).toEqual([
      { cure: 'Upload its license file.', who: 'tenant', costs: 'nothing', licenseId: waiting.license.id },
      { cure: 'Reinstate it.', who: 'vendor', costs: 'nothing', licenseId: suspended.license.id },
      { cure: 'Renew it.', who: 'vendor', costs: 'money', licenseId: expired.license.id },
      { cure: 'Buy a license that includes sso.', who: 'vendor', costs: 'money' },
    ])
    expect(chain.map((step) => step.evidence).join('\n')).toContain('unpaid')
  })

  it('the cheapest cure, carried out, cures', async () => {
    scenario = await createScenario(api)
    const { file } = await scenario.issue({ applyOn: 'upload' })
    expect(await ask({ feature: 'sso' })).toMatchObject({
      granted: false,
      cures: [{ cure: 'Upload its license file.' }, {}],
    })
    await scenario.upload(file)
    expect(await ask({ feature: 'sso' })).toMatchObject({ granted: true, cures: [] })
  })
})

describe('why there is no room', () => {
  it('shows where the capacity comes from, what is used, and what would make room', async () => {
    scenario = await createScenario(api)
    const { license } = await scenario.issue({ limits: { users: 10 } })
    const token = await api.token('tenant:app', scenario.tenant.id)
    const report = { product: scenario.product.code, metric: 'users', value: 9 }
    await api.call('POST', '/v1/usage', { token, body: { records: [report] } })
    expect(await ask({ metric: 'users', units: 1 })).toMatchObject({ granted: true })
    const full = await ask({ metric: 'users', units: 3 })
    expect(full).toMatchObject({
      granted: false,
      summary: '9 of 10 users in use; 3 more do not fit, 2 too many.',
      cures: [{ cure: 'Free 2 users.', who: 'tenant' }, { cure: 'Buy 2 more users.' }],
    })
    expect(full.chain).toContainEqual({
      step: 'gives users',
      passed: true,
      evidence: '10',
      licenseId: license.id,
    })
  })
})

describe('why a license does not count', () => {
  it('answers each condition in order; a foreign license is not there', async () => {
    scenario = await createScenario(api)
    const { license, key } = await scenario.issue()
    await scenario.act(license.id, 'suspend', { reason: 'audit' })
    const explained = await ask({ licenseId: license.id })
    expect(explained.chain.map(({ step, passed }) => [step, passed])).toEqual([
      ['signature', true],
      ['not revoked', true],
      ['not suspended', false],
      ['started', true],
      ['not over', true],
      ['applied', true],
    ])
    const byKey = await api.call('POST', '/v1/explain', {
      headers: { authorization: `License ${key}` },
      body: { licenseId: license.id },
    })
    expect(byKey.body).toEqual(explained)
    // Of other licenses a key learns what counts, and nothing else.
    const other = await scenario.issue()
    const headers = { authorization: `License ${other.key}` }
    const about = async (body: object) => api.call('POST', '/v1/explain', { headers, body })
    expect(outcome(await about({ licenseId: license.id }))).toBe('404 NOT_FOUND')
    for (const body of [{ feature: 'sso' }, { metric: 'users' }, { userId: 'ada' }])
      expect(JSON.stringify((await about(body)).body)).not.toMatch(
        `${license.id}|audit|${license.key.slice(-4)}`,
      )
    scenario = await createScenario(api)
    const token = await api.token('tenant:app', scenario.tenant.id)
    expect(outcome(await api.call('POST', '/v1/explain', { token, body: { licenseId: license.id } }))).toBe(
      '404 NOT_FOUND',
    )
  })
})

describe('why a license is refused in a country', () => {
  it('says what it is limited to, from where it was used, and what would cure it', async () => {
    scenario = await createScenario(api)
    const plan = await createPlan(api, scenario.product.id, {
      rules: { countries: { allow: ['DE'], travel: { days: 1, window: 'P1Y' } } },
    })
    const { key, license } = await scenario.issue({ planId: plan.id })
    for (const userId of ['ada', 'ada', 'eve']) await scenario.validate({ key, userId, country: 'FR' })
    await scenario.validate({ key, country: 'KP' })

    expect(await ask({ licenseId: license.id, country: 'DE' })).toMatchObject({ granted: true, cures: [] })
    const { granted, chain, cures } = await ask({ licenseId: license.id, country: 'FR' })

    expect(granted).toBe(true)
    const evidence = chain.slice(-5).map(({ step, passed, evidence }) => [step, passed, evidence].join(': '))
    expect(evidence).toEqual([
      'limited to countries: true: allows DE; 1 day of travel within P1Y',
      expect.stringMatching(/^may be used in FR: true: FR \(seen by the edge.*day 1 of 1/),
      ...Array(3).fill(
        expect.stringMatching(
          /^was used from .*declared, medium confidence on 20..-..-.. of .*: a day of travel$/,
        ),
      ),
    ])
    expect(cures).toEqual([])
  })

  it('is refused where it is denied by name, and a key is told no names', async () => {
    scenario = await createScenario(api)
    const plan = await createPlan(api, scenario.product.id, { rules: { countries: { deny: ['KP'] } } })
    const { key, license } = await scenario.issue({ planId: plan.id })
    await scenario.validate({ key, userId: 'ada', country: 'KP' })
    const headers = { authorization: `License ${key}` }
    const body = { licenseId: license.id, country: 'KP' }
    const told = Explanation.parse((await api.call('POST', '/v1/explain', { headers, body })).body)
    expect(told).toMatchObject({
      granted: false,
      summary: 'The license does not cover KP (seen by the edge, high confidence).',
      cures: [{ who: 'caller' }, { cure: 'Have KP covered.', who: 'vendor', costs: 'money' }],
    })
    expect(JSON.stringify(told)).not.toContain('ada')
    expect(JSON.stringify(await ask(body))).toContain('of user ada: refused')
  })
})
