import { UpdateCommand } from '@aws-sdk/lib-dynamodb'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { VisitsView } from '../../shared/domain/visits.ts'
import { pageOf } from '../../shared/platform/http/shapes.ts'
import { DAY, Instant, plusMilliseconds, readClock } from '../../shared/platform/time.ts'
import { outcome, startApi } from '../support/api.ts'
import { setClock, stopClock } from '../support/clock.ts'
import { costOf } from '../support/cost.ts'
import { tally, times } from '../support/parallel.ts'
import { createPlan, createProduct, createTenant } from '../support/resources.ts'
import { expected, Issued } from '../support/scenario.ts'
import { interposeAll } from '../support/sdk.ts'

// Places where something is granted: activations and leases. The rules themselves are in test/domain/place.test.ts.
const api = await startApi()
afterAll(api.stop)
afterEach(() => vi.useRealTimers())
const product = await createProduct(api, {
  metrics: [
    { code: 'machines', kind: 'gauge' },
    { code: 'concurrent', kind: 'gauge' },
  ],
  features: [],
  modules: [],
})
const START = Instant.parse('2026-07-01T10:00:00Z')
const TRAVEL = { allow: ['DE'], travel: { days: 1, window: 'P1Y' } }

/** A tenant with a license of an allocation for each of the rules. */
async function aTenant(allocation: 'node-locked' | 'floating', ...rules: (object | undefined)[]) {
  const tenant = await createTenant(api, { timeZone: 'UTC' })
  const issuer = await api.token('vendor:issuer')
  const issued: Issued[] = []
  const validFrom = plusMilliseconds(readClock(), -DAY)
  for (const countries of rules) {
    const plan = await createPlan(api, product.id, {
      allocation,
      limits: { [allocation === 'floating' ? 'concurrent' : 'machines']: 100 },
      features: {},
      rules: { ...(countries && { countries }), borrow: { maximum: 'P7D' } },
    })
    const body = { tenantId: tenant.id, planId: plan.id, validFrom }
    issued.push(Issued.parse(expected(201, await api.call('POST', '/v1/licenses', { token: issuer, body }))))
  }
  const app = await api.token('tenant:app', tenant.id)
  const admin = await api.token('tenant:admin', tenant.id)
  const [first] = issued
  const post = (path: string, body: object, key = first?.key) =>
    api.call(
      'POST',
      path,
      key === undefined
        ? { token: app, body: { product: product.code, ...body } }
        : {
            headers: { authorization: `License ${key}` },
            body,
          },
    )
  return {
    tenantId: tenant.id,
    issued,
    post,
    /** A year more of the first license, by a plan without a rule of countries. */
    async extend() {
      const plan = await createPlan(api, product.id, { allocation, limits: {}, features: {} })
      const body = { tenantId: tenant.id, planId: plan.id, type: 'VALIDITY', extends: first?.license.id }
      expected(201, await api.call('POST', '/v1/licenses', { token: issuer, body: { ...body, validFrom } }))
    },
    asBackEnd: (path: string, body: object) =>
      api.call('POST', path, { token: app, body: { product: product.code, ...body } }),
    async days() {
      const answer = await api.call('GET', `/v1/tenants/${tenant.id}/places`, { token: admin })
      const rows = pageOf(VisitsView).parse(expected(200, answer)).items
      return rows.flatMap(({ visitor, visits }) =>
        visits.map(({ day, country, verdict }) => `${visitor.type} ${day} ${country} ${verdict}`),
      )
    },
  }
}

const machine = (value: string) => ({ fingerprints: [{ value: `board ${value}` }] })
const offline = (value: string) => ({
  request: {
    format: 'latchkey-activation-request/1',
    product: product.code,
    nonce: 'a-nonce-of-the-machine',
    ...machine(value),
  },
})

