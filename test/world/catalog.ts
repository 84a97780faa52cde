import type { ApiClient } from '../support/api.ts'
import { createPlan, createProduct } from '../support/resources.ts'

/** What both tenants have in common: what the vendor sells, a plan for people, machines and concurrent use each. */
export async function createCatalog(api: ApiClient) {
  const product = await createProduct(api, {
    metrics: [
      { code: 'users', kind: 'gauge' },
      { code: 'signatures', kind: 'counter' },
      { code: 'machines', kind: 'gauge' },
      { code: 'concurrent', kind: 'gauge' },
      { code: 'learners', kind: 'gauge' },
    ],
    modules: [{ code: 'learn', name: 'Learn', seat: { metric: 'learners', roles: ['author'] } }],
  })
  const rules = { transfer: { allowed: true } }
  const plans = {
    named: await createPlan(api, product.id, {
      rules: { ...rules, countries: { deny: ['AQ'], unknown: 'allow' } },
      limits: { users: 100, learners: 2 },
    }),
    'node-locked': await createPlan(api, product.id, {
      rules,
      allocation: 'node-locked',
      limits: { machines: 10 },
      features: {},
    }),
    floating: await createPlan(api, product.id, {
      rules,
      allocation: 'floating',
      limits: { concurrent: 10 },
      features: {},
    }),
  }
  return { product, plans }
}
export type Catalog = Awaited<ReturnType<typeof createCatalog>>
