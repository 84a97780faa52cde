import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { installsRoutes } from '../../../functions/installs/routes.ts'
import { Overview } from '../../../shared/domain/overview.ts'
import { outcome, startApi } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { createProduct } from '../../support/resources.ts'
import { createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'

// Where a tenant stands: the cards of its first page, and the use of each license.
const api = await startApi()
afterAll(api.stop)
const vendor = await api.token('vendor:admin')

const overview = async ({ tenant }: Scenario, token = vendor) =>
  Overview.parse(expected(200, await api.call('GET', `/v1/tenants/${tenant.id}/overview`, { token })))

/** Reports how many there are, or how many more were consumed. */
async function report({ tenant, product }: Scenario, records: readonly object[]): Promise<void> {
  const body = { tenantId: tenant.id, records: records.map((one) => ({ product: product.code, ...one })) }
  expected(200, await api.call('POST', '/v1/usage', { token: vendor, body }))
}

const Usage = installsRoutes.getInstallUsage.success.body
async function usageOf({ tenant }: Scenario, licenseId: string): Promise<z.infer<typeof Usage>> {
  const path = `/v1/tenants/${tenant.id}/licenses/${licenseId}/usage`
  return Usage.parse(expected(200, await api.call('GET', path, { token: vendor })))
}

const card = (
  metric: string,
  kind: string,
  active: number,
  capacity: number | 'unlimited',
  utilization: number | null,
) => ({
  metric,
  kind,
  active,
  capacity,
  remaining: capacity === 'unlimited' ? capacity : Math.max(0, capacity - active),
  utilization,
})

const over = { validFrom: inDays(-9), expiresAt: inDays(-1) }

describe('the overview', () => {
  test('of 100 users, 10 more in grace and 63 in use: 63 / 110, 57 %, 47 left', async () => {
    const scenario = await createScenario(api)
    const { product, tenant } = scenario
    const active = await scenario.issue({ limits: { users: 100 } })
    const grace = await scenario.issue({ ...over, limits: { users: 10 } })
    await report(scenario, [{ metric: 'users', value: 63 }])

    const seen = await overview(scenario, await api.token('tenant:reporter', tenant.id))

    const users = card('users', 'gauge', 63, 110, 57)
    const none = card('departments', 'gauge', 0, 0, null)
    const { metric: _, kind: __, ...total } = users
    const line = (license: typeof active.license) => ({
      id: license.id,
      product: product.code,
      key: license.key,
      type: 'NORMAL',
      capacity: license.limits,
      expiresAt: license.expiresAt,
      status: license.status,
    })
    expect(seen).toEqual({
      mode: 'licensed',
      users: { ...total, remaining: 47 },
      products: [
        {
          id: product.id,
          code: product.code,
          name: product.name,
          mode: 'licensed',
          metrics: [
            users,
            none,
            card('signatures', 'counter', 0, 0, null),
            card('certificates', 'gauge', 0, 0, null),
          ],
          modules: [
            { code: 'learn', name: 'Learn', included: true, metrics: [users, none] },
            {
              code: 'observe',
              name: 'Observe',
              included: false,
              metrics: [card('certificates', 'gauge', 0, 0, null)],
            },
          ],
        },
      ],
      licenses: [line(grace.license), line(active.license)],
      checkedAt: expect.any(String),
    })
  })

  const modes: [string, string, (scenario: Scenario) => Promise<unknown>][] = [
    ['grace', 'base licenses in grace only', ({ issue }) => issue(over)],
    [
      'grace',
      'one in grace beside a trial',
      ({ issue, plans }) => Promise.all([issue(over), issue({ planId: plans.trial.id })]),
    ],
    ['trial', 'a trial only', ({ issue, plans }) => issue({ planId: plans.trial.id })],
    ['limited', 'nothing', async () => undefined],
    ['limited', 'a license that is over', ({ issue }) => issue({ ...over, graceDays: 0 })],
    ['limited', 'a license that is not applied', ({ issue }) => issue({ applyOn: 'upload' })],
    ['limited', 'a license that starts later', ({ issue }) => issue({ validFrom: inDays(1) })],
    ['limited', 'features alone', ({ issue }) => issue({ type: 'FEATURE' })],
    ['limited', 'a suspended license', async ({ issue, act }) => act((await issue()).license.id, 'suspend')],
    [
      'limited',
      'a license whose row was changed',
      async ({ issue, edit }) => edit((await issue()).license, { limits: { users: 9 } }),
    ],
  ]
  test.each(modes)('says %s with %s', async (mode, _, hold) => {
    const scenario = await createScenario(api)
    await hold(scenario)
    const seen = await overview(scenario)
    expect(seen.mode).toBe(mode)
    expect(seen.products.map((product) => product.mode)).toEqual(seen.products.map(() => mode))
    if (mode === 'limited') expect(seen.users.capacity).toBe(0)
  })

  test('of more in use than licensed leaves nothing; of an unlimited license everything', async () => {
    const scenario = await createScenario(api)
    await scenario.issue({ limits: { certificates: 2, signatures: 'unlimited' } })
    await report(scenario, [
      { metric: 'certificates', value: 5 },
      { metric: 'signatures', add: 1_000 },
      { metric: 'departments', value: 3 },
    ])
    const { products } = await overview(scenario)
    expect(products[0]?.metrics).toEqual([
      card('users', 'gauge', 0, 100, 0),
      card('departments', 'gauge', 3, 0, null),
      card('signatures', 'counter', 1_000, 'unlimited', null),
      card('certificates', 'gauge', 5, 2, 250),
    ])
  })

  test('adds up users over products, and an unlimited one makes all of them so', async () => {
    const scenario = await createScenario(api)
    const other = { ...(await createScenario(api)), tenant: scenario.tenant }
    await scenario.issue({ limits: { users: 7 } })
    await other.issue({ tenantId: scenario.tenant.id, limits: { users: 5 } })
    await report(scenario, [{ metric: 'users', value: 4 }])
    await report(other, [{ metric: 'users', value: 2 }])
    expect((await overview(scenario)).users).toEqual({
      active: 6,
      capacity: 12,
      remaining: 6,
      utilization: 50,
    })
    await other.issue({ tenantId: scenario.tenant.id, limits: { users: 'unlimited' } })
    const { users, products } = await overview(scenario)
    expect(users).toEqual({ active: 6, capacity: 'unlimited', remaining: 'unlimited', utilization: null })
    expect(products).toHaveLength(2)
  })

  test('includes a module by a limit, or by a feature that is on', async () => {
    const scenario = await createScenario(api)
    const included = async () =>
      (await overview(scenario)).products[0]?.modules.map((module) => module.included)
    await scenario.issue({ limits: { users: 0 }, features: { sso: false } })
    const without = await included()
    await scenario.issue({ limits: { users: 0, certificates: 1 }, features: { sso: true } })
    expect([without, await included()]).toEqual([
      [false, false],
      [true, true],
    ])
  })

  test('of another tenant does not exist', async () => {
    const [scenario, other] = [await createScenario(api), await createScenario(api)]
    const token = await api.token('tenant:admin', other.tenant.id)
    const path = `/v1/tenants/${scenario.tenant.id}/overview`
    expect(outcome(await api.call('GET', path, { token }))).toBe('404 NOT_FOUND')
  })
})

describe("a license's use", () => {
  test('of what has seats is who has one, as the overview says, and not what was reported', async () => {
    const people = await createPeople(api, { learners: 5, observers: 5 })
    await people.hire('author')
    await people.hire('author')
    const path = `/licenses/${people.license.id}/usage`
    const { metrics } = Usage.parse(expected(200, await people.call('GET', path)))
    const used = new Map(metrics.map((one) => [String(one.metric), one.used]))
    expect([used.get('learners'), used.get('observers')]).toEqual([2, 0])
  })

  test('is its part of what is used, in the documented order: base before top-up, active before grace', async () => {
    const scenario = await createScenario(api)
    const base = await scenario.issue({ limits: { users: 50, signatures: 'unlimited' } })
    const grace = await scenario.issue({ ...over, limits: { users: 10 } })
    const topUp = await scenario.issue({ type: 'TOPUP', extends: base.license.id, limits: { users: 5 } })
    const idle = await scenario.issue({ validFrom: inDays(2), limits: { users: 9 } })
    await report(scenario, [
      { metric: 'users', value: 68 },
      { metric: 'signatures', add: 12 },
    ])

    const used = async ({ license }: typeof base) =>
      (await usageOf(scenario, license.id)).metrics.find(({ metric }) => metric === 'users')

    expect((await usageOf(scenario, base.license.id)).metrics).toEqual([
      { metric: 'users', kind: 'gauge', used: 50, limit: 50, excess: 3 },
      { metric: 'departments', kind: 'gauge', used: 0, limit: 0, excess: 0 },
      { metric: 'signatures', kind: 'counter', used: 12, limit: 'unlimited', excess: 0 },
      { metric: 'certificates', kind: 'gauge', used: 0, limit: 0, excess: 0 },
    ])
    expect(await used(grace)).toMatchObject({ used: 10, limit: 10, excess: 3 })
    expect(await used(topUp)).toMatchObject({ used: 5, limit: 5, excess: 3 })
    expect(await used(idle)).toMatchObject({ used: 0, limit: 9, excess: 3 })
  })

  test('is shown for metrics of any name', async () => {
    const scenario = await createScenario(api)
    const metrics = ['constructor', 'toString', 'users'].map((code) => ({ code, kind: 'gauge' as const }))
    const product = await createProduct(api, {
      metrics,
      features: [],
      modules: [{ code: 'm', name: 'M', metrics: ['constructor'] }],
    })
    const body = {
      productId: product.id,
      name: 'P',
      term: 'perpetual',
      allocation: 'site',
      limits: { users: 1 },
    }
    const plan = await api.call('POST', '/v1/plans', { token: vendor, body })
    const { license } = await scenario.issue({ planId: z.object({ id: z.string() }).parse(plan.body).id })
    const { metrics: used } = await usageOf(scenario, license.id)
    const { products } = await overview(scenario)
    expect(used.map(({ metric, limit }) => [metric, limit])).toEqual([
      ['constructor', 0],
      ['toString', 0],
      ['users', 1],
    ])
    expect(products[0]?.modules).toMatchObject([{ included: false }])
  })

  test('of another tenant, or of no license, is not found', async () => {
    const [scenario, other] = [await createScenario(api), await createScenario(api)]
    const { license } = await scenario.issue()
    const token = await api.token('tenant:app', other.tenant.id)
    const at = async (tenant: string, id: string) =>
      outcome(await api.call('GET', `/v1/tenants/${tenant}/licenses/${id}/usage`, { token }))
    expect(await at(other.tenant.id, license.id)).toBe('404 NOT_FOUND')
    expect(await at(scenario.tenant.id, license.id)).toBe('404 NOT_FOUND')
    expect(await at(other.tenant.id, 'lic_01J00000000000000000000000')).toBe('404 NOT_FOUND')
  })
})