describe('an activation', () => {
  test('asks where the machine is', async () => {
    stopClock(START)
    const { post, days } = await aTenant('node-locked', { allow: ['DE'] })
    for (const [path, body] of [
      ['/v1/activations', machine('one')],
      ['/v1/activations/offline', offline('one')],
    ] as const) {
      expect(outcome(await post(path, body)), path).toBe('422 COUNTRY_REQUIRED')
      expect(outcome(await post(path, { ...body, country: 'FR' })), path).toBe('409 COUNTRY_NOT_ALLOWED')
      expect(outcome(await post(path, { ...body, country: 'DE' })), path).toBe('200')
    }
    expect(await days()).toEqual(['machine 2026-07-01 FR outside'])
  })

  test('moves only to where its license may be used', async () => {
    stopClock(START)
    const { post, days, tenantId } = await aTenant('node-locked', { allow: ['DE'] })
    const { body } = await post('/v1/activations', { ...machine('one'), country: 'DE' })
    const { id } = z.object({ activation: z.object({ id: z.string() }) }).parse(body).activation
    const path = `/v1/tenants/${tenantId}/activations/${id}/move`
    expect(outcome(await post(path, machine('two')))).toBe('422 COUNTRY_REQUIRED')
    const away = { ...machine('two'), country: 'FR' }
    const asked = await post('/v1/explain', { ...away, activationId: id })
    expect(asked.body).toMatchObject({ granted: false })
    expect(JSON.stringify(asked.body)).toContain('COUNTRY_NOT_ALLOWED')
    expect(outcome(await post(path, away))).toBe('409 COUNTRY_NOT_ALLOWED')
    expect(outcome(await post(path, { ...away, country: 'DE' }))).toBe('200')
    expect(await days()).toEqual(['machine 2026-07-01 FR outside'])
  })

  test('is not let in by a license that gives no machines, whatever that says of countries', async () => {
    const { post, asBackEnd, extend } = await aTenant('node-locked', { allow: ['DE'] })
    const away = { ...machine('one'), country: 'FR' }
    expect(outcome(await asBackEnd('/v1/activations', away))).toBe('409 COUNTRY_NOT_ALLOWED')
    await extend()
    expect(outcome(await asBackEnd('/v1/activations', away))).toBe('409 COUNTRY_NOT_ALLOWED')
    const asked = await asBackEnd('/v1/explain', away)
    expect(JSON.stringify(asked.body)).toContain('COUNTRY_NOT_ALLOWED')
    expect(outcome(await post('/v1/activations', { ...away, country: 'DE' }))).toBe('200')
  })

  test('uses the same day of travel as the validation of the machine', async () => {
    stopClock(START)
    const { post, days, issued, tenantId } = await aTenant('node-locked', TRAVEL)
    const validate = async () =>
      z
        .object({ code: z.string() })
        .parse((await post('/v1/validate', { fingerprint: 'board one', country: 'FR' })).body).code
    const activate = async (value: string) =>
      outcome(await post('/v1/activations', { ...machine(value), country: 'FR' }))
    expect(issued).toHaveLength(1)
    expect([await activate('one'), await activate('one'), await validate()]).toEqual([
      '200',
      '200',
      'TRAVELING',
    ])
    setClock(plusMilliseconds(START, DAY))
    expect([await activate('one'), await validate()]).toEqual(['409 TRAVEL_EXHAUSTED', 'TRAVEL_EXHAUSTED'])
    const away = { ...offline('one'), country: 'FR' }
    expect(outcome(await post('/v1/activations/offline', away))).toBe('409 TRAVEL_EXHAUSTED')
    const { body } = await post('/v1/activations', { ...machine('two'), country: 'FR' })
    const { id } = z.object({ activation: z.object({ id: z.string() }) }).parse(body).activation
    const move = `/v1/tenants/${tenantId}/activations/${id}/move`
    expect(outcome(await post(move, { ...machine('one'), country: 'FR' }))).toBe('409 TRAVEL_EXHAUSTED')
    expect((await days()).toSorted()).toEqual([
      'machine 2026-07-01 FR travel',
      'machine 2026-07-02 FR outside',
      'machine 2026-07-02 FR travel',
    ])
  })
})

test('a day of travel that others note at the same time each time is asked for again', async () => {
  stopClock(START)
  const { post } = await aTenant('node-locked', { allow: ['DE'], travel: { days: 5, window: 'P1Y' } })
  const validate = () => post('/v1/validate', { fingerprint: 'board one', country: 'FR' })
  expect(outcome(await post('/v1/activations', { ...machine('one'), country: 'FR' }))).toBe('200')
  setClock(plusMilliseconds(START, DAY))
  const undo = interposeAll(async ({ input }, send) => {
    for (const Key of Noted.safeParse(input).data ?? [])
      await api.table.client.send(
        new UpdateCommand({
          TableName: api.table.name,
          Key,
          UpdateExpression: 'ADD version :one',
          ExpressionAttributeValues: { ':one': 1 },
        }),
      )
    return send()
  })
  const contended = await validate()
  undo()
  expect([contended, await validate()].map(outcome)).toEqual(['503 CONTENDED', '200'])
})

