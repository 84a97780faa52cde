import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type Api, outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPlan } from '../../support/resources.ts'
import { createScenario, inDays, type Scenario } from '../../support/scenario.ts'

const Pools = z.array(z.object({ metric: z.string(), capacity: z.unknown(), sources: z.array(z.unknown()) }))
const Answered = z.object({ products: z.array(z.object({ pools: Pools })) })

let api: Api
let scenario: Scenario

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

async function entitlements(at?: string) {
  const token = await api.token('tenant:reporter', scenario.tenant.id)
  return api.call('GET', `/v1/tenants/${scenario.tenant.id}/entitlements`, {
    token,
    ...(at && { query: { at } }),
  })
}

describe('entitlements at an instant', () => {
  it('refuses an instant beyond which no period of an allowance can be counted', async () => {
    scenario = await createScenario(api)
    const rules = { metering: { signatures: { period: 'P1M', overage: 'refuse' } } }
    const plan = await createPlan(api, scenario.product.id, {
      rules,
      term: 'perpetual',
      duration: undefined,
      graceDays: 0,
    })
    await scenario.issue({ planId: plan.id, limits: { signatures: 5 } })
    expect((await entitlements('6999-12-31T00:00:00Z')).status).toBe(200)
    const refused = await entitlements('9999-12-31T23:59:59Z')
    expect([outcome(refused), wrongFields(refused)]).toEqual(['400 INVALID_REQUEST', ['/query/at']])
  })

  it('adds up base, top-up and feature license as the clock moves, each number with its source', async () => {
    scenario = await createScenario(api)
    const [start, end] = [inDays(-10), inDays(30)]
    const base = await scenario.issue({
      validFrom: start,
      expiresAt: end,
      graceDays: 5,
      limits: { users: 100 },
    })
    const topUp = await scenario.issue({
      type: 'TOPUP',
      extends: base.license.id,
      validFrom: inDays(3),
      expiresAt: inDays(20),
      graceDays: 0,
      limits: { users: 50 },
    })
    const users = async (at: string) => {
      const { body } = await entitlements(at)
      const { products } = Answered.parse(body)
      return products[0]?.pools.find((pool) => pool.metric === 'users')
    }

    expect((await users(inDays(-11)))?.capacity).toBe(undefined)
    expect((await users(inDays(0)))?.capacity).toBe(100)
    expect(await users(inDays(4))).toMatchObject({
      capacity: 150,
      sources: [
        { licenseId: base.license.id, type: 'NORMAL', amount: 100 },
        { licenseId: topUp.license.id, type: 'TOPUP', amount: 50 },
      ],
    })
    expect((await users(inDays(21)))?.capacity).toBe(100)
    expect((await users(inDays(33)))?.capacity).toBe(100)
    expect((await users(inDays(36)))?.capacity).toBe(undefined)
  })

  it('says of each license whether it counts and why not, and when time changes something next', async () => {
    scenario = await createScenario(api)
    const end = inDays(2)
    const base = await scenario.issue({ validFrom: inDays(-1), expiresAt: end })
    const pending = await scenario.issue({ validFrom: inDays(1), applyOn: 'upload' })
    const { body } = await entitlements()
    expect(body).toMatchObject({
      products: [
        {
          code: scenario.product.code,
          nextChangeAt: pending.license.validFrom,
          licenses: [
            { licenseId: pending.license.id, status: 'PENDING', counts: false, because: 'STATUS' },
            { licenseId: base.license.id, status: 'ACTIVE', counts: true, expiresAt: end },
          ],
        },
      ],
    })
  })
})

describe('editing a live license', () => {
  const edit = async (id: string, revision: string | undefined, body: object) =>
    api.call('PATCH', `/v1/licenses/${id}`, {
      token: await api.token('vendor:issuer'),
      headers: revision === undefined ? {} : { 'if-match': revision },
      body,
    })

  it('replaces, adds and takes away by name, re-signs with a higher revision, and leaves an event', async () => {
    scenario = await createScenario(api)
    const { license, key, file } = await scenario.issue({
      limits: { users: 10, certificates: 3 },
      features: { sso: true },
    })
    const answer = await edit(license.id, '"1"', {
      limits: { users: 20, certificates: null },
      features: { edition: 'max' },
      reason: 'deal',
    })
    expect(answer).toMatchObject({
      status: 200,
      headers: { etag: '"2"' },
      body: { revision: 2, limits: { users: 20 } },
    })
    expect(answer.body).not.toHaveProperty('limits.certificates')
    expect(await scenario.validate({ key })).toMatchObject({
      valid: true,
      license: { revision: 2, features: { sso: true, edition: 'max' } },
    })
    expect(await scenario.validate({ file })).toMatchObject({ valid: false, code: 'FILE_OUTDATED' })
    const events = await scenario.events(license.id)
    expect(events.at(-1)).toMatchObject({
      type: 'license.edited',
      reason: 'deal',
      before: { limits: { users: 10 } },
      after: { limits: { users: 20 } },
    })
  })

  it('is refused without, or with an old, revision, and of two parallel edits one wins', async () => {
    scenario = await createScenario(api)
    const { license } = await scenario.issue()
    expect(outcome(await edit(license.id, undefined, { limits: { users: 1 } }))).toBe('428 REVISION_REQUIRED')
    expect(outcome(await edit(license.id, '"7"', { limits: { users: 1 } }))).toBe('412 REVISION_OUTDATED')
    const both = await Promise.all([
      edit(license.id, '"1"', { limits: { users: 1 } }),
      edit(license.id, '"1"', { limits: { users: 2 } }),
    ])
    expect(both.map(outcome).toSorted()).toEqual(['200', '412 REVISION_OUTDATED'])
  })

  it('refuses what the product does not declare, what the type may not grant, and a revoked license', async () => {
    scenario = await createScenario(api)
    const { license } = await scenario.issue()
    const topUp = await scenario.issue({ type: 'TOPUP', extends: license.id })
    expect(outcome(await edit(license.id, '"1"', { limits: { nonsense: 1 } }))).toBe('422 PLAN_MISMATCH')
    expect(outcome(await edit(license.id, '"1"', { features: { sso: 'yes' } }))).toBe('422 PLAN_MISMATCH')
    expect(outcome(await edit(topUp.license.id, '"1"', { features: { sso: true } }))).toBe(
      '422 LICENSE_MISMATCH',
    )
    await scenario.act(license.id, 'revoke', { reason: 'fraud' })
    expect(outcome(await edit(license.id, '"2"', { limits: { users: 1 } }))).toBe(
      '409 TRANSITION_NOT_ALLOWED',
    )
  })
})
