import { afterAll, describe, expect, test } from 'vitest'
import { outcome, startApi } from '../../support/api.ts'
import { EventPage } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createTenant } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const vendor = await api.token('vendor:admin')
const [one, two] = [await createTenant(api), await createTenant(api)]
await times(3, () => makeToken(one.id))
await times(3, () => makeToken(two.id))
const reporter = await api.token('tenant:reporter', one.id)

function makeToken(tenantId: string) {
  const body = { name: 'App', role: 'tenant:app', tenantId }
  return api.call('POST', '/v1/tokens', { token: vendor, body })
}
const events = (tenantId: string, token: string, query: Record<string, string> = {}) =>
  api.call('GET', `/v1/tenants/${tenantId}/events`, { token, query })

describe('a cursor', async () => {
  const page = EventPage.parse((await events(one.id, vendor, { limit: '2' })).body)
  const cursor = page.nextCursor ?? ''

  test('leads on in its own list', async () => {
    const next = EventPage.parse((await events(one.id, vendor, { cursor })).body)
    expect(next.items.length).toBeGreaterThan(0)
    expect(next.items.map(({ id }) => id)).not.toContain(page.items[0]?.id)
  })

  const [body = '', signature = ''] = cursor.split('.')
  const elsewhere = Buffer.from(
    Buffer.from(body, 'base64url').toString().replaceAll(one.id, two.id),
  ).toString('base64url')
  test.each([
    ["in another tenant's list", () => events(two.id, vendor, { cursor })],
    ['in another order', () => events(one.id, vendor, { cursor, order: 'oldest' })],
    ['in a list of another kind', () => api.call('GET', '/v1/tenants', { token: vendor, query: { cursor } })],
    ['changed', () => events(one.id, vendor, { cursor: `${body}A.${signature}` })],
    ['rewritten to another tenant', () => events(one.id, vendor, { cursor: `${elsewhere}.${signature}` })],
    ['without its signature', () => events(one.id, vendor, { cursor: body })],
    ['with another signature', () => events(one.id, vendor, { cursor: `${body}.${'A'.repeat(22)}` })],
    ['too long', () => events(one.id, vendor, { cursor: 'x'.repeat(3000) })],
  ])('%s leads nowhere', async (_, ask) => {
    const answer = await ask()
    expect(outcome(answer)).toMatch(/^400 INVALID_(CURSOR|REQUEST)$/)
  })
})

test('the log of a tenant tells nothing of another', async () => {
  const { items } = EventPage.parse((await events(one.id, reporter)).body)
  expect(items.length).toBeGreaterThan(3)
  expect(JSON.stringify(items)).not.toContain(two.id)
})

test('a tenant that is archived is still seen by its own, and by nobody else', async () => {
  const gone = await createTenant(api)
  const its = await api.token('tenant:reporter', gone.id)
  await api.call('POST', `/v1/tenants/${gone.id}/archive`, { token: vendor })

  const get = (token: string) => api.call('GET', `/v1/tenants/${gone.id}`, { token })
  expect(outcome(await get(its))).toBe('200')
  expect(outcome(await get(reporter))).toBe('404 NOT_FOUND')
})
