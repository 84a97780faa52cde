import { afterAll, beforeAll, expect, it } from 'vitest'
import * as z from 'zod'
import { type Api, outcome, startApi } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'

const Log = z.object({
  items: z.array(z.object({ type: z.string(), subject: z.object({ id: z.string() }) })),
})

let api: Api

beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.stop())

it('the vendor reads what changed that concerns no tenant, and no tenant does', async () => {
  const product = await createProduct(api)
  const plan = await createPlan(api, product.id)
  const tenant = await createTenant(api)
  const events = await api.call('GET', '/v1/events', { token: await api.token('vendor:support') })
  const { items } = Log.parse(events.body)
  expect(items.map(({ type, subject }) => [type, subject.id]).slice(1, 3)).toEqual([
    ['plan.created', plan.id],
    ['product.created', product.id],
  ])
  expect(JSON.stringify(items)).not.toContain(tenant.id)
  const foreign = await api.call('GET', '/v1/events', { token: await api.token('tenant:admin', tenant.id) })
  expect(outcome(foreign)).toBe('403 FORBIDDEN')
})
