import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Plan, Product } from '../../../shared/domain/catalog.ts'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import type { Tenant } from '../../../shared/domain/tenant.ts'
import type { Answer, Api, CallOptions } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'

const Issued = z.object({ license: LicenseView, key: z.string() })

const Count = z.int().nullable()
const Series = z.object({
  items: z.array(
    z.object({
      from: z.string(),
      until: z.string(),
      reported: z.boolean(),
      value: Count,
      gross: z.int().optional(),
      late: z.int().optional(),
      corrected: z.int().optional(),
      least: Count.optional(),
      most: Count.optional(),
    }),
  ),
  current: z
    .object({
      period: z.object({ from: z.string(), until: z.string() }).optional(),
      gross: z.int(),
      corrected: z.int(),
      late: z.int(),
      net: z.int(),
    })
    .optional(),
})

const Overview = z.object({
  products: z.array(z.object({ metrics: z.array(z.object({ metric: z.string(), active: z.int() })) })),
})

const OUTCOME = z.object({ records: z.array(z.object({ outcome: z.string() })) })

/** What became of the records of a batch. */
export const outcomesOf = (answer: Answer): string[] =>
  OUTCOME.parse(expected(200, answer)).records.map(({ outcome }) => outcome)

/** A tenant with a product of two counters, one of high rate, and a gauge, and what its people ask. */
export async function aWorld(api: Api, { timeZone = 'UTC' }: { timeZone?: string } = {}) {
  const product: Product = await createProduct(api, {
    metrics: [
      { code: 'calls', kind: 'counter' },
      { code: 'hits', kind: 'counter', rate: 'high' },
      { code: 'users', kind: 'gauge' },
    ],
    modules: [],
  })
  const tenant: Tenant = await createTenant(api, { timeZone })
  const [vendor, app, admin] = await Promise.all([
    api.token('vendor:admin'),
    api.token('tenant:app', tenant.id),
    api.token('tenant:admin', tenant.id),
  ])
  const plan = (overrides: object): Promise<Plan> =>
    createPlan(api, product.id, { features: {}, ...overrides })

  return {
    api,
    product,
    tenant,
    vendor,
    app,
    admin,
    /** A license for so many of both counters in each month, its overage refused unless said otherwise. */
    async sell(limit: number | 'unlimited', overage: unknown = 'refuse', order: object = {}) {
      const rule = { period: 'P1M', overage }
      const { id } = await plan({
        limits: { calls: limit, hits: limit },
        rules: { metering: { calls: rule, hits: rule } },
      })
      const body = { tenantId: tenant.id, planId: id, ...order }
      return Issued.parse(expected(201, await api.call('POST', '/v1/licenses', { token: vendor, body })))
    },
    act: (licenseId: string, action: string) =>
      api.call('POST', `/v1/licenses/${licenseId}/${action}`, { token: vendor, body: { reason: 'a test' } }),
    async edit(licenseId: string, body: object): Promise<Answer> {
      const path = `/v1/licenses/${licenseId}`
      const { headers } = await api.call('GET', path, { token: vendor })
      return api.call('PATCH', path, {
        token: vendor,
        body,
        headers: { 'if-match': headers['etag'] ?? '' },
      })
    },
    report: (records: readonly object[], options: CallOptions = {}) =>
      api.call('POST', '/v1/usage', {
        token: app,
        body: { records: records.map((record) => ({ product: product.code, ...record })) },
        ...options,
      }),
    correct: (body: object, options: CallOptions = {}) =>
      api.call('POST', '/v1/usage/corrections', {
        token: admin,
        body: { product: product.code, metric: 'calls', reason: 'a mistake', ...body },
        ...options,
      }),
    async usage(metric: string, query: Readonly<Record<string, string>>) {
      const path = `/v1/tenants/${tenant.id}/usage`
      const answer = await api.call('GET', path, {
        token: admin,
        query: { product: product.code, metric, ...query },
      })
      return Series.parse(expected(200, answer))
    },
    /** Where a counter stands, to the unit. */
    async current(metric: string) {
      const { current } = await this.usage(metric, {
        from: '2026-01-01T00:00:00Z',
        to: '2026-01-02T00:00:00Z',
      })
      if (current === undefined) throw new Error(`${metric} is no counter`)
      return current
    },
    /** What the overview says is used of a metric. */
    async shown(metric: string): Promise<number | undefined> {
      const answer = await api.call('GET', `/v1/tenants/${tenant.id}/overview`, { token: admin })
      const { products } = Overview.parse(expected(200, answer))
      return products.flatMap(({ metrics }) => metrics).find((card) => card.metric === metric)?.active
    },
    /** What `explain` says that a report of so many more would be answered. */
    async foreseen(metric: string, units: number): Promise<string | undefined> {
      const body = { product: product.code, metric, units }
      const answer = await api.call('POST', '/v1/explain', { token: admin, body })
      return Explanation.parse(expected(200, answer)).predictions?.[0]?.outcome
    },
    id: () => randomUUID(),
  }
}
