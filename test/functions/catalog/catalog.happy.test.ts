import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { Plan, Product } from '../../../shared/domain/catalog.ts'
import { pageOf } from '../../../shared/platform/http/shapes.ts'
import { outcome, startApi } from '../../support/api.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPlan, createProduct, planDraft, productDraft } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')
const ids = (body: unknown) =>
  z
    .object({ items: z.array(z.object({ id: z.string() })) })
    .parse(body)
    .items.map(({ id }) => id)

describe('a product', () => {
  test('is created and read as it was declared, with an ETag', async () => {
    const draft = productDraft({ name: '  Bildung 教育 🎓 ' })

    const created = await api.call('POST', '/v1/products', { token, body: draft })
    const product = Product.parse(created.body)
    const read = await api.call('GET', `/v1/products/${product.id}`, { token })

    expect(outcome(created)).toBe('201')
    expect(product).toMatchObject({ ...draft, name: 'Bildung 教育 🎓', revision: 1 })
    expect(read).toMatchObject({ status: 200, body: product })
    expect([created.headers['etag'], read.headers['etag']]).toEqual(['"1"', '"1"'])
  })

  test('is edited field by field; what is not named stays', async () => {
    const product = await createProduct(api)
    const metrics = [...product.metrics, { code: 'machines', kind: 'gauge' }]

    const renamed = await api.call('PATCH', `/v1/products/${product.id}`, {
      token,
      body: { name: 'Renamed' },
      headers: { 'if-match': '"1"' },
    })
    const extended = await api.call('PATCH', `/v1/products/${product.id}`, {
      token,
      body: { metrics },
      headers: { 'if-match': 'W/"2"' },
    })

    expect(renamed.body).toEqual({ ...product, name: 'Renamed', revision: 2 })
    expect(extended.body).toEqual({ ...product, name: 'Renamed', metrics, revision: 3 })
    expect(extended.headers['etag']).toBe('"3"')
    const [created, first] = await eventsOf(api.table, product.id)
    expect(created).toMatchObject({ type: 'product.created', after: product })
    expect(first).toMatchObject({
      type: 'product.edited',
      actor: { kind: 'vendor', role: 'vendor:admin' },
      before: { name: 'Education', revision: 1 },
      after: { name: 'Renamed', revision: 2 },
      requestId: renamed.headers['x-request-id'],
    })
  })

  test('that is edited to what it is stays as it is, without an event', async () => {
    const product = await createProduct(api)
    const edited = await api.call('PATCH', `/v1/products/${product.id}`, {
      token,
      body: { name: product.name, modules: product.modules },
      headers: { 'if-match': '"1"' },
    })
    expect(edited.body).toEqual(product)
    expect(typesOf(await eventsOf(api.table, product.id))).toEqual(['product.created'])
  })

  test('is archived: it can be read, and is listed only when asked for', async () => {
    const [kept, gone] = [await createProduct(api), await createProduct(api)]

    const archived = await api.call('POST', `/v1/products/${gone.id}/archive`, { token })
    const read = await api.call('GET', `/v1/products/${gone.id}`, { token })
    const list = await api.call('GET', '/v1/products', { token })
    const archive = await api.call('GET', '/v1/products', { token, query: { archived: 'true' } })

    expect(Product.parse(archived.body)).toMatchObject({ revision: 2, archivedAt: expect.any(String) })
    expect(read.body).toEqual(archived.body)
    expect(ids(list.body)).toContain(kept.id)
    expect(ids(list.body)).not.toContain(gone.id)
    expect(ids(archive.body)).toEqual([gone.id])
    expect(typesOf(await eventsOf(api.table, gone.id))).toEqual(['product.created', 'product.archived'])
  })
})

