import * as z from 'zod'
import type { Arm } from './arm.ts'
import type { Bench } from './bench.ts'
import { request } from './requests.ts'

const Created = z.object({ id: z.string() })

/** A tenant with organizations and a license for its people. */
export type Tenancy = {
  readonly tenantId: string
  /** The names of the departments from the top, `Faculty 1/Department 1`; each faculty has one. */
  readonly departments: readonly string[]
  readonly departmentIds: readonly string[]
  /** The event of a request about the tenant; the path from behind its id. */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, options?: Asked): string
}

type Asked = { readonly body?: unknown; readonly params?: Readonly<Record<string, string>> }

/** Sells seats of one module, which people with the role `author` need, to tenants of many organizations. */
export async function openMarket({ start, token }: Bench) {
  const [catalog, tenants, licenses] = await Promise.all([
    start('catalog'),
    start('tenants'),
    start('licenses'),
  ])
  const create = async (arm: Arm, path: string, body: object) =>
    Created.parse((await arm.invoke(request('POST', path, { body, token }))).body).id
  const productId = await create(catalog, '/v1/products', PRODUCT)
  const planId = await create(catalog, '/v1/plans', { productId, ...PLAN })
  return {
    async tenancy(people: Arm, number: number, faculties: number, seats: number): Promise<Tenancy> {
      const body = { name: `University of ${number}`, customerId: `P-${number}`, timeZone: 'UTC' }
      const tenantId = await create(tenants, '/v1/tenants', body)
      const order = { tenantId, planId, limits: { learners: seats } }
      await licenses.invoke(request('POST', '/v1/licenses', { body: order, token }))
      const ask: Tenancy['ask'] = (method, path, { params, ...options } = {}) =>
        request(method, `/v1/tenants/{tenantId}${path}`, {
          token,
          params: { tenantId, ...params },
          ...options,
        })
      const organize = async (name: string, parentId?: string) =>
        Created.parse((await people.invoke(ask('POST', '/organizations', { body: { name, parentId } }))).body)
          .id
      const departments: string[] = []
      const departmentIds: string[] = []
      for (let count = 1; count <= faculties; count += 1) {
        const faculty = await organize(`Faculty ${count}`)
        departmentIds.push(await organize(`Department ${count}`, faculty))
        departments.push(`Faculty ${count}/Department ${count}`)
      }
      return { tenantId, departments, departmentIds, ask }
    },
    close: () => Promise.all([catalog, tenants, licenses].map((arm) => arm.stop())),
  }
}

const PRODUCT = {
  code: 'people',
  name: 'People',
  metrics: [{ code: 'learners', kind: 'gauge' }],
  features: [],
  modules: [
    {
      code: 'learn',
      name: 'Learn',
      metrics: ['learners'],
      features: [],
      seat: { metric: 'learners', roles: ['author'] },
    },
  ],
}

const PLAN = {
  name: 'Seats',
  term: 'perpetual',
  allocation: 'named',
  limits: { learners: 1 },
}
