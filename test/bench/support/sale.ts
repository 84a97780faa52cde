import * as z from 'zod'
import { LicenseId, ProductId, TenantId } from '../../../shared/platform/ids.ts'
import { licenseKey } from '../../../shared/store/keys.ts'
import type { PoolAddress } from '../../../shared/store/pool.ts'
import type { Bench } from './bench.ts'
import { post } from './requests.ts'

/** A license as it was sold, and where its row lies. */
type SoldLicense = { readonly key: string; readonly row: { readonly pk: string; readonly sk: string } }

/** A floating license whose places are all of a pool. */
export type Floating = { readonly key: string; readonly pool: PoolAddress; readonly capacity: number }

export type Sold = {
  /** Each the only license of its tenant. */
  readonly licenses: readonly SoldLicense[]
  /** Keys of floating licenses, each the only one of its tenant: with many places, with a single one, to be metered. */
  readonly floating: {
    readonly roomy: readonly string[]
    readonly single: readonly string[]
    readonly metered: readonly string[]
    readonly small: Floating
    readonly vast: Floating
  }
  /** The request that issues one more, to a tenant apart; each call makes a new one. */
  readonly issueRequest: () => string
}

const Created = z.object({ id: z.string() })
const Issued = z.object({
  key: z.string(),
  license: z.object({ id: LicenseId, tenantId: TenantId, productId: ProductId }),
})

/** Sells through the API: a product with metrics and features, a plan with grace, and a license to each of a few tenants. */
export async function sell(start: Bench['start'], token: string): Promise<Sold> {
  const [catalog, tenants, licenses] = await Promise.all([
    start('catalog'),
    start('tenants'),
    start('licenses'),
  ])
  const request = (path: string, body: object) => post(path, { body, token })
  const product = await catalog.invoke(request('/v1/products', PRODUCT))
  const productId = Created.parse(product.body).id
  const plan = await catalog.invoke(request('/v1/plans', { productId, ...PLAN }))
  const planId = Created.parse(plan.body).id

  async function newTenant(number: number): Promise<string> {
    const body = { name: `University ${number}`, customerId: `C-${number}`, contacts: [CONTACT] }
    return Created.parse((await tenants.invoke(request('/v1/tenants', body))).body).id
  }
  async function issue(number: number): Promise<SoldLicense> {
    const tenantId = await newTenant(number)
    const { body } = await licenses.invoke(request('/v1/licenses', { tenantId, planId }))
    const { key, license } = Issued.parse(body)
    return { key, row: licenseKey(license.tenantId, license.productId, license.id) }
  }
  const cad = Created.parse((await catalog.invoke(request('/v1/products', CAD))).body).id
  const seats = await catalog.invoke(request('/v1/plans', { productId: cad, ...SEATS }))
  const seatsId = Created.parse(seats.body).id
  async function newPool(number: number, concurrent: number): Promise<Floating> {
    const body = { tenantId: await newTenant(number), planId: seatsId, limits: { concurrent } }
    const issued = await licenses.invoke(request('/v1/licenses', body))
    const { key, license } = Issued.parse(issued.body)
    return { key, pool: { ...license, metric: 'concurrent' }, capacity: concurrent }
  }
  const issueFloating = async (number: number, concurrent: number) => (await newPool(number, concurrent)).key

  const sold = [await issue(1), await issue(2)]
  const apart = await newTenant(3)
  const floating = {
    roomy: [await issueFloating(4, 1000), await issueFloating(5, 1000), await issueFloating(6, 1000)],
    single: [await issueFloating(7, 1), await issueFloating(8, 1)],
    metered: [await issueFloating(9, 1000), await issueFloating(10, 1000)],
    small: await newPool(11, 100),
    vast: await newPool(12, 10_000),
  }
  await Promise.all([catalog, tenants, licenses].map((arm) => arm.stop()))
  return {
    licenses: sold,
    floating,
    issueRequest: () => request('/v1/licenses', { tenantId: apart, planId }),
  }
}

const CONTACT = { name: 'Ada', email: 'ada@example.edu', role: 'owner' }

const PRODUCT = {
  code: 'edu',
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
}

const CAD = {
  code: 'cad',
  name: 'CAD',
  metrics: [{ code: 'concurrent', kind: 'gauge' }],
  features: [],
  modules: [],
}

const SEATS = {
  name: 'Floating',
  term: 'subscription',
  allocation: 'floating',
  duration: 'P1Y',
  limits: { concurrent: 1 },
  rules: { lease: { duration: 'PT2H' } },
}

const PLAN = {
  name: 'Campus',
  term: 'subscription',
  allocation: 'named',
  duration: 'P1Y',
  graceDays: 30,
  limits: { users: 100, departments: 12, signatures: 5000 },
  features: { sso: true, 'storage-gb': 500, edition: 'campus' },
}
