import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { MINUTE } from '../../../shared/platform/time.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf } from '../../support/events.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

test('a tenant shares its pool out: by revision, with its event, and check-outs keep to it', async () => {
  const product = await createProduct(api, { metrics: [{ code: 'concurrent', kind: 'gauge' }], modules: [] })
  const terms = { allocation: 'floating', limits: { concurrent: 4 } }
  const [{ id: planId }, tenant] = await Promise.all([createPlan(api, product.id, terms), createTenant(api)])
  const vendor = await api.token('vendor:issuer')
  expected(
    201,
    await api.call('POST', '/v1/licenses', { token: vendor, body: { tenantId: tenant.id, planId } }),
  )
  const [app, admin] = await Promise.all([
    api.token('tenant:app', tenant.id),
    api.token('tenant:admin', tenant.id),
  ])
  const path = `/v1/tenants/${tenant.id}/pools/${product.code}/shares`
  const set = (shares: readonly object[], etag: string, token = admin) =>
    api.call('PATCH', path, { token, body: { shares }, headers: { 'if-match': etag } })
  const out = (department: string) =>
    api.call('POST', '/v1/leases', { token: app, body: { product: product.code, department } })

  const nothing = await api.call('GET', path, { token: app })
  expect(nothing).toMatchObject({ status: 200, body: { metric: 'concurrent', shares: [], revision: 1 } })
  const etag = nothing.headers['etag'] ?? ''
  const half = { department: 'Physics', share: { percent: 50 }, guaranteed: true }
  expect(outcome(await set([half], etag, app))).toBe('403 FORBIDDEN')
  const all = { department: 'Arts', share: { units: 3 }, guaranteed: true }
  expect(wrongFields(await set([half, all], etag))).toEqual(['/body/shares/1/share'])

  const shared = await set([half, { department: 'Arts', maximum: { units: 1 } }], etag)
  expect(shared).toMatchObject({
    status: 200,
    body: {
      shares: [
        { ...half, units: 2, most: 'unlimited', held: 0 },
        { department: 'Arts', guaranteed: false, maximum: { units: 1 }, units: 0, most: 1, held: 0 },
      ],
      revision: 2,
    },
  })
  expect(outcome(await set([], etag))).toBe('412 REVISION_OUTDATED')
  const again = await set([half, { department: 'Arts', maximum: { units: 1 } }], shared.headers['etag'] ?? '')
  expect(again.body).toMatchObject({ revision: 2 })
  expect(await eventsOf(api.table, 'concurrent', tenant.id)).toMatchObject([
    {
      type: 'pool.shared-out',
      actor: { role: 'tenant:admin' },
      before: { productId: product.id, shares: [] },
      after: {
        shares: [
          { department: 'Physics', code: 1 },
          { department: 'Arts', code: 2 },
        ],
      },
    },
  ])

  const answers = []
  for (const department of ['Arts', 'Arts', 'Music', 'Music', 'Physics', 'Physics', 'Physics'])
    answers.push(outcome(await out(department)))
  const full = '409 POOL_EXHAUSTED'
  expect(answers).toEqual(['201', full, '201', full, '201', '201', full])
  expect(await api.call('GET', path, { token: admin })).toMatchObject({
    body: { shares: [{ held: 2 }, { held: 1 }] },
  })
  // What lapsed is not held, whether or not somebody took its place.
  stopClock()
  advanceClock(11 * MINUTE)
  const later = await api.call('GET', path, { token: admin })
  expect(later).toMatchObject({ body: { shares: [{ held: 0 }, { held: 0 }] } })
})
