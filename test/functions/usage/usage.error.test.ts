import { afterAll, describe, expect, test } from 'vitest'
import { newProductId, newTenantId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { type Answer, type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const other = await createScenario(api)
const { tenant, product, issue, act } = scenario
const vendor = await api.token('vendor:admin')
const app = await api.token('tenant:app', tenant.id)

/** Refused, and nothing of it is counted. */
async function refusalOf(body: object, options: CallOptions = { token: app }): Promise<Answer> {
  const before = await allRows(api.table)
  const answer = await api.call('POST', '/v1/usage', { body, ...options })
  expect(await allRows(api.table)).toEqual(before)
  return answer
}

const good = { product: product.code, metric: 'signatures', add: 3 }
const withGood = (record: object) => ({ records: [good, { product: product.code, ...record }] })

describe('one record that does not fit refuses the whole batch and is named', () => {
  const misfits: [string, object, string][] = [
    ['an unknown metric', { metric: 'machines', value: 1 }, '/body/records/1/metric'],
    ['a metric that every object has', { metric: 'constructor', value: 1 }, '/body/records/1/metric'],
    ['a gauge that is added to', { metric: 'users', add: 1 }, '/body/records/1/value'],
    ['a gauge with both', { metric: 'users', value: 1, add: 1 }, '/body/records/1/value'],
    ['a gauge with neither', { metric: 'users' }, '/body/records/1/value'],
    ['a counter that is set', { metric: 'signatures', value: 1 }, '/body/records/1/add'],
    ['a counter with both', { metric: 'signatures', value: 1, add: 1 }, '/body/records/1/add'],
    ['a counter with neither', { metric: 'signatures' }, '/body/records/1/add'],
  ]
  test.each(misfits)('%s', async (_, record, field) => {
    const answer = await refusalOf(withGood(record))
    expect([outcome(answer), wrongFields(answer)]).toEqual(['422 USAGE_UNKNOWN_METRIC', [field]])
  })

  const invalid: [object, string][] = [
    [{ metric: 'signatures', add: 0 }, '/body/records/1/add'],
    [{ metric: 'signatures', add: -1 }, '/body/records/1/add'],
    [{ metric: 'signatures', add: 1.5 }, '/body/records/1/add'],
    [{ metric: 'signatures', add: 1e13 }, '/body/records/1/add'],
    [{ metric: 'users', value: -1 }, '/body/records/1/value'],
    [{ metric: 'users', value: '5' }, '/body/records/1/value'],
    [{ metric: '', value: 5 }, '/body/records/1/metric'],
    [{ metric: 'users', value: 5, at: 'now' }, '/body/records/1/at'],
    [{ id: '', metric: 'users', value: 5 }, '/body/records/1/id'],
    [{ metric: 'users', value: 5, user: 'ada' }, '/body/records/1/user'],
    [{ product: 'unknown', metric: 'users', value: 5 }, '/body/records/1/product'],
    [{ product: newProductId(readClock()), metric: 'users', value: 5 }, '/body/records/1/product'],
  ]
  test.each(invalid)('%j', async (record, field) => {
    const answer = await refusalOf(withGood(record))
    expect([outcome(answer), wrongFields(answer)]).toEqual(['400 INVALID_REQUEST', [field]])
  })

  test('all that do not fit are named', async () => {
    const answer = await refusalOf({
      records: [{ ...good, add: undefined }, good, { ...good, metric: 'none' }],
    })
    expect(wrongFields(answer)).toEqual(['/body/records/0/add', '/body/records/2/metric'])
  })

  test('a batch has 1 to 25 records', async () => {
    const none = await refusalOf({ records: [] })
    const many = await refusalOf({ records: Array(26).fill(good) })
    expect([none, many].map(wrongFields)).toEqual([['/body/records'], ['/body/records']])
  })
})

describe('an id that was used for another record is a conflict, and nothing of the batch counts', () => {
  const record = { ...good, id: 'order-1' }
  test.each([
    ['another amount', { ...record, add: 4 }],
    ['another metric', { ...record, metric: 'users', add: undefined, value: 3 }],
    ['another product', { ...record, product: other.product.code }],
  ])('%s', async (_, changed) => {
    await api.call('POST', '/v1/usage', { token: app, body: { records: [record] } })
    expect(outcome(await refusalOf({ records: [{ ...good, id: 'new' }, changed] }))).toBe(
      '409 USAGE_CONFLICT',
    )
  })

  test('within one batch', async () => {
    const answer = await refusalOf({
      records: [
        { ...good, id: 'twice' },
        { ...good, id: 'twice', add: 9 },
      ],
    })
    expect(outcome(answer)).toBe('409 USAGE_CONFLICT')
  })
})

describe('whose use it is', () => {
  test('vendor staff must say, and of a tenant that exists', async () => {
    const without = await refusalOf({ records: [good] }, { token: vendor })
    const unknown = await refusalOf(
      { tenantId: newTenantId(readClock()), records: [good] },
      { token: vendor },
    )
    expect([outcome(without), wrongFields(without)]).toEqual(['400 INVALID_REQUEST', ['/body/tenantId']])
    expect(outcome(unknown)).toBe('404 NOT_FOUND')
  })

  test('a tenant reports its own alone; another looks like none', async () => {
    const foreign = await refusalOf({ tenantId: other.tenant.id, records: [good] })
    const unknown = await refusalOf({ tenantId: newTenantId(readClock()), records: [good] })
    expect([foreign, unknown].map(outcome)).toEqual(['404 NOT_FOUND', '404 NOT_FOUND'])
    const { detail } = Object(foreign.body)
    expect(unknown.body).toMatchObject({ detail })
  })

  test('readers do not report, nor does anybody without a credential', async () => {
    const roles = ['tenant:reporter', 'tenant:collector', 'org:admin'] as const
    const tokens = await Promise.all([
      ...roles.map((role) => api.token(role, tenant.id)),
      api.token('vendor:support'),
    ])
    for (const token of tokens) {
      expect(outcome(await refusalOf({ tenantId: tenant.id, records: [good] }, { token }))).toBe(
        '403 FORBIDDEN',
      )
    }
    expect(outcome(await refusalOf({ records: [good] }, {}))).toBe('401 UNAUTHENTICATED')
  })
})

describe('with a license key', () => {
  const withKey = (key: string) => ({ headers: { authorization: `License ${key}` } })

  test('only use of its own product and tenant is reported', async () => {
    const { key } = await issue()
    const foreign = { product: other.product.code, metric: 'users', value: 1 }
    const byCode = await refusalOf({ records: [foreign] }, withKey(key))
    const byId = await refusalOf({ records: [{ ...foreign, product: other.product.id }] }, withKey(key))
    const tenantOf = await refusalOf({ tenantId: other.tenant.id, records: [good] }, withKey(key))
    expect([byCode, byId, tenantOf].map(outcome)).toEqual([
      '400 INVALID_REQUEST',
      '400 INVALID_REQUEST',
      '404 NOT_FOUND',
    ])
  })

  const notInForce: [string, object, string | undefined, string][] = [
    ['suspended', {}, 'suspend', 'SUSPENDED'],
    ['revoked', {}, 'revoke', 'REVOKED'],
    ['expired', { validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 }, undefined, 'EXPIRED'],
    ['not begun', { validFrom: inDays(2) }, undefined, 'PENDING'],
    ['not applied', { applyOn: 'upload' }, undefined, 'NOT_APPLIED'],
  ]
  test.each(notInForce)('only while it is in force: %s', async (_, order, action, because) => {
    const { license, key } = await issue(order)
    if (action !== undefined) await act(license.id, action)
    const answer = await refusalOf({ records: [good] }, withKey(key))
    expect(outcome(answer)).toBe('409 LICENSE_NOT_IN_FORCE')
    expect(answer.body).toHaveProperty('detail', `The license is ${because}.`)
  })

  test('in grace it is in force', async () => {
    const { key } = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1) })
    const answer = await api.call('POST', '/v1/usage', { body: { records: [good] }, ...withKey(key) })
    expect(outcome(answer)).toBe('200')
  })

  test('that is nobody’s, or was never one, is no credential', async () => {
    for (const key of ['AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-AAAAA', 'x']) {
      expect(outcome(await refusalOf({ records: [good] }, withKey(key)))).toBe('401 UNAUTHENTICATED')
    }
  })
})
