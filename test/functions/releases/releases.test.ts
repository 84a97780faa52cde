import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPlan } from '../../support/resources.ts'
import { createScenario, inDays, type Scenario } from '../../support/scenario.ts'

let api: Api
let scenario: Scenario
let admin: string

beforeAll(async () => {
  api = await startApi()
  admin = await api.token('vendor:admin')
  scenario = await createScenario(api)
  for (const [version, days] of [
    ['1.9.0', -400],
    ['2.0.0', -100],
    ['2.1.0', -20],
    ['3.0.0', -5],
  ] as const) {
    expect(outcome(await publish({ version, releasedAt: inDays(days) }))).toBe('201')
  }
})
afterAll(() => api.stop())

const releases = () => `/v1/products/${scenario.product.id}/releases`
const publish = (body: object) => api.call('POST', releases(), { token: admin, body })

async function issueWith(rules: object, order: object = {}) {
  const plan = await createPlan(api, scenario.product.id, { rules })
  return scenario.issue({ planId: plan.id, ...order })
}

describe('releases', () => {
  it('are semantic versions, each once, also when published in parallel', async () => {
    const wrong = await publish({ version: '2.1' })
    expect(wrong).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } })
    const twins = await Promise.all(Array.from({ length: 8 }, () => publish({ version: '0.1.0' })))
    expect(twins.map(outcome).toSorted()).toEqual(['201', ...Array(7).fill('409 CODE_TAKEN')])
  })

  it('are listed, and withdrawn once', async () => {
    await publish({ version: '0.2.0' })
    const withdraw = () =>
      api.call('POST', `${releases()}/withdraw`, {
        token: admin,
        body: { version: '0.2.0', reason: 'broken' },
      })
    expect(outcome(await withdraw())).toBe('200')
    expect(outcome(await withdraw())).toBe('409 TRANSITION_NOT_ALLOWED')
    const list = await api.call('GET', releases(), { token: admin })
    expect(list.body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ version: '0.2.0', withdrawnAt: expect.any(String) }),
      ]),
    })
  })
})

describe('validation holds a license to its versions', () => {
  it('by range: covered, not covered, unknown, not named, withdrawn', async () => {
    const { key } = await issueWith({ versions: { kind: 'range', range: '0.2.0 || ^2.0.0' } })
    expect(await scenario.validate({ key, version: '2.1.0' })).toMatchObject({ valid: true, code: 'VALID' })
    expect(await scenario.validate({ key, version: '3.0.0' })).toMatchObject({
      valid: false,
      code: 'VERSION_NOT_COVERED',
    })
    expect(await scenario.validate({ key, version: '2.7.0' })).toMatchObject({
      valid: false,
      code: 'VERSION_UNKNOWN',
    })
    expect(await scenario.validate({ key })).toMatchObject({ valid: false, code: 'VERSION_REQUIRED' })
    expect(await scenario.validate({ key, version: '0.2.0' })).toMatchObject({
      valid: true,
      code: 'VERSION_WITHDRAWN',
    })
  })

  it('by maintenance: what came out before its end, whatever the client says', async () => {
    const { key } = await issueWith({ maintenance: { duration: 'P30D' } }, { validFrom: inDays(-45) })
    expect(await scenario.validate({ key, version: '2.1.0' })).toMatchObject({ valid: true })
    expect(await scenario.validate({ key, version: '3.0.0' })).toMatchObject({
      valid: false,
      code: 'VERSION_NOT_COVERED',
    })
  })

  it('keeps a fallback version for good after the subscription, and no newer one', async () => {
    const maintenance = { duration: 'P30D', fallback: true }
    const dates = { validFrom: inDays(-60), expiresAt: inDays(-30), graceDays: 0 }
    const { key } = await issueWith({ maintenance }, dates)
    expect(await scenario.validate({ key, version: '2.0.0' })).toMatchObject({
      valid: true,
      code: 'FALLBACK_VERSION',
    })
    expect(await scenario.validate({ key, version: '2.1.0' })).toMatchObject({
      valid: false,
      code: 'EXPIRED',
    })
    const without = await issueWith({ maintenance: { duration: 'P30D' } }, dates)
    expect(await scenario.validate({ key: without.key, version: '2.0.0' })).toMatchObject({
      valid: false,
      code: 'EXPIRED',
    })
  })

  it('reads nothing more where the license says nothing of versions', async () => {
    const { key } = await scenario.issue()
    await scenario.validate({ key })
    const before = api.dynamoCalls()
    expect(await scenario.validate({ key, version: '77.0.0' })).toMatchObject({ valid: true, unchecked: [] })
    const after = api.dynamoCalls()
    expect((after['Query'] ?? 0) - (before['Query'] ?? 0)).toBe(1)
    expect(after['GetItem'] ?? 0).toBe(before['GetItem'] ?? 0)
  })
})

describe('upgrades', () => {
  const ask = (token: string, query: Record<string, string>) =>
    api.call('GET', `/v1/products/${scenario.product.id}/upgrades`, { token, query })

  it('answers allowed, not covered and why, or none', async () => {
    const { license } = await issueWith({ versions: { kind: 'policy', base: '2.0.0', allow: 'minor' } })
    const token = await api.token('tenant:app', scenario.tenant.id)
    expect((await ask(token, { licenseId: license.id, version: '2.0.0' })).body).toMatchObject({
      answer: 'allowed',
      best: { version: '2.1.0' },
      beyond: [
        {
          release: { version: '3.0.0' },
          because: 'VERSION_RULE',
          cure: 'Buy an upgrade to this version line.',
        },
      ],
    })
    expect((await ask(token, { licenseId: license.id, version: '2.1.0' })).body).toMatchObject({
      answer: 'not-covered',
    })
    expect((await ask(token, { licenseId: license.id, version: '3.0.0' })).body).toMatchObject({
      answer: 'none',
      beyond: [],
    })
  })

  it('refuses a version that is none, and offers nothing that is not out yet', async () => {
    const { license } = await scenario.issue()
    const token = await api.token('tenant:app', scenario.tenant.id)
    const refused = await ask(token, { licenseId: license.id, version: 'the newest' })
    expect([outcome(refused), wrongFields(refused)]).toEqual(['400 INVALID_REQUEST', ['/query/version']])
    await publish({ version: '4.0.0', releasedAt: inDays(5) })
    const answer = await ask(token, { licenseId: license.id, version: '3.0.0' })
    expect(answer.body).toEqual({ answer: 'none', beyond: [] })
  })

  it('answers a license key about its own license, and nobody about a foreign one', async () => {
    const { key, license } = await scenario.issue()
    const own = await api.call('GET', `/v1/products/${scenario.product.id}/upgrades`, {
      headers: { authorization: `License ${key}` },
    })
    expect(own.body).toMatchObject({ answer: 'allowed', best: { version: '3.0.0' } })
    const other = await createScenario(api)
    const foreign = await ask(await api.token('tenant:app', other.tenant.id), { licenseId: license.id })
    expect(outcome(foreign)).toBe('404 NOT_FOUND')
  })
})
