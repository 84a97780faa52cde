import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { Product } from '../../../shared/domain/catalog.ts'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createProduct, createTenant, productDraft } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')
const post = (key: string, body: object, as = token) =>
  api.call('POST', '/v1/products', { token: as, body, headers: { 'idempotency-key': key } })

test('asking 20 times at once is asking once', async () => {
  const [key, draft] = [randomUUID(), productDraft()]

  const answers = await times(20, () => post(key, draft))

  expect(new Set(answers.map(outcome))).toEqual(new Set(['201']))
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  const product = Product.parse(answers[0]?.body)
  expect(typesOf(await eventsOf(api.table, product.id))).toEqual(['product.created'])
})

test('a replay is the first answer, also when the resource has changed since', async () => {
  const [key, draft] = [randomUUID(), productDraft()]
  const first = await post(key, draft)
  const { id } = Product.parse(first.body)
  const edit = {
    token,
    body: { name: 'Renamed' },
    headers: { 'if-match': '"1"', 'idempotency-key': randomUUID() },
  }

  const edited = await api.call('PATCH', `/v1/products/${id}`, edit)
  const again = await post(key, draft)
  const editedAgain = await api.call('PATCH', `/v1/products/${id}`, edit)

  expect(again).toMatchObject({ status: 201, body: first.body, headers: { etag: '"1"' } })
  expect(editedAgain).toMatchObject({ status: 200, body: edited.body, headers: { etag: '"2"' } })
})

test('the same key with anything else is refused and changes nothing', async () => {
  const key = randomUUID()
  const product = Product.parse((await post(key, productDraft())).body)
  const other = productDraft()

  expect(outcome(await post(key, other))).toBe('422 IDEMPOTENCY_MISMATCH')
  const archive = { token, headers: { 'idempotency-key': key } }
  expect(outcome(await api.call('POST', `/v1/products/${product.id}/archive`, archive))).toBe(
    '422 IDEMPOTENCY_MISMATCH',
  )

  expect((await api.call('GET', `/v1/products/${product.id}`, { token })).body).toEqual(product)
  // Its code is still free.
  expect(outcome(await post(randomUUID(), other))).toBe('201')
})

test('an answer that there was nothing to do is kept: its key is good for nothing else', async () => {
  const { id } = await createTenant(api)
  const body = { name: 'A key', role: 'tenant:app', tenantId: id }
  const made = await api.call('POST', '/v1/tokens', { token, body })
  const revoked = `/v1/tokens/${Object(made.body).id}`
  expect(outcome(await api.call('DELETE', revoked, { token }))).toBe('204')
  const nothing = [
    ['DELETE', revoked],
    ['DELETE', `/v1/tenants/${id}/calendar`],
    ['PATCH', `/v1/tenants/${id}/notifications`, { language: 'en' }],
  ] as const
  for (const [method, path, sent] of nothing) {
    const key = randomUUID()
    const headers = { 'idempotency-key': key, 'if-match': '"1"' }
    const first = await api.call(method, path, { token, headers, body: sent })
    expect(first.status, path).toBeLessThan(300)
    expect((await api.call(method, path, { token, headers, body: sent })).body).toEqual(first.body)
    expect(outcome(await post(key, productDraft())), path).toBe('422 IDEMPOTENCY_MISMATCH')
  }
})

test('a refusal is not kept: the same request is answered anew', async () => {
  const [key, product] = [randomUUID(), await createProduct(api)]
  const edit = (revision: number) => ({
    token,
    body: { name: 'Renamed' },
    headers: { 'if-match': `"${revision}"`, 'idempotency-key': key },
  })
  expect(outcome(await api.call('PATCH', `/v1/products/${product.id}`, edit(9)))).toBe(
    '412 REVISION_OUTDATED',
  )
  expect(outcome(await api.call('PATCH', `/v1/products/${product.id}`, edit(1)))).toBe('200')
})

test("another caller's key is another key", async () => {
  const key = randomUUID()
  const [mine, theirs] = [productDraft(), productDraft()]
  const body = { name: 'Second', role: 'vendor:admin' }
  const made = await api.call('POST', '/v1/tokens', { token, body })
  const second = String(Object(made.body).token)

  expect(outcome(await post(key, mine))).toBe('201')
  expect(await post(key, theirs, second)).toMatchObject({ status: 201, body: { code: theirs.code } })
})
