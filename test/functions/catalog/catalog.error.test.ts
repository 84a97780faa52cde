import { afterAll, describe, expect, test } from 'vitest'
import { newPlanId, newProductId } from '../../../shared/platform/ids.ts'
import { type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { at } from '../../support/licenses.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPlan, createProduct, planDraft, productDraft } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')
const product = await createProduct(api)
const plan = await createPlan(api, product.id)
const goneProduct = await createProduct(api)
const planOfGone = await createPlan(api, goneProduct.id)
const gonePlan = await createPlan(api, product.id)
await api.call('POST', `/v1/products/${goneProduct.id}/archive`, { token })
await api.call('POST', `/v1/plans/${gonePlan.id}/archive`, { token })
const newest = { headers: { 'if-match': '"2"' } }
const first = { headers: { 'if-match': '"1"' } }
const unknownProduct = newProductId(at('2026-01-01T00:00:00Z'))
const unknownPlan = newPlanId(at('2026-01-01T00:00:00Z'))

type Case = [
  name: string,
  method: string,
  path: string,
  options: CallOptions,
  said: string,
  fields?: string[],
]

const cases: Case[] = [
  [
    'a code that is taken',
    'POST',
    '/v1/products',
    { body: productDraft({ code: product.code }) },
    '409 CODE_TAKEN',
  ],
  [
    'the code of an archived product',
    'POST',
    '/v1/products',
    { body: productDraft({ code: goneProduct.code }) },
    '409 CODE_TAKEN',
  ],
  [
    'several wrong fields',
    'POST',
    '/v1/products',
    {
      body: {
        code: '1st',
        name: ' ',
        metrics: [
          { code: 'users', kind: 'gauge' },
          { code: 'users', kind: 'gauge' },
        ],
        price: 1,
      },
    },
    '400 INVALID_REQUEST',
    ['/body/code', '/body/metrics', '/body/name', '/body/price'],
  ],
  [
    'a module with an undeclared metric',
    'POST',
    '/v1/products',
    { body: productDraft({ modules: [{ code: 'm', name: 'M', metrics: ['seats'] }] }) },
    '400 INVALID_REQUEST',
    ['/body/modules/0/metrics/0'],
  ],
  [
    'half a character',
    'POST',
    '/v1/products',
    { body: '{"code":"half","name":"\\ud83c"}' },
    '400 INVALID_REQUEST',
    ['/body'],
  ],
  ['no JSON', 'POST', '/v1/products', { body: '{"code":' }, '400 INVALID_REQUEST', ['/body']],
  ['no body', 'POST', '/v1/products', {}, '400 INVALID_REQUEST', ['/body']],
  [
    'another media type',
    'POST',
    '/v1/products',
    { body: 'code=x', headers: { 'content-type': 'text/plain' } },
    '415 UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a body over 256 KB',
    'POST',
    '/v1/products',
    { body: { name: 'x'.repeat(256 * 1024) } },
    '413 BODY_TOO_LARGE',
  ],
  [
    'an idempotency key with spaces',
    'POST',
    '/v1/products',
    { body: productDraft(), headers: { 'idempotency-key': 'a b' } },
    '400 INVALID_IDEMPOTENCY_KEY',
  ],
  ['an unknown product', 'GET', `/v1/products/${unknownProduct}`, {}, '404 NOT_FOUND'],
  ['an id that cannot exist', 'GET', '/v1/products/x%23y', {}, '404 NOT_FOUND'],
  [
    'an unknown product to edit',
    'PATCH',
    `/v1/products/${unknownProduct}`,
    { body: {}, ...first },
    '404 NOT_FOUND',
  ],
  ['an unknown product to archive', 'POST', `/v1/products/${unknownProduct}/archive`, {}, '404 NOT_FOUND'],
  [
    'an edit without a revision',
    'PATCH',
    `/v1/products/${product.id}`,
    { body: { name: 'x' } },
    '428 REVISION_REQUIRED',
  ],
  [
    'an edit on a later revision',
    'PATCH',
    `/v1/products/${product.id}`,
    { body: { name: 'x' }, ...newest },
    '412 REVISION_OUTDATED',
  ],
  [
    'an edit on no revision',
    'PATCH',
    `/v1/products/${product.id}`,
    { body: { name: 'x' }, headers: { 'if-match': '*' } },
    '412 REVISION_OUTDATED',
  ],
  [
    'an edit of what is archived',
    'PATCH',
    `/v1/products/${goneProduct.id}`,
    { body: { name: 'x' }, ...newest },
    '409 ARCHIVED',
  ],
  ['archiving twice', 'POST', `/v1/products/${goneProduct.id}/archive`, {}, '409 ARCHIVED'],
  [
    'a code in an edit',
    'PATCH',
    `/v1/products/${product.id}`,
    { body: { code: 'new' }, ...first },
    '400 INVALID_REQUEST',
    ['/body/code'],
  ],
  [
    'a metric removed',
    'PATCH',
    `/v1/products/${product.id}`,
    { body: { metrics: [], modules: [] }, ...first },
    '400 INVALID_REQUEST',
    ['/body/metrics', '/body/metrics', '/body/metrics'],
  ],
  [
    'a page of nothing',
    'GET',
    '/v1/products',
    { query: { limit: '0' } },
    '400 INVALID_REQUEST',
    ['/query/limit'],
  ],
  [
    'an unknown filter',
    'GET',
    '/v1/products',
    { query: { code: 'x' } },
    '400 INVALID_REQUEST',
    ['/query/code'],
  ],
  ['a cursor that is none', 'GET', '/v1/products', { query: { cursor: 'x' } }, '400 INVALID_CURSOR'],
  [
    'a plan for an unknown product',
    'POST',
    '/v1/plans',
    { body: planDraft(unknownProduct) },
    '400 INVALID_REQUEST',
    ['/body/productId'],
  ],
  [
    'a plan for an archived product',
    'POST',
    '/v1/plans',
    { body: planDraft(goneProduct.id) },
    '409 ARCHIVED',
  ],
  [
    'an undeclared limit',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { limits: { seats: 1 } }) },
    '422 PLAN_MISMATCH',
    ['/body/limits/seats'],
  ],
  [
    'a feature of another type',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { features: { sso: 1 } }) },
    '422 PLAN_MISMATCH',
    ['/body/features/sso'],
  ],
  [
    'a limit below nothing',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { limits: { users: -1 } }) },
    '400 INVALID_REQUEST',
    ['/body/limits/users'],
  ],
  [
    'a subscription without duration',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { duration: undefined }) },
    '400 INVALID_REQUEST',
    ['/body/duration'],
  ],
  [
    'a duration beyond the calendar',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { duration: 'P99999999Y' }) },
    '400 INVALID_REQUEST',
    ['/body/duration'],
  ],
  [
    'a trial with grace',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { term: 'trial' }) },
    '400 INVALID_REQUEST',
    ['/body/graceDays'],
  ],
  [
    'a rule that does not exist',
    'POST',
    '/v1/plans',
    { body: planDraft(product.id, { rules: { lease: { duration: 'PT1H', sharing: 'world' }, speed: 1 } }) },
    '400 INVALID_REQUEST',
    ['/body/rules/lease/sharing', '/body/rules/speed'],
  ],
  [
    'an edit into a contradiction',
    'PATCH',
    `/v1/plans/${plan.id}`,
    { body: { term: 'perpetual' }, ...first },
    '400 INVALID_REQUEST',
    ['/body/duration'],
  ],
  [
    'an edit into a mismatch',
    'PATCH',
    `/v1/plans/${plan.id}`,
    { body: { features: { nope: true } }, ...first },
    '422 PLAN_MISMATCH',
    ['/body/features/nope'],
  ],
  [
    'an edit of an archived plan',
    'PATCH',
    `/v1/plans/${gonePlan.id}`,
    { body: { name: 'x' }, ...newest },
    '409 ARCHIVED',
  ],
  ['an unknown plan', 'GET', `/v1/plans/${unknownPlan}`, {}, '404 NOT_FOUND'],
  ['an unknown plan to edit', 'PATCH', `/v1/plans/${unknownPlan}`, { body: {}, ...first }, '404 NOT_FOUND'],
  ['an unknown plan to archive', 'POST', `/v1/plans/${unknownPlan}/archive`, {}, '404 NOT_FOUND'],
  ['archiving a plan twice', 'POST', `/v1/plans/${gonePlan.id}/archive`, {}, '409 ARCHIVED'],
]

