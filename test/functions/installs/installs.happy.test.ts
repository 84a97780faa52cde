import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { installsRoutes } from '../../../functions/installs/routes.ts'
import { LicenseView } from '../../../shared/domain/license-view.ts'
import { type Answer, type CallOptions, outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { allRows } from '../../support/rows.ts'
import { codesOf, createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)

const Page = z.object({ items: z.array(LicenseView), nextCursor: z.string().optional() })
const Refreshed = installsRoutes.refreshInstalls.success.body
type Refreshed = z.infer<typeof Refreshed>

/** What the tenant's administrator does with its licenses. */
async function installsOf({ tenant }: Scenario) {
  const token = await api.token('tenant:admin', tenant.id)
  const path = `/v1/tenants/${tenant.id}/licenses`
  return {
    list: async (query: Record<string, string> = {}) =>
      Page.parse(expected(200, await api.call('GET', path, { token, query }))),
    remove: (id: string, query: Record<string, string> = {}, options: CallOptions = {}): Promise<Answer> =>
      api.call('DELETE', `${path}/${id}`, { token, query, ...options }),
    refresh: async (): Promise<Refreshed> =>
      Refreshed.parse(expected(200, await api.call('POST', `${path}/refresh`, { token }))),
  }
}

describe('a deleted license', () => {
  test('stops counting at once, keeps its history, and counts again after another upload', async () => {
    const scenario = await createScenario(api)
    const { issue, validate, upload, events } = scenario
    const { remove, list } = await installsOf(scenario)
    const { license, key, file } = await issue()
    const before = await validate({ key })

    const removed = await remove(license.id, { reason: 'not ours' })
    const after = await validate({ key })
    const again = await remove(license.id)
    const listed = await list()
    const applied = await upload(file)

    expect(before.entitlement?.inForce).toBe(true)
    const view = LicenseView.parse(expected(200, removed))
    expect(view).toMatchObject({ id: license.id, status: 'ACTIVE', deletedAt: expect.any(String) })
    expect(view).not.toHaveProperty('appliedAt')
    expect(codesOf(after)).toEqual(['NOT_APPLIED'])
    expect(after.findings[0]?.detail).toContain(`Deleted by the customer on ${view.deletedAt}`)
    expect(after.entitlement).toMatchObject({ inForce: false, pools: [] })
    expect([outcome(again), again.body]).toEqual(['200', view])
    expect(listed.items).toEqual([view])
    expect(outcome(applied)).toBe('200')
    const back = await validate({ key })
    expect(back).toMatchObject({ valid: true, code: 'VALID' })
    expect(await scenario.read(license.id)).not.toHaveProperty('deletedAt')
    const told = await events(license.id)
    expect(typesOf(told).slice(2)).toEqual(['license.deleted', 'license.applied'])
    expect(told[2]).toMatchObject({ reason: 'not ours', before: { appliedAt: license.appliedAt } })
  })

  test('under one Idempotency-Key has its first answer, also once it is applied again', async () => {
    const scenario = await createScenario(api)
    const { license, file } = await scenario.issue()
    const { remove } = await installsOf(scenario)
    const options = { headers: { 'idempotency-key': 'delete-1' } }
    const first = await remove(license.id, {}, options)
    expect(outcome(await scenario.upload(file))).toBe('200')
    expect(await remove(license.id, {}, options)).toMatchObject({ status: 200, body: first.body })
    expect(await scenario.read(license.id)).toHaveProperty('appliedAt')
  })

  test('by many at the same time is deleted once', async () => {
    const scenario = await createScenario(api)
    const { remove } = await installsOf(scenario)
    const { license } = await scenario.issue()
    const answers = await Promise.all(Array.from({ length: 8 }, () => remove(license.id)))
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1)
    const types = typesOf(await scenario.events(license.id))
    expect(types.filter((type) => type === 'license.deleted')).toHaveLength(1)
  })

  test('of another tenant, or of nobody, is not found and stays', async () => {
    const [scenario, other] = [await createScenario(api), await createScenario(api)]
    const { license } = await scenario.issue()
    const { remove } = await installsOf(other)
    const before = await allRows(api.table)
    const answers = [
      await remove(license.id),
      await remove('lic_01J00000000000000000000000'),
      await remove('x'),
    ]
    expect(answers.map(outcome)).toEqual(Array(3).fill('404 NOT_FOUND'))
    const texts = answers.map(({ body }) =>
      JSON.stringify({ ...z.object({}).loose().parse(body), requestId: '' }),
    )
    expect(new Set(texts).size).toBe(1)
    expect(await allRows(api.table)).toEqual(before)
  })
})

