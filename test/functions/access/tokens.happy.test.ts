import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { TokenView } from '../../../shared/domain/token.ts'
import { pageOf } from '../../../shared/platform/http/shapes.ts'
import { HOUR, plusMilliseconds, readClock } from '../../../shared/platform/time.ts'
import { outcome, startApi } from '../../support/api.ts'
import { advanceClock, setClock, stopClock } from '../../support/clock.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { createTenant } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const admin = await api.token('vendor:admin')
const tenant = await createTenant(api)
const tenantAdmin = await api.token('tenant:admin', tenant.id)

beforeEach(() => {
  stopClock()
  return () => vi.useRealTimers()
})

const NewToken = z.strictObject({ token: z.string(), ...TokenView.shape })
const Page = pageOf(TokenView)

// A millisecond apart, for ids and events are in the order of the clock.
async function change(method: string, path: string, as = admin, body?: object) {
  advanceClock(1)
  return api.call(method, path, { token: as, body })
}
const make = async (body: object, as = admin) =>
  NewToken.parse((await change('POST', '/v1/tokens', as, body)).body)
const rotate = async (id: string, body: object = {}) =>
  NewToken.parse((await change('POST', `/v1/tokens/${id}/rotate`, admin, body)).body)
const revoke = (id: string, as = admin) => change('DELETE', `/v1/tokens/${id}`, as)
const list = async (as = admin, query = {}) =>
  Page.parse((await api.call('GET', '/v1/tokens', { token: as, query })).body).items
const [IN, OUT] = ['200', '401 UNAUTHENTICATED']
const use = async (token: string) => outcome(await api.call('GET', '/v1/tokens', { token }))

describe('making a token', () => {
  test('shows it once: prefix, stage, id, secret and checksum', async () => {
    const made = await make({ name: 'CI', role: 'vendor:admin' })

    expect(made.token).toMatch(new RegExp(`^lk_test_${made.id.slice(4)}_[0-9A-Za-z]{38}$`))
    expect(await use(made.token)).toBe(IN)
    expect(made).toMatchObject({
      name: 'CI',
      role: 'vendor:admin',
      createdBy: expect.stringMatching(/^tok_/),
    })
    const { token: _, ...view } = made
    const [event] = await eventsOf(api.table, made.id)
    expect(event).toMatchObject({ type: 'token.created', after: view })
  })

  test('a tenant administrator makes those of the own tenant', async () => {
    const made = await make({ name: 'App', role: 'tenant:app' }, tenantAdmin)

    expect(made.tenantId).toBe(tenant.id)
    expect(typesOf(await eventsOf(api.table, made.id, tenant.id))).toEqual(['token.created'])
  })

  test('notes its use, to the hour', async () => {
    const { id, token } = await make({ name: 'CI', role: 'vendor:admin' })
    const lastUsed = async () => (await list()).find((one) => one.id === id)?.lastUsedAt

    expect(await lastUsed()).toBeUndefined()
    await use(token)
    const first = await lastUsed()
    advanceClock(0.5 * HOUR)
    await use(token)
    expect(await lastUsed()).toBe(first)
    advanceClock(HOUR)
    await use(token)
    expect(first && (await lastUsed())?.localeCompare(first)).toBe(1)
  })
})

test('lists are newest first, of all or of one tenant', async () => {
  const one = await make({ name: 'One', role: 'tenant:app', tenantId: tenant.id })
  const two = await make({ name: 'Two', role: 'vendor:support' })

  expect((await list()).slice(0, 2).map(({ id }) => id)).toEqual([two.id, one.id])
  const ofTenant = await list(admin, { tenantId: tenant.id })
  expect(ofTenant[0]?.id).toBe(one.id)
  expect(new Set(ofTenant.map(({ tenantId }) => tenantId))).toEqual(new Set([tenant.id]))
  expect(await list(tenantAdmin)).toEqual(ofTenant)
})

test('a token ends at its end', async () => {
  const expiresAt = plusMilliseconds(readClock(), HOUR)
  const { token } = await make({ name: 'Short', role: 'vendor:admin', expiresAt })

  expect(await use(token)).toBe(IN)
  setClock(plusMilliseconds(expiresAt, -1))
  expect(await use(token)).toBe(IN)
  setClock(expiresAt)
  expect(await use(token)).toBe(OUT)
})

test('a revoked token is out at once; revoking it again changes nothing', async () => {
  const { id, token } = await make({ name: 'Leaked', role: 'tenant:admin', tenantId: tenant.id })

  expect(outcome(await revoke(id, token))).toBe('204')
  expect(await use(token)).toBe(OUT)
  expect(outcome(await revoke(id))).toBe('204')
  expect(typesOf(await eventsOf(api.table, id, tenant.id))).toEqual(['token.created', 'token.revoked'])
  expect((await list()).find((one) => one.id === id)?.revokedAt).toBeDefined()
})

describe('rotating', () => {
  test('makes a successor with the same rights; both live for the overlap', async () => {
    const old = await make({ name: 'App', role: 'tenant:admin', tenantId: tenant.id, scopes: ['listTokens'] })

    const next = await rotate(old.id, { overlap: 'PT2H' })

    const { name, role, tenantId, scopes } = old
    expect(next).toMatchObject({ name, role, tenantId, scopes, rotatedFrom: old.id })
    expect(next.expiresAt).toBeUndefined()
    expect([await use(old.token), await use(next.token)]).toEqual([IN, IN])
    advanceClock(2 * HOUR)
    expect([await use(old.token), await use(next.token)]).toEqual([OUT, IN])
    expect(await eventsOf(api.table, old.id, tenant.id)).toMatchObject([
      { type: 'token.created' },
      { type: 'token.rotated', before: {}, after: { rotatedTo: next.id } },
    ])
    expect(typesOf(await eventsOf(api.table, next.id, tenant.id))).toEqual(['token.created'])
  })

  test('overlaps for a day unless said otherwise, and gives as long a life', async () => {
    const expiresAt = plusMilliseconds(readClock(), 100 * HOUR + 1)
    const old = await make({ name: 'App', role: 'vendor:admin', expiresAt })
    advanceClock(10 * HOUR)

    const next = await rotate(old.id)

    const ends = (await list()).find(({ id }) => id === old.id)?.expiresAt
    expect(ends).toBe(plusMilliseconds(next.createdAt, 24 * HOUR))
    expect(next.expiresAt).toBe(plusMilliseconds(next.createdAt, 100 * HOUR))
  })

  test('goes on from the old token when the successor was revoked, and from the successor when the old one is over', async () => {
    const old = await make({ name: 'App', role: 'vendor:admin' })
    const lost = await rotate(old.id)
    await revoke(lost.id)

    const second = await rotate(old.id)
    advanceClock(24 * HOUR)
    const third = await rotate(second.id)

    expect([second.rotatedFrom, third.rotatedFrom]).toEqual([old.id, second.id])
    expect([second.expiresAt, third.expiresAt]).toEqual([undefined, undefined])
    expect([await use(old.token), await use(second.token), await use(third.token)]).toEqual([OUT, IN, IN])
  })
})
