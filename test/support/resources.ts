import { randomUUID } from 'node:crypto'
import type * as z from 'zod'
import { Plan, Product, type ProductDraft } from '../../shared/domain/catalog.ts'
import { Tenant, type TenantDraft } from '../../shared/domain/tenant.ts'
import type { ApiClient } from './api.ts'

/** A product with two gauges, a counter, three features and a module. */
export const productDraft = (overrides: Partial<z.input<typeof ProductDraft>> = {}) => ({
  code: `edu-${randomUUID().slice(0, 8)}`,
  name: 'Education',
  metrics: [
    { code: 'users', kind: 'gauge' },
    { code: 'departments', kind: 'gauge' },
    { code: 'signatures', kind: 'counter' },
  ],
  features: [
    { code: 'sso', type: 'boolean' },
    { code: 'storage-gb', type: 'number' },
    { code: 'edition', type: 'string' },
  ],
  modules: [{ code: 'learn', name: 'Learn', metrics: ['users'], features: ['sso'] }],
  ...overrides,
})

/** A yearly subscription for 100 named users with 30 days of grace. */
export const planDraft = (productId: string, overrides: object = {}) => ({
  productId,
  name: 'Campus',
  term: 'subscription',
  allocation: 'named',
  duration: 'P1Y',
  graceDays: 30,
  limits: { users: 100 },
  features: { sso: true },
  ...overrides,
})

export const tenantDraft = (overrides: Partial<z.input<typeof TenantDraft>> = {}) => ({
  name: 'Example University',
  customerId: `C-${randomUUID().slice(0, 8)}`,
  timeZone: 'Europe/Berlin',
  contacts: [{ name: 'Ada', email: 'ada@example.edu', role: 'owner' as const }],
  ...overrides,
})

/** Made through the API by a vendor administrator. */
export async function createProduct(
  api: ApiClient,
  overrides: Parameters<typeof productDraft>[0] = {},
): Promise<Product> {
  return Product.parse(await created(api, '/v1/products', productDraft(overrides)))
}

export async function createPlan(api: ApiClient, productId: string, overrides: object = {}): Promise<Plan> {
  return Plan.parse(await created(api, '/v1/plans', planDraft(productId, overrides)))
}

export async function createTenant(
  api: ApiClient,
  overrides: Parameters<typeof tenantDraft>[0] = {},
): Promise<Tenant> {
  return Tenant.parse(await created(api, '/v1/tenants', tenantDraft(overrides)))
}

async function created(api: ApiClient, path: string, body: object): Promise<unknown> {
  const answer = await api.call('POST', path, { token: await api.token('vendor:admin'), body })
  if (answer.status === 201) return answer.body
  throw new Error(`POST ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`)
}
