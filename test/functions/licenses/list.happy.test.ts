import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { costOf } from '../../support/cost.ts'
import { createScenario, expected, type Issued, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:support')
const [scenario, other] = [await createScenario(api), await createScenario(api)]
const { issue, act, product, plans, tenant } = scenario

const Page = z.object({ items: z.array(LicenseView), nextCursor: z.string().optional() })
const list = async (query: Record<string, string> = {}) =>
  Page.parse(expected(200, await api.call('GET', '/v1/licenses', { token, query })))
const idsOf = ({ items }: { items: readonly LicenseView[] }) => items.map(({ id }) => id)
const id = ({ license }: Issued) => license.id

const soon = await issue({ expiresAt: inDays(5) })
const later = await issue({ expiresAt: inDays(50) })
const endless = await issue({ planId: plans.perpetual.id })
const over = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 })
const trial = await issue({ planId: plans.trial.id })
const revoked = await issue({ expiresAt: inDays(60) })
await act(revoked.license.id, 'revoke')
const foreign = await other.issue({ expiresAt: inDays(20) })

describe('the list of all licenses', () => {
  test('has every one, ending first on top, never last', async () => {
    const wanted = [over, soon, trial, foreign, later, revoked, endless].map(id)
    expect(idsOf(await list())).toEqual(wanted)
  })

  test('page by page has each once', async () => {
    const first = await list({ limit: '3' })
    const second = await list({ limit: '3', cursor: first.nextCursor ?? '' })
    const third = await list({ limit: '3', cursor: second.nextCursor ?? '' })
    expect([first, second, third].map(({ items }) => items.length)).toEqual([3, 3, 1])
    expect(third.nextCursor).toBeUndefined()
    expect([...idsOf(first), ...idsOf(second), ...idsOf(third)]).toEqual(idsOf(await list()))
  })

  const filters: [string, Record<string, string>, Issued[]][] = [
    ['its tenant', { tenantId: other.tenant.id }, [foreign]],
    ['its product', { productId: product.id }, [over, soon, trial, later, revoked, endless]],
    ['its status', { status: 'REVOKED' }, [revoked]],
    ['what is over', { status: 'EXPIRED' }, [over]],
    ['its type', { type: 'TRIAL' }, [trial]],
    ['its end', { expiresBefore: inDays(15) }, [over, soon, trial]],
    ['tenant and end', { tenantId: tenant.id, expiresBefore: inDays(15) }, [over, soon, trial]],
    [
      'product, status and end',
      { productId: product.id, status: 'ACTIVE', expiresBefore: inDays(55) },
      [soon, trial, later],
    ],
    ['what nothing has', { type: 'TOPUP' }, []],
  ]
  test.each(filters)('is filtered by %s', async (_, query, wanted) => {
    expect(idsOf(await list(query)).toSorted()).toEqual(wanted.map(id).toSorted())
  })

  test('takes the end of an extended license for what it is', async () => {
    const own = await createScenario(api)
    const base = await own.issue({ expiresAt: inDays(2) })
    await own.issue({ type: 'VALIDITY', extends: base.license.id })
    const before = await list({ tenantId: own.tenant.id, expiresBefore: inDays(3) })
    const all = await list({ tenantId: own.tenant.id })
    expect(before.items).toEqual([])
    expect(all.items.find((one) => one.id === base.license.id)).toHaveProperty('effectiveExpiresAt')
  })

  test('refuses filters it does not know, and foreign cursors', async () => {
    const call = (query: Record<string, string>) => api.call('GET', '/v1/licenses', { token, query })
    const { nextCursor = '' } = await list({ limit: '2' })
    const wrong = await call({ status: 'GONE', limit: '0', tenant: 'x' })
    expect([outcome(wrong), wrongFields(wrong).toSorted()]).toEqual([
      '400 INVALID_REQUEST',
      ['/query/limit', '/query/status', '/query/tenant'],
    ])
    expect(outcome(await call({ cursor: nextCursor, tenantId: tenant.id }))).toBe('400 INVALID_CURSOR')
    expect(outcome(await call({ cursor: `${nextCursor}x` }))).toBe('400 INVALID_CURSOR')
  })
})

describe('one license', () => {
  const read = (path: string, credential: string) => api.call('GET', path, { token: credential })

  test('is read with its revision as ETag', async () => {
    const answer = await read(`/v1/licenses/${revoked.license.id}`, token)
    expect(answer.headers['etag']).toBe('"2"')
    expect(answer.body).toMatchObject({ status: 'REVOKED', revocationReason: 'a test' })
  })

  test('that does not exist is not found, by any id and for any operation', async () => {
    const ids = ['lic_01J00000000000000000000000', 'lic_x', 'x', tenant.id]
    const answers = await Promise.all(ids.map((one) => read(`/v1/licenses/${one}`, token)))
    const acted = await act(ids[0] ?? '', 'suspend')
    expect([...answers, acted].map(outcome)).toEqual(Array(5).fill('404 NOT_FOUND'))
  })

  test("its file is its tenant's to read, and nobody else's", async () => {
    const path = `/v1/licenses/${soon.license.id}/file`
    const own = await read(path, await api.token('tenant:admin', tenant.id))
    const foreigner = await read(path, await api.token('tenant:admin', other.tenant.id))
    const nobody = await read(
      '/v1/licenses/lic_01J00000000000000000000000/file',
      await api.token('tenant:admin', tenant.id),
    )
    const reporter = await read(path, await api.token('tenant:reporter', tenant.id))
    expect(own).toMatchObject({ status: 200, body: soon.file })
    expect([foreigner, nobody, reporter].map(outcome)).toEqual([
      '404 NOT_FOUND',
      '404 NOT_FOUND',
      '403 FORBIDDEN',
    ])
    const same = [foreigner, nobody].map(({ body }) => ({ ...z.looseObject({}).parse(body), requestId: '' }))
    expect(same[0]).toEqual(same[1])
  })
})

test('what extends its licenses is read once for each product of a page', async () => {
  const shop = await createScenario(api)
  for (const days of [5, 6, 7]) {
    const { license } = await shop.issue({ expiresAt: inDays(days) })
    await shop.issue({ type: 'VALIDITY', extends: license.id, expiresAt: inDays(90) })
  }
  const query = { tenantId: shop.tenant.id }
  const cost = await costOf(api, () => list(query))
  expect(cost).toMatchObject({ Query: 2 })
  const ends = (await list(query)).items.flatMap(({ effectiveExpiresAt }) => effectiveExpiresAt ?? [])
  expect(ends).toHaveLength(3)
})
