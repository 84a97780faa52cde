import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { newTenantId } from '../../../shared/platform/ids.ts'
import { type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { eventsOf, typesOf } from '../../support/events.ts'
import { at } from '../../support/licenses.ts'
import { tally, times } from '../../support/parallel.ts'
import { createPlan, createProduct, createTenant, tenantDraft } from '../../support/resources.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:admin')
const [tenant, other, gone] = await Promise.all([createTenant(api), createTenant(api), createTenant(api)])
const product = await createProduct(api)
const plan = await createPlan(api, product.id)
await api.call('POST', `/v1/tenants/${gone.id}/archive`, { token })
const unknown = newTenantId(at('2026-01-01T00:00:00Z'))
const first = { headers: { 'if-match': '"1"' } }
const invalid = '400 INVALID_REQUEST'

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
    'a customer id that is taken',
    'POST',
    '/v1/tenants',
    { body: tenantDraft({ customerId: tenant.customerId }) },
    '409 CODE_TAKEN',
  ],
  [
    'the customer id of an archived tenant',
    'POST',
    '/v1/tenants',
    { body: tenantDraft({ customerId: gone.customerId }) },
    '409 CODE_TAKEN',
  ],
  [
    'several wrong fields',
    'POST',
    '/v1/tenants',
    {
      body: {
        name: '',
        timeZone: 'Mars/Olympus',
        contacts: [{ name: 'Ada', email: 'ada', role: 'boss' }],
        vip: true,
      },
    },
    invalid,
    [
      '/body/contacts/0/email',
      '/body/contacts/0/role',
      '/body/customerId',
      '/body/name',
      '/body/timeZone',
      '/body/vip',
    ],
  ],
  [
    'half a character',
    'POST',
    '/v1/tenants',
    { body: '{"name":"x","customerId":"\\ud800"}' },
    invalid,
    ['/body'],
  ],
  [
    'an edit to a customer id that is taken',
    'PATCH',
    `/v1/tenants/${tenant.id}`,
    { body: { customerId: other.customerId }, ...first },
    '409 CODE_TAKEN',
  ],
  [
    'an edit without a revision',
    'PATCH',
    `/v1/tenants/${tenant.id}`,
    { body: { name: 'x' } },
    '428 REVISION_REQUIRED',
  ],
  [
    'an edit on another revision',
    'PATCH',
    `/v1/tenants/${tenant.id}`,
    { body: { name: 'x' }, headers: { 'if-match': '"7"' } },
    '412 REVISION_OUTDATED',
  ],
  [
    'an edit of an archived tenant',
    'PATCH',
    `/v1/tenants/${gone.id}`,
    { body: { name: 'x' }, headers: { 'if-match': '"2"' } },
    '409 ARCHIVED',
  ],
  [
    'an edit of an unknown tenant',
    'PATCH',
    `/v1/tenants/${unknown}`,
    { body: { name: 'x' }, ...first },
    '404 NOT_FOUND',
  ],
  [
    'an id in an edit',
    'PATCH',
    `/v1/tenants/${tenant.id}`,
    { body: { id: unknown }, ...first },
    invalid,
    ['/body/id'],
  ],
  ['archiving twice', 'POST', `/v1/tenants/${gone.id}/archive`, {}, '409 ARCHIVED'],
  ['archiving an unknown tenant', 'POST', `/v1/tenants/${unknown}/archive`, {}, '404 NOT_FOUND'],
  ['an unknown tenant', 'GET', `/v1/tenants/${unknown}`, {}, '404 NOT_FOUND'],
  ['the events of an unknown tenant', 'GET', `/v1/tenants/${unknown}/events`, {}, '404 NOT_FOUND'],
  ['the overview of an unknown tenant', 'GET', `/v1/tenants/${unknown}/overview`, {}, '404 NOT_FOUND'],
  [
    'another order',
    'GET',
    `/v1/tenants/${tenant.id}/events`,
    { query: { order: 'random' } },
    invalid,
    ['/query/order'],
  ],
  [
    'a cursor that is none',
    'GET',
    `/v1/tenants/${tenant.id}/events`,
    { query: { cursor: 'e30.x' } },
    '400 INVALID_CURSOR',
  ],
]

test.each(cases)('%s is refused', async (_, method, path, options, said, fields) => {
  const answer = await api.call(method, path, { token, ...options })

  expect(outcome(answer)).toBe(said)
  if (fields) expect(wrongFields(answer).toSorted()).toEqual(fields)
})

test('what was refused changed nothing', async () => {
  expect((await api.call('GET', `/v1/tenants/${tenant.id}`, { token })).body).toEqual(tenant)
  expect(typesOf(await eventsOf(api.table, tenant.id, tenant.id))).toEqual(['tenant.created'])
})

describe('a tenant with licenses', () => {
  const issue = async (tenantId: string) => {
    const body = { tenantId, planId: plan.id }
    const issued = await api.call('POST', '/v1/licenses', { token, body })
    return z.object({ license: z.object({ id: z.string() }) }).parse(issued.body).license.id
  }
  const act = (licenseId: string, action: string) =>
    api.call('POST', `/v1/licenses/${licenseId}/${action}`, { token, body: { reason: 'a test' } })

  test('is archived only when all of them are over', async () => {
    const { id } = await createTenant(api)
    const licenseId = await issue(id)
    const archive = () => api.call('POST', `/v1/tenants/${id}/archive`, { token })

    const active = await archive()
    await act(licenseId, 'suspend')
    const suspended = await archive()
    await act(licenseId, 'revoke')
    const revoked = await archive()

    expect([active, suspended, revoked].map(outcome)).toEqual(['409 IN_USE', '409 IN_USE', '200'])
    expect(active.body).toMatchObject({ detail: `License ${licenseId} is ACTIVE.` })
    expect(suspended.body).toMatchObject({ detail: `License ${licenseId} is SUSPENDED.` })
    const events = await eventsOf(api.table, id, id)
    expect(typesOf(events)).toEqual(['tenant.created', 'tenant.archived'])
  })

  test('gets no more of them once it is archived', async () => {
    const body = { tenantId: gone.id, planId: plan.id }
    expect(outcome(await api.call('POST', '/v1/licenses', { token, body }))).toBe('409 ARCHIVED')
  })
})

describe('at the same time', () => {
  test('one of ten tenants gets a customer id', async () => {
    const body = tenantDraft()
    const answers = await times(10, () => api.call('POST', '/v1/tenants', { token, body }))
    expect(tally(answers.map(outcome))).toEqual({ '201': 1, '409 CODE_TAKEN': 9 })
  })

  test('two tenants that want the same new customer id: one gets it, the other keeps its own', async () => {
    const pair = await times(2, () => createTenant(api))
    const body = { customerId: tenantDraft().customerId }
    const answers = await Promise.all(
      pair.map(({ id }) => api.call('PATCH', `/v1/tenants/${id}`, { token, body, ...first })),
    )
    expect(tally(answers.map(outcome))).toEqual({ '200': 1, '409 CODE_TAKEN': 1 })
    const loser = pair[answers.findIndex(({ status }) => status === 409)]
    expect((await api.call('GET', `/v1/tenants/${loser?.id}`, { token })).body).toEqual(loser)
  })

  test('one of five archives', async () => {
    const { id } = await createTenant(api)
    const answers = await times(5, () => api.call('POST', `/v1/tenants/${id}/archive`, { token }))
    expect(tally(answers.map(outcome))).toEqual({ '200': 1, '409 ARCHIVED': 4 })
  })
})
