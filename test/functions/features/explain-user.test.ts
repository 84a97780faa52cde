import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, it } from 'vitest'
import { Lease } from '../../../functions/leases/shapes.ts'
import { Explanation } from '../../../shared/domain/explanation.ts'
import { Verdict } from '../../../shared/domain/verdict.ts'
import { leaseDetailKey } from '../../../shared/store/keys.ts'
import { LeaseDetail, leaseDetailEntity } from '../../../shared/store/lease-detail.ts'
import { outcome, startApi } from '../../support/api.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected, Issued } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)

async function aTenant(plan: object) {
  const product = await createProduct(api, {
    metrics: [
      { code: 'concurrent', kind: 'gauge' },
      { code: 'calls', kind: 'counter' },
      { code: 'machines', kind: 'gauge' },
    ],
    modules: [],
  })
  const contacts = [{ name: 'Grace', email: 'grace@example.edu', role: 'administrator' as const }]
  const [{ id: planId }, tenant, issuer] = await Promise.all([
    createPlan(api, product.id, { features: {}, ...plan }),
    createTenant(api, { contacts }),
    api.token('vendor:issuer'),
  ])
  const app = await api.token('tenant:app', tenant.id)
  const order = { token: issuer, body: { tenantId: tenant.id, planId } }
  const { license, key } = Issued.parse(expected(201, await api.call('POST', '/v1/licenses', order)))
  const byKey = { headers: { authorization: `License ${key}` } }
  const byApp = { token: app }
  const post = (path: string, body: object, by: object = byApp) => api.call('POST', path, { ...by, body })
  const ask = async (body: object, by: object = byApp) =>
    Explanation.parse(expected(200, await post('/v1/explain', body, by)))
  return { tenant, product, license, key, byKey, post, ask }
}

describe('a user of a floating license', () => {
  it('is told who blocks, and the cheapest cure first; a license key is told numbers and no names', async () => {
    const { tenant, product, post, ask, byKey } = await aTenant({
      allocation: 'floating',
      limits: { concurrent: 1 },
    })
    const asked = {
      product: product.code,
      holder: { userId: 'ada', machine: 'lab-3' },
      department: 'Physics',
    }
    const lease = Lease.parse(expected(201, await post('/v1/leases', asked)))
    // The consumer of the pool's stream writes down who holds it.
    const Item = leaseDetailEntity.encode(
      leaseDetailKey(tenant.id, product.id, 'concurrent', lease.ref),
      LeaseDetail.strip().parse({ ...asked, ref: lease.ref, since: lease.expiresAt, by: 'tenant tok_1' }),
    )
    await api.table.client.send(new PutCommand({ TableName: api.table.name, Item }))

    const ada = await ask({ userId: 'ada', department: 'Physics' })
    expect(ada).toMatchObject({ granted: true, summary: 'Yes: holds 1 of concurrent.' })
    expect(ada.chain).toContainEqual({
      step: 'concurrent by department',
      passed: true,
      evidence: 'Physics holds 1; all: Physics 1',
    })
    await post('/v1/leases', { ...asked, holder: { userId: 'bob' } })
    const bob = await ask({ userId: 'bob' })
    expect(bob).toMatchObject({
      granted: false,
      predictions: [{ operation: 'POST /v1/leases (concurrent)', outcome: 'POOL_EXHAUSTED' }],
      cures: [
        { who: 'nobody', cure: expect.stringMatching(/^Wait until/) },
        { who: 'caller', cure: 'Take a ticket (POST /v1/tickets): 0 wait before.' },
        { who: 'tenant', cure: expect.stringContaining('Ask Grace <grace@example.edu> to release') },
        { who: 'vendor', costs: 'money', cure: 'Buy 1 more concurrent.' },
      ],
    })
    const text = JSON.stringify(bob.chain)
    expect(text).toContain('ada on lab-3 (Physics): 1 by lease')
    expect(text).toContain('a request on')
    for (const body of [
      { userId: 'ada' },
      { userId: 'bob' },
      { leaseId: lease.leaseId },
      { metric: 'concurrent' },
    ]) {
      const told = JSON.stringify(await ask(body, byKey))
      expect(told).not.toMatch(/ada|lab-3|Physics|Grace|grace|bob|tok_/)
    }
  })

  it('a lease or ticket of another tenant, or of another product by its key, is not there', async () => {
    const [own, other] = [
      await aTenant({ allocation: 'floating', limits: { concurrent: 1 } }),
      await aTenant({ allocation: 'floating', limits: { concurrent: 1 } }),
    ]
    const lease = Lease.parse(expected(201, await other.post('/v1/leases', {}, other.byKey)))
    const support = { token: await api.token('vendor:support') }
    const answers = [
      await own.post('/v1/explain', { leaseId: lease.leaseId }),
      await own.post('/v1/explain', { leaseId: lease.leaseId }, own.byKey),
      await own.post('/v1/explain', { leaseId: lease.leaseId, tenantId: own.tenant.id }, support),
      await own.post('/v1/explain', { leaseId: `${lease.leaseId.slice(0, -2)}AA` }),
      await own.post('/v1/explain', { ticketId: lease.leaseId }),
    ]
    expect(answers.map(outcome)).toEqual(answers.map(() => '404 NOT_FOUND'))
    expect(await own.ask({ leaseId: lease.leaseId, tenantId: other.tenant.id }, support)).toMatchObject({
      granted: true,
      summary: 'It holds its place.',
    })
  })
})

