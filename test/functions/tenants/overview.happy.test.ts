import { afterAll, afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Overview } from '../../../shared/domain/overview.ts'
import { DAY } from '../../../shared/platform/time.ts'
import { startApi } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected, Issued } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

const Entitled = z.object({
  products: z.array(z.object({ pools: z.array(z.object({ metric: z.string(), used: z.number() })) })),
})
const Attributed = z.object({ metrics: z.array(z.object({ metric: z.string(), used: z.number() })) })

test('what is in use is what was given out here, wherever it is shown and watched, and else what was reported', async () => {
  stopClock()
  const codes = ['concurrent', 'machines', 'projects']
  const metrics = codes.map((code) => ({ code, kind: 'gauge' as const }))
  const [product, tenant] = [
    await createProduct(api, { metrics, features: [], modules: [] }),
    await createTenant(api),
  ]
  const [vendor, admin, app] = [
    await api.token('vendor:admin'),
    await api.token('tenant:admin', tenant.id),
    await api.token('tenant:app', tenant.id),
  ]
  const post = async (status: number, path: string, body: object, token = app) =>
    expected(status, await api.call('POST', path, { token, body }))
  const of = async (path: string, query = {}) =>
    expected(200, await api.call('GET', `/v1/tenants/${tenant.id}/${path}`, { token: admin, query }))
  const sell = async (terms: object) => {
    const { id: planId } = await createPlan(api, product.id, { features: {}, ...terms })
    const order = { tenantId: tenant.id, planId }
    return Issued.parse(await post(201, '/v1/licenses', order, vendor))
  }
  const floating = await sell({ allocation: 'floating', limits: { concurrent: 5, projects: 10 } })
  await sell({ allocation: 'node-locked', limits: { machines: 2 } })
  const records = codes.map((metric) => ({ product: product.code, metric, value: 4 }))
  await post(200, '/v1/usage', { tenantId: tenant.id, records })
  const validate = () => post(200, `/v1/tenants/${tenant.id}/validation/runs`, {}, vendor)

  /** The use of each metric, as each place that shows it says. */
  const shown = async () => {
    const [card] = Overview.parse(await of('overview')).products
    const [entitled] = Entitled.parse(await of('entitlements')).products
    const installed = Attributed.parse(await of(`licenses/${floating.license.id}/usage`))
    return {
      overview: card?.metrics.map(({ active }) => active),
      entitlements: entitled?.pools.map(({ used }) => used),
      install: installed.metrics.map(({ used }) => used),
    }
  }
  expect(await shown()).toEqual({ overview: [4, 4, 4], entitlements: [4, 4, 4], install: [4, 0, 4] })
  for (const user of ['ada', 'bob', 'cyd', 'dan', 'eve'])
    await post(201, '/v1/leases', { product: product.code, holder: { userId: user } })
  for (const value of ['machine-1', 'machine-2'])
    await post(200, '/v1/activations', { product: product.code, fingerprints: [{ value }] })
  expect(await shown()).toEqual({ overview: [5, 2, 4], entitlements: [5, 2, 4], install: [5, 0, 4] })
  await validate()
  advanceClock(DAY)
  // Leases that nobody renewed are no use, though nobody took them away.
  expect(await shown()).toEqual({ overview: [0, 2, 4], entitlements: [0, 2, 4], install: [0, 0, 4] })
  await validate()
  const events = z
    .object({ items: z.array(z.object({ type: z.string(), subject: z.object({ id: z.string() }) })) })
    .parse(await of('events', { order: 'oldest', limit: '100' }))
    .items.filter(({ type }) => type.startsWith('capacity.'))
  expect(events.map(({ type, subject }) => `${type} ${subject.id.split('/')[1]}`)).toEqual([
    'capacity.reached concurrent',
    'capacity.reached machines',
    'capacity.cleared concurrent',
  ])
})