describe('the list', () => {
  test('has what is active and what is over, filtered by status, page by page', async () => {
    const scenario = await createScenario(api)
    const { issue, act } = scenario
    const { list } = await installsOf(scenario)
    const active = await issue()
    const pending = await issue({ validFrom: inDays(3) })
    const grace = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1) })
    const expired = await issue({ validFrom: inDays(-9), expiresAt: inDays(-1), graceDays: 0 })
    const suspended = await issue()
    const revoked = await issue()
    await act(suspended.license.id, 'suspend')
    await act(revoked.license.id, 'revoke')
    // What is reported as used lies beside the licenses and is none.
    const body = {
      tenantId: scenario.tenant.id,
      records: [{ product: scenario.product.code, metric: 'users', value: 3 }],
    }
    await api.call('POST', '/v1/usage', { token: await api.token('vendor:admin'), body })

    const all = (await list()).items
    const byStatus = {
      ACTIVE: active,
      PENDING: pending,
      GRACE: grace,
      EXPIRED: expired,
      SUSPENDED: suspended,
      REVOKED: revoked,
    }
    expect(all).toHaveLength(6)
    for (const [status, { license }] of Object.entries(byStatus)) {
      const { items } = await list({ status })
      expect(
        items.map(({ id, status: own }) => [id, own]),
        status,
      ).toEqual([[license.id, status]])
    }
    const paged: string[] = []
    let cursor: string | undefined
    do {
      const page = await list({ limit: '4', ...(cursor && { cursor }) })
      paged.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(paged).toEqual(all.map(({ id }) => id))
  })
})

describe('refresh', () => {
  let scenario: Scenario
  let refresh: () => Promise<Refreshed>
  beforeAll(async () => {
    scenario = await createScenario(api)
    refresh = (await installsOf(scenario)).refresh
  })

  test('finds nothing new about new licenses, whatever their status', async () => {
    await scenario.issue()
    await scenario.issue({ validFrom: inDays(-9), expiresAt: inDays(-1) })
    expect(await refresh()).toMatchObject({ checked: 2, changes: [] })
  })

  test('reports each change once, with an event', async () => {
    const { license } = await scenario.issue()
    await scenario.act(license.id, 'suspend')
    const first = await refresh()
    const second = await refresh()
    await scenario.act(license.id, 'reinstate', {})
    const third = await refresh()
    expect(first.changes).toEqual([
      {
        licenseId: license.id,
        product: scenario.product.code,
        before: 'ACTIVE',
        after: 'SUSPENDED',
        detail: expect.stringContaining('suspended since 2'),
      },
    ])
    expect(second.changes).toEqual([])
    expect(third.changes).toMatchObject([{ before: 'SUSPENDED', after: 'ACTIVE' }])
    const changed = (await scenario.events(license.id)).filter(
      ({ type }) => type === 'license.status-changed',
    )
    expect(changed).toMatchObject([
      { before: { state: 'ACTIVE' }, after: { state: 'SUSPENDED' }, actor: { kind: 'tenant' } },
      { before: { state: 'SUSPENDED' }, after: { state: 'ACTIVE' } },
    ])
  })

  test('reports a row that was changed behind the back of the API, and that it was mended', async () => {
    const { license } = await scenario.issue()
    const { limits } = await scenario.row(license)
    await scenario.edit(license, { limits: { users: 5_000 } })
    expect((await refresh()).changes).toMatchObject([
      { licenseId: license.id, before: 'ACTIVE', after: 'TAMPERED' },
    ])
    await scenario.edit(license, { limits })
    expect((await refresh()).changes).toMatchObject([{ before: 'TAMPERED', after: 'ACTIVE' }])
    expect(typesOf(await scenario.events(license.id)).slice(2)).toEqual([
      'license.tampered',
      'license.status-changed',
    ])
  })

  test('ten times at once reports each change once among them', async () => {
    const issued = await Promise.all(Array.from({ length: 4 }, () => scenario.issue()))
    await Promise.all(issued.map(({ license }) => scenario.act(license.id, 'revoke')))
    const reports = await Promise.all(Array.from({ length: 10 }, refresh))
    const told = reports.flatMap(({ changes }) =>
      changes.map(({ licenseId, after }) => `${licenseId} ${after}`),
    )
    expect(told.toSorted()).toEqual(issued.map(({ license }) => `${license.id} REVOKED`).toSorted())
    for (const { license } of issued) {
      const types = typesOf(await scenario.events(license.id))
      expect(types.filter((type) => type === 'license.status-changed')).toHaveLength(1)
    }
  })

  test('tells of an extended license when it really ends', async () => {
    const { license } = await scenario.issue({ validFrom: inDays(-30), expiresAt: inDays(-20), graceDays: 0 })
    const extension = { type: 'VALIDITY', extends: license.id, validFrom: inDays(-20) }
    const end = inDays(-1)
    await scenario.issue({ ...extension, expiresAt: end, graceDays: 3 })
    const { changes } = await refresh()
    const own = changes.filter(({ licenseId }) => licenseId === license.id)
    expect(own).toMatchObject([
      { before: 'EXPIRED', after: 'GRACE', detail: expect.stringContaining(`expired on ${end}`) },
    ])
    expect(own[0]?.detail).toMatch(/works until 2/)
  })
})