describe('a user of a site license', () => {
  it('is inside or outside, as a validation answers', async () => {
    const { product, key, ask, post } = await aTenant({
      allocation: 'site',
      limits: { concurrent: 'unlimited' },
      rules: {
        site: { domains: ['example.edu'], organizations: ['library'] },
        countries: { allow: ['DE'] },
      },
    })
    for (const person of [
      { email: 'ada@chem.example.edu', country: 'DE' },
      { email: 'ada@chem.example.edu', country: 'FR' },
      { email: 'ada@chem.example.edu' },
      { email: 'eve@evil.test', country: 'DE' },
      { organization: 'library', country: 'DE' },
      { organization: 'bar', country: 'DE' },
      { userId: 'ada', country: 'DE' },
    ]) {
      const verdict = Verdict.loose().parse((await post('/v1/validate', { key, ...person }, {})).body)
      const told = await ask({ product: product.code, ...person })
      expect(told.granted, JSON.stringify(person)).toBe(verdict.valid)
      if (!verdict.valid) expect(JSON.stringify(told.chain)).toContain(verdict.detail)
    }
  })
})

it('who is elsewhere is told so, as the grant then answers', async () => {
  const rules = { countries: { allow: ['DE'] } }
  const [pool, shop] = [
    await aTenant({ allocation: 'floating', limits: { concurrent: 1 }, rules }),
    await aTenant({ allocation: 'node-locked', limits: { machines: 1 }, rules }),
  ]
  const fingerprints = [{ value: 'machine-1' }]
  for (const country of [undefined, 'FR', 'DE']) {
    const told = [
      await pool.ask({ userId: 'ada', country }, pool.byKey),
      await shop.ask({ fingerprints, country }, shop.byKey),
    ]
    const answers = [
      await pool.post('/v1/leases', { holder: { userId: 'ada' }, country }, pool.byKey),
      await shop.post('/v1/activations', { fingerprints, country }, shop.byKey),
    ]
    const codes = answers.map((answer) => (answer.status < 300 ? 'OK' : outcome(answer).slice(4)))
    expect(told.map(({ predictions }) => predictions?.[0]?.outcome)).toEqual(codes)
    expect(told.map(({ granted }) => granted)).toEqual(codes.map((code) => code === 'OK'))
  }
})

it('a counter with an allowance has room as its reports then find', async () => {
  const { ask, post, byKey } = await aTenant({
    limits: { calls: 10 },
    rules: { metering: { calls: { period: 'P1M', overage: { absolute: 5 } } } },
  })
  const report = (add: number) => post('/v1/usage', { records: [{ metric: 'calls', add }] }, byKey)
  await report(12)
  for (const units of [4, 3]) {
    const told = await ask({ metric: 'calls', units })
    const answer = outcome(await report(units))
    expect(told.predictions).toEqual([
      { operation: 'POST /v1/usage', outcome: answer === '200' ? 'OK' : answer.slice(4) },
    ])
    if (!told.granted) expect(told.cures.map(({ who }) => who)).toEqual(['nobody', 'vendor'])
  }
  expect((await ask({ metric: 'calls' })).granted).toBe(false)
})
