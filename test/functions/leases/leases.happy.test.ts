import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Borrowed, Lease, PoolView, TicketView } from '../../../functions/leases/shapes.ts'
import { DAY, MINUTE } from '../../../shared/platform/time.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { advanceClock, stopClock } from '../../support/clock.ts'
import { eventsOf } from '../../support/events.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPlan, createProduct, createTenant } from '../../support/resources.ts'
import { expected, Issued } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())

/** A tenant with one floating license of 5 places. */
async function aTenant(plan: object = {}) {
  const product = await createProduct(api, { metrics: [{ code: 'concurrent', kind: 'gauge' }], modules: [] })
  const terms = { allocation: 'floating', limits: { concurrent: 5 }, ...plan }
  const [{ id: planId }, tenant] = await Promise.all([createPlan(api, product.id, terms), createTenant(api)])
  const order = { tenantId: tenant.id, planId }
  const vendor = await api.token('vendor:issuer')
  const issued = expected(201, await api.call('POST', '/v1/licenses', { token: vendor, body: order }))
  const { license, key } = Issued.parse(issued)
  const [app, admin] = await Promise.all([
    api.token('tenant:app', tenant.id),
    api.token('tenant:admin', tenant.id),
  ])
  const post = (path: string, body: object, token: string | undefined = app) =>
    api.call('POST', path, { token, body })
  const byKey = (path: string, body: object) =>
    api.call('POST', path, { body, headers: { authorization: `License ${key}` } })
  const pools = async () => {
    const answer = await api.call('GET', `/v1/tenants/${tenant.id}/pools`, { token: admin })
    return z.object({ items: z.array(PoolView) }).parse(expected(200, answer)).items
  }
  return { product, tenant, license, admin, post, byKey, pools }
}

describe('over the API', () => {
  test('50 check-outs at once on 5 places: 5 have one, 45 are told how the pool stands', async () => {
    const { post, product, pools } = await aTenant()
    const answers = await times(50, () => post('/v1/leases', { product: product.code }))
    expect(tally(answers.map(outcome))).toEqual({ 201: 5, '409 POOL_EXHAUSTED': 45 })
    const refused = answers.find(({ status }) => status === 409)
    expect(refused?.body).toMatchObject({ pool: { capacity: 5, used: 5, queue: 'POST /v1/tickets' } })
    expect(await pools()).toMatchObject([{ capacity: 5, used: 5, free: 0, overdraft: 0, waiting: 0 }])
  })

  test('an application with its license key: check-out, heartbeat, check-in', async () => {
    const { byKey, pools } = await aTenant()
    stopClock()
    const lease = Lease.parse(expected(201, await byKey('/v1/leases', { holder: { userId: 'ada' } })))
    const renewed = Lease.parse(
      expected(200, await byKey('/v1/leases/heartbeat', { leaseId: lease.leaseId })),
    )
    advanceClock(MINUTE)
    expect(outcome(await byKey('/v1/leases/heartbeat', { leaseId: lease.leaseId }))).toBe(
      '409 LEASE_SUPERSEDED',
    )
    expect(expected(200, await byKey('/v1/leases/check-in', { leaseId: renewed.leaseId }))).toEqual({
      released: true,
    })
    expect(expected(200, await byKey('/v1/leases/check-in', { leaseId: renewed.leaseId }))).toEqual({
      released: false,
    })
    expect((await pools())[0]).toMatchObject({ used: 0, leases: [] })
  })

  test('a license key is not told who holds the places', async () => {
    const { byKey } = await aTenant({ limits: { concurrent: 1 } })
    await byKey('/v1/leases', {})
    const { body } = await byKey('/v1/leases', {})
    expect(body).toMatchObject({ code: 'POOL_EXHAUSTED', pool: { used: 1 } })
    expect(body).not.toHaveProperty('pool.holders')
  })

  test('waiting for a place: ticket, ping, claim', async () => {
    const { post, product } = await aTenant({ limits: { concurrent: 1 } })
    const body = { product: product.id }
    const lease = Lease.parse(expected(201, await post('/v1/leases', body)))
    const ticket = TicketView.parse(expected(201, await post('/v1/tickets', { ...body, priority: 2 })))
    expect(ticket).toMatchObject({ state: 'waiting', position: 1 })
    expect(outcome(await post('/v1/tickets', { ...body, maxPosition: 1 }))).toBe('409 QUEUE_TOO_LONG')
    await post('/v1/leases/check-in', { leaseId: lease.leaseId })
    const { ticketId } = ticket
    expect(expected(200, await post('/v1/tickets/ping', { ticketId }))).toMatchObject({ state: 'held' })
    expect(outcome(await post('/v1/tickets/claim', { ticketId }))).toBe('201')
    expect(outcome(await post('/v1/tickets/cancel', { ticketId }))).toBe('200')
  })

  test("ids of another tenant's, or changed ones, do not exist", async () => {
    const [mine, theirs] = await Promise.all([aTenant(), aTenant()])
    const { leaseId } = Lease.parse(expected(201, await mine.byKey('/v1/leases', {})))
    const flipped = `${leaseId.slice(0, 20)}${leaseId[20] === 'A' ? 'B' : 'A'}${leaseId.slice(21)}`
    for (const path of ['/v1/leases/heartbeat', '/v1/leases/check-in']) {
      expect(outcome(await theirs.post(path, { leaseId }))).toBe('404 NOT_FOUND')
      expect(outcome(await theirs.byKey(path, { leaseId }))).toBe('404 NOT_FOUND')
      expect(outcome(await mine.post(path, { leaseId: flipped }))).toBe('404 NOT_FOUND')
    }
    expect(outcome(await mine.post('/v1/tickets/ping', { ticketId: leaseId }))).toBe('404 NOT_FOUND')
    expect(outcome(await mine.byKey('/v1/leases', { product: theirs.product.code }))).toBe('404 NOT_FOUND')
    expect(outcome(await mine.post('/v1/leases', { product: theirs.product.code }))).toBe(
      '409 LICENSE_NOT_IN_FORCE',
    )
    expect(wrongFields(await mine.post('/v1/leases', {}))).toEqual(['/body/product'])
  })
})