test.each(cases)('%s is refused', async (_, method, path, options, said, fields) => {
  const answer = await api.call(method, path, { token, ...options })

  expect(outcome(answer)).toBe(said)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  if (fields) expect(wrongFields(answer).toSorted()).toEqual(fields)
})

test('what was refused changed nothing', async () => {
  const read = async (path: string) => (await api.call('GET', path, { token })).body
  expect(await read(`/v1/products/${product.id}`)).toEqual(product)
  expect(await read(`/v1/plans/${plan.id}`)).toEqual(plan)
  expect(typesOf(await eventsOf(api.table, product.id))).toEqual(['product.created'])
  expect(typesOf(await eventsOf(api.table, plan.id))).toEqual(['plan.created'])
})

test('a plan of an archived product is still edited and archived', async () => {
  const path = `/v1/plans/${planOfGone.id}`
  expect(outcome(await api.call('PATCH', path, { token, body: { name: 'x' }, ...first }))).toBe('200')
  expect(outcome(await api.call('POST', `${path}/archive`, { token }))).toBe('200')
})

describe('at the same time', () => {
  test('one of ten products gets a code', async () => {
    const draft = productDraft()
    const answers = await times(10, () => api.call('POST', '/v1/products', { token, body: draft }))
    expect(tally(answers.map(outcome))).toEqual({ '201': 1, '409 CODE_TAKEN': 9 })
  })

  test('one of ten edits of a revision is made', async () => {
    const { id } = await createProduct(api)
    const answers = await times(10, (index) =>
      api.call('PATCH', `/v1/products/${id}`, { token, body: { name: `Edit ${index}` }, ...first }),
    )
    expect(tally(answers.map(outcome))).toEqual({ '200': 1, '412 REVISION_OUTDATED': 9 })
    expect(typesOf(await eventsOf(api.table, id))).toEqual(['product.created', 'product.edited'])
  })

  test('one of five archives', async () => {
    const { id } = await createProduct(api)
    const answers = await times(5, () => api.call('POST', `/v1/products/${id}/archive`, { token }))
    expect(tally(answers.map(outcome))).toEqual({ '200': 1, '409 ARCHIVED': 4 })
    expect(typesOf(await eventsOf(api.table, id))).toEqual(['product.created', 'product.archived'])
  })

  test('no plan comes to a product after it was archived', async () => {
    const { id } = await createProduct(api)
    const [archive, plans] = await Promise.all([
      api.call('POST', `/v1/products/${id}/archive`, { token }),
      times(8, () => api.call('POST', '/v1/plans', { token, body: planDraft(id) })),
    ])
    expect(outcome(archive)).toBe('200')
    expect(new Set([...plans.map(outcome), '201', '409 ARCHIVED'])).toEqual(new Set(['201', '409 ARCHIVED']))
    const late = await api.call('POST', '/v1/plans', { token, body: planDraft(id) })
    expect(outcome(late)).toBe('409 ARCHIVED')
  })
})