describe('a plan', () => {
  test('is created with everything it may say, and read again', async () => {
    const product = await createProduct(api)
    const draft = planDraft(product.id, {
      limits: { users: 100, signatures: 'unlimited' },
      features: { sso: true, 'storage-gb': 5.5, edition: 'pro' },
      rules: {
        overdraft: { kind: 'percent', percent: 10, cap: 5 },
        heartbeat: { required: true, window: 'PT10M', revive: 'never' },
        lease: { duration: 'PT30M', sharing: 'machine' },
        borrow: { maximum: 'P7D', share: 20 },
        queue: { maxPosition: 10, hold: 'PT5M' },
        versions: { kind: 'range', range: '^2.1' },
        maintenance: { duration: 'P1Y', fallback: true },
        countries: { allow: ['DE', 'AT'] },
        fingerprints: { match: 'most' },
        reclaim: { inactiveFor: 'P90D', noticeDays: [14, 3] },
        transfer: { allowed: true, perYear: 2, approval: true },
      },
    })

    const created = await api.call('POST', '/v1/plans', { token, body: draft })
    const plan = Plan.parse(created.body)
    const read = await api.call('GET', `/v1/plans/${plan.id}`, { token })

    expect(plan).toMatchObject({ ...draft, revision: 1 })
    expect(read).toMatchObject({ status: 200, body: plan, headers: { etag: '"1"' } })
    expect(await eventsOf(api.table, plan.id)).toMatchObject([{ type: 'plan.created', after: plan }])
  })

  test('is edited field by field; a null takes the duration away', async () => {
    const plan = await createPlan(api, (await createProduct(api)).id)

    const renamed = await api.call('PATCH', `/v1/plans/${plan.id}`, {
      token,
      body: { name: 'Renamed' },
      headers: { 'if-match': '"1"' },
    })
    const perpetual = await api.call('PATCH', `/v1/plans/${plan.id}`, {
      token,
      body: { term: 'perpetual', duration: null },
      headers: { 'if-match': '"2"' },
    })

    expect(renamed.body).toEqual({ ...plan, name: 'Renamed', revision: 2 })
    const { duration: _, ...rest } = plan
    expect(perpetual.body).toEqual({ ...rest, name: 'Renamed', term: 'perpetual', revision: 3 })
    expect((await eventsOf(api.table, plan.id)).at(-1)).toMatchObject({
      before: { term: 'subscription', duration: 'P1Y', revision: 2 },
      after: { term: 'perpetual', revision: 3 },
    })
  })

  test('is listed with those of its product, newest first, until it is archived', async () => {
    const [product, other] = [await createProduct(api), await createProduct(api)]
    const [first, second] = [await createPlan(api, product.id), await createPlan(api, product.id)]
    const foreign = await createPlan(api, other.id)
    const list = async (query: Record<string, string>) =>
      ids((await api.call('GET', '/v1/plans', { token, query })).body)

    expect(await list({ productId: product.id })).toEqual([second.id, first.id])
    expect((await list({})).slice(0, 3)).toEqual([foreign.id, second.id, first.id])
    await api.call('POST', `/v1/plans/${first.id}/archive`, { token })
    expect(await list({ productId: product.id })).toEqual([second.id])
    expect(await list({ productId: product.id, archived: 'true' })).toEqual([first.id])
    expect(typesOf(await eventsOf(api.table, first.id))).toEqual(['plan.created', 'plan.archived'])
  })
})

test('22 products are paged by 10, each once, also when one is added on the way', async () => {
  const made = (await times(22, () => createProduct(api))).map(({ id }) => id)
  const Page = pageOf(Product)
  const seen: string[] = []
  const sizes: number[] = []
  let cursor: string | undefined
  do {
    const query = { limit: '10', ...(cursor && { cursor }) }
    const page = Page.parse((await api.call('GET', '/v1/products', { token, query })).body)
    if (cursor === undefined) await createProduct(api)
    seen.push(...page.items.map(({ id }) => id))
    sizes.push(page.items.length)
    cursor = page.nextCursor
  } while (cursor !== undefined && sizes.length < 10)

  expect(sizes.slice(0, 2)).toEqual([10, 10])
  expect(seen.slice(0, 22).toSorted()).toEqual(made.toSorted())
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen).toEqual(seen.toSorted().reverse())
})