describe('a stranded lease', () => {
  test('is released by the tenant itself; the event says who and why; the rate is limited', async () => {
    const { post, product, tenant, admin, pools } = await aTenant({ limits: { concurrent: 1 } })
    const lease = Lease.parse(expected(201, await post('/v1/leases', { product: product.id })))
    expect((await pools())[0]?.leases).toMatchObject([{ ref: lease.ref, units: 1, lapsed: false }])
    const path = `/v1/tenants/${tenant.id}/leases/release`
    const body = { productId: product.id, metric: 'concurrent', ref: lease.ref, reason: 'The disk was wiped' }
    expect(outcome(await post(path, body))).toBe('403 FORBIDDEN')
    expect(expected(200, await post(path, body, admin))).toEqual({ released: true })
    expect(await eventsOf(api.table, lease.ref, tenant.id)).toMatchObject([
      { type: 'lease.released', reason: 'The disk was wiped', actor: { role: 'tenant:admin' } },
    ])
    expect(outcome(await post('/v1/leases/heartbeat', { leaseId: lease.leaseId }))).toBe('409 LEASE_LAPSED')
    expect(outcome(await post(path, body, admin))).toBe('404 NOT_FOUND')
    const many = await times(40, () => post(path, body, admin))
    expect(tally(many.map(outcome))).toEqual({ '404 NOT_FOUND': 28, '429 RATE_LIMITED': 12 })
  })
})

describe('borrowing', () => {
  const rules = { borrow: { maximum: 'P7D', share: 40 } }

  test('gives a signed token for the machine, until the plan or the license ends it', async () => {
    const { post, product, pools } = await aTenant({ rules })
    const body = { product: product.id, fingerprint: 'machine-0001' }
    const { lease, token } = Borrowed.parse(expected(201, await post('/v1/leases/borrow', body)))
    const jwks = await api.call('GET', '/.well-known/jwks.json')
    const keys = z.object({ keys: z.array(z.record(z.string(), z.string())) }).parse(jwks.body)
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { typ: 'borrow+jwt' })
    expect(payload).toMatchObject({ fingerprint: 'machine-0001', sub: lease.ref, productId: product.id })
    expect(Number(payload.exp) - Number(payload.iat)).toBe(7 * 24 * 3600)
    expect(outcome(await post('/v1/leases/heartbeat', { leaseId: lease.leaseId }))).toBe(
      '409 TRANSITION_NOT_ALLOWED',
    )
    expect((await pools())[0]).toMatchObject({ used: 1, borrowed: 1 })
    expect(await post('/v1/leases/check-in', { leaseId: lease.leaseId })).toMatchObject({
      body: { released: true },
    })
    expect((await pools())[0]).toMatchObject({ used: 0, borrowed: 0 })
  })

  test('at once, no more than the share of the pool; not at all where the plan says nothing', async () => {
    const [{ post, product, pools }, other] = await Promise.all([aTenant({ rules }), aTenant()])
    const fingerprint = 'machine-0001'
    const answers = await times(20, () => post('/v1/leases/borrow', { product: product.id, fingerprint }))
    expect(tally(answers.map(outcome))).toEqual({ 201: 2, '409 BORROW_NOT_ALLOWED': 18 })
    expect((await pools())[0]).toMatchObject({ used: 2, borrowed: 2 })
    stopClock()
    advanceClock(7 * DAY + MINUTE)
    expect((await pools())[0]).toMatchObject({ used: 0, borrowed: 0 })
    expect(outcome(await other.byKey('/v1/leases/borrow', { fingerprint }))).toBe('409 BORROW_NOT_ALLOWED')
  })
})
