import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { Tenant } from '../../../shared/domain/tenant.ts'
import { pageOf } from '../../../shared/platform/http/shapes.ts'
import { outcome, startApi } from '../../support/api.ts'
import { EventPage, eventsOf, typesOf } from '../../support/events.ts'
import { createTenant, tenantDraft } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')
const edit = (id: string, revision: number, body: object) =>
  api.call('PATCH', `/v1/tenants/${id}`, { token, body, headers: { 'if-match': `"${revision}"` } })
const create = (body: object) => api.call('POST', '/v1/tenants', { token, body })
const archive = (id: string) => api.call('POST', `/v1/tenants/${id}/archive`, { token })

describe('a tenant', () => {
  test('is created and read as it was described, by the vendor and by itself', async () => {
    const draft = tenantDraft({ customerId: 'Größe #1/α %20', contacts: [] })

    const created = await create(draft)
    const tenant = Tenant.parse(created.body)
    const read = await api.call('GET', `/v1/tenants/${tenant.id}`, { token })
    const own = { token: await api.token('tenant:reporter', tenant.id) }

    expect(tenant).toMatchObject({ ...draft, revision: 1 })
    expect(read).toMatchObject({ status: 200, body: tenant, headers: { etag: '"1"' } })
    expect((await api.call('GET', `/v1/tenants/${tenant.id}`, own)).body).toEqual(tenant)
    const [event] = await eventsOf(api.table, tenant.id, tenant.id)
    expect(event).toMatchObject({ type: 'tenant.created', tenantId: tenant.id, after: tenant })
  })

  test('is in UTC and has no contacts unless said otherwise', async () => {
    const created = await create({ name: 'Plain', customerId: randomUUID() })
    expect(created.body).toMatchObject({ timeZone: 'UTC', contacts: [] })
  })

  test('is edited field by field; what is not named stays', async () => {
    const tenant = await createTenant(api)

    const edited = await edit(tenant.id, 1, { name: 'Renamed' })

    expect(edited.body).toEqual({ ...tenant, name: 'Renamed', revision: 2 })
    expect(edited.headers['etag']).toBe('"2"')
    expect((await eventsOf(api.table, tenant.id, tenant.id)).at(-1)).toMatchObject({
      type: 'tenant.edited',
      before: { name: tenant.name, revision: 1 },
      after: { name: 'Renamed', revision: 2 },
    })
  })

  test('takes its new customer id, and gives the old one free', async () => {
    const tenant = await createTenant(api)
    const customerId = randomUUID()

    expect((await edit(tenant.id, 1, { customerId })).body).toMatchObject({ customerId })

    expect(outcome(await create(tenantDraft({ customerId })))).toBe('409 CODE_TAKEN')
    expect(outcome(await create(tenantDraft({ customerId: tenant.customerId })))).toBe('201')
    expect(outcome(await edit(tenant.id, 2, { customerId: tenant.customerId }))).toBe('409 CODE_TAKEN')
    expect(outcome(await edit(tenant.id, 2, { customerId }))).toBe('200')
  })

  test('is archived: it can be read, and is listed only when asked for', async () => {
    const [kept, gone] = [await createTenant(api), await createTenant(api)]
    const list = async (query = {}) =>
      pageOf(Tenant)
        .parse((await api.call('GET', '/v1/tenants', { token, query })).body)
        .items.map(({ id }) => id)

    const archived = await archive(gone.id)

    expect(archived.body).toMatchObject({ id: gone.id, revision: 2, archivedAt: expect.any(String) })
    expect((await api.call('GET', `/v1/tenants/${gone.id}`, { token })).body).toEqual(archived.body)
    expect(await list()).toContain(kept.id)
    expect(await list()).not.toContain(gone.id)
    expect(await list({ archived: 'true' })).toEqual([gone.id])
    const events = await eventsOf(api.table, gone.id, gone.id)
    expect(typesOf(events)).toEqual(['tenant.created', 'tenant.archived'])
  })
})

test('events are paged, newest or oldest first, each once', async () => {
  const tenant = await createTenant(api)
  for (let revision = 1; revision <= 11; revision++) {
    await edit(tenant.id, revision, { name: `Name ${revision}` })
  }
  const reporter = await api.token('tenant:reporter', tenant.id)
  const read = async (query: Record<string, string>) => {
    const path = `/v1/tenants/${tenant.id}/events`
    return EventPage.parse((await api.call('GET', path, { token: reporter, query })).body)
  }

  const first = await read({ limit: '5' })
  const second = await read({ limit: '5', cursor: first.nextCursor ?? '' })
  const third = await read({ limit: '5', cursor: second.nextCursor ?? '' })
  const oldest = await read({ order: 'oldest', limit: '100' })

  expect([first, second, third].map(({ items }) => items.length)).toEqual([5, 5, 3])
  expect(third.nextCursor).toBeUndefined()
  const newest = [first, second, third].flatMap(({ items }) => items)
  expect(oldest.items).toEqual(newest.toReversed())
  // The last one is that of the token the list is read with.
  expect(typesOf(oldest.items)).toEqual([
    'tenant.created',
    ...Array.from({ length: 11 }, () => 'tenant.edited'),
    'token.created',
  ])
})