/** The keys of rows of visits that a transaction writes. */
const Text = z.object({ S: z.string() })
const Noted = z
  .object({
    TransactItems: z.array(
      z.object({
        Put: z.object({ Item: z.object({ pk: Text, sk: Text, entity: Text }) }).optional(),
      }),
    ),
  })
  .transform(({ TransactItems }) =>
    TransactItems.flatMap(({ Put }) =>
      Put?.Item.entity.S === 'visits' ? [{ pk: Put.Item.pk.S, sk: Put.Item.sk.S }] : [],
    ),
  )

describe('a lease', () => {
  const lease = (country: string | undefined, userId = 'ada') => ({ holder: { userId }, country })

  test('asks where it is used: checked out, borrowed, waited for', async () => {
    const { post } = await aTenant('floating', { allow: ['DE'] })
    for (const [path, more] of [
      ['/v1/leases', {}],
      ['/v1/leases/borrow', { fingerprint: 'board one' }],
      ['/v1/tickets', {}],
    ] as const) {
      expect(outcome(await post(path, { ...lease(undefined), ...more })), path).toBe('422 COUNTRY_REQUIRED')
      expect(outcome(await post(path, { ...lease('FR'), ...more })), path).toBe('409 COUNTRY_NOT_ALLOWED')
      expect(outcome(await post(path, { ...lease('DE'), ...more })), path).toBe('201')
    }
  })

  test('inside is still one write; a day of travel is one transaction, and none the second time', async () => {
    const { post, days } = await aTenant('floating', TRAVEL)
    await post('/v1/leases', lease('DE'))
    const cost = (country: string) => costOf(api, () => post('/v1/leases', lease(country)))
    const credential = { GetItem: 1 }
    expect(await cost('DE')).toEqual({ ...credential, UpdateItem: 1 })
    expect(await cost('FR')).toMatchObject({ TransactWriteItems: 1 })
    expect(await cost('FR')).not.toHaveProperty('TransactWriteItems')
    expect(await days()).toHaveLength(1)
  })

  test('eight at once on the last day all get one, and on the day after none does', async () => {
    stopClock(START)
    const { post, days } = await aTenant('floating', TRAVEL)
    const all = async () => tally((await times(8, () => post('/v1/leases', lease('FR')))).map(outcome))
    expect(await all()).toEqual({ 201: 8 })
    setClock(plusMilliseconds(START, DAY))
    expect(await all()).toEqual({ '409 TRAVEL_EXHAUSTED': 8 })
    const borrowed = await post('/v1/leases/borrow', { ...lease('FR'), fingerprint: 'board one' })
    const queued = await post('/v1/tickets', lease('FR'))
    expect([borrowed, queued].map(outcome)).toEqual(['409 TRAVEL_EXHAUSTED', '409 TRAVEL_EXHAUSTED'])
    expect(await days()).toEqual(['user 2026-07-01 FR travel', 'user 2026-07-02 FR outside'])
  })

  test('that is not given uses no day', async () => {
    const { post, days } = await aTenant('floating', TRAVEL)
    const items = [{ metric: 'concurrent', units: 100 }]
    expect(outcome(await post('/v1/leases', { ...lease('DE', 'eve'), items }))).toBe('201')
    expect(outcome(await post('/v1/leases', lease('FR')))).toBe('409 POOL_EXHAUSTED')
    expect(await days()).toEqual([])
  })

  test('of a back end is of any license that covers the place; of a key, of its own', async () => {
    const { issued, post, asBackEnd } = await aTenant('floating', { allow: ['DE'] }, { allow: ['FR'] })
    expect(outcome(await asBackEnd('/v1/leases', lease('FR')))).toBe('201')
    expect(outcome(await asBackEnd('/v1/leases', lease('CH')))).toBe('409 COUNTRY_NOT_ALLOWED')
    expect(outcome(await post('/v1/leases', lease('FR'), issued[1]?.key))).toBe('201')
    expect(outcome(await post('/v1/leases', lease('FR')))).toBe('409 COUNTRY_NOT_ALLOWED')
  })
})
