import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { newPlanId } from '../../../shared/platform/ids.ts'
import { readClock } from '../../../shared/platform/time.ts'
import { type Answer, type CallOptions, outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPlan, createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, inDays } from '../../support/scenario.ts'

const api = await startApi()
afterAll(api.stop)
const scenario = await createScenario(api)
const { tenant, plans, product } = scenario
const token = await api.token('vendor:issuer')
const csv = { headers: { 'content-type': 'text/csv' } }
const dryRun = { query: { dryRun: 'true' } }

/** Refused, also as a dry run, and nothing was imported. */
async function refusalOf(body: unknown, options: CallOptions = {}): Promise<Answer> {
  const before = await allRows(api.table)
  const send = (more: CallOptions) =>
    api.call('POST', '/v1/licenses/import', { token, body, ...options, ...more })
  const [dry, answer] = [await send(dryRun), await send({})]
  expect(await allRows(api.table)).toEqual(before)
  expect(outcome(dry)).toBe(outcome(answer))
  return answer
}

const rowOf = (more: object = {}) => ({
  reference: randomUUID(),
  customerId: tenant.customerId,
  planId: plans.year.id,
  validFrom: '2026-01-01T00:00:00Z',
  ...more,
})
const good = rowOf()

const stranger = await createTenant(api)
await scenario.issue({ tenantId: stranger.id, reference: 'F-1' })
const gone = await scenario.issue({ reference: 'G-1' })
await scenario.act(gone.license.id, 'revoke')

describe('a bad row keeps all from being imported, and is named by its line and field', () => {
  const over = { validFrom: inDays(-5), expiresAt: inDays(-9) }
  const cases: [string, object, string[]][] = [
    ['no reference', { reference: undefined }, ['reference']],
    ['an empty reference', { reference: ' ' }, ['reference']],
    ['a reference twice', { reference: good.reference }, ['reference']],
    ['a customer nobody knows', { customerId: 'C-0' }, ['customerId']],
    ['a plan nobody knows', { planId: newPlanId(readClock()) }, ['planId']],
    ['no plan id', { planId: 'campus' }, ['planId']],
    ['no start', { validFrom: undefined }, ['validFrom']],
    ['a start that is no instant', { validFrom: '01.01.2026' }, ['validFrom']],
    ['an end before its start', over, ['']],
    ['an end of a perpetual plan', { planId: plans.perpetual.id, expiresAt: inDays(9) }, ['']],
    ['a type that does not fit its plan', { type: 'TRIAL' }, ['']],
    ['an unheard type', { type: 'FREE' }, ['type']],
    [
      'limits and features it cannot have',
      { limits: { machines: 1 }, features: { sso: 'yes', x: 1 } },
      ['limits.machines', 'features.sso', 'features.x'],
    ],
    ['a limit that is no number', { limits: { users: 'many' } }, ['limits.users']],
    ['an extension of nothing', { type: 'TOPUP', extends: 'R-none' }, ['extends']],
    ["an extension of another tenant's", { type: 'TOPUP', extends: 'F-1' }, ['']],
    ['an extension of what is revoked', { type: 'TOPUP', extends: 'G-1' }, ['']],
    ['a field too many', { color: 'red' }, ['']],
  ]
  test.each(cases)('%s', async (_, wrong, fields) => {
    const answer = await refusalOf({ rows: [good, rowOf(wrong), rowOf()] })
    expect(outcome(answer)).toBe('422 IMPORT_INVALID')
    expect(wrongFields(answer)).toEqual(fields.map((field) => (field === '' ? 'line 2' : `line 2, ${field}`)))
  })

  test('what is no row at all', async () => {
    const answer = await refusalOf({ rows: [good, null, 'row', [], 7] })
    expect(wrongFields(answer)).toEqual(['line 2', 'line 3', 'line 4', 'line 5'])
  })

  test('all bad rows at once, each with its line, and how many there are', async () => {
    const rows = Array.from({ length: 30 }, (_, index) =>
      rowOf([{ customerId: 'C-0' }, {}, { validFrom: 'never' }][index % 3]),
    )
    const answer = await refusalOf({ rows })
    const wrong = Array.from({ length: 10 }, (_, index) => [
      `line ${index * 3 + 1}, customerId`,
      `line ${index * 3 + 3}, validFrom`,
    ])
    expect(wrongFields(answer)).toEqual(wrong.flat())
    expect(answer.body).toHaveProperty('detail', '20 of the rows cannot be imported.')
  })

  test('what was archived', async () => {
    const admin = await api.token('vendor:admin')
    const [plan, customer] = [await createPlan(api, product.id), await createTenant(api)]
    await api.call('POST', `/v1/plans/${plan.id}/archive`, { token: admin })
    await api.call('POST', `/v1/tenants/${customer.id}/archive`, { token: admin })
    const rows = [rowOf({ planId: plan.id }), rowOf({ customerId: customer.customerId })]
    const answer = await refusalOf({ rows })
    expect(wrongFields(answer)).toEqual(['line 1', 'line 2'])
  })
})

describe('CSV', () => {
  const header = 'reference,customerId,planId,validFrom,limits.users,features.storage-gb'
  const line = (reference: string, more = ',,') =>
    `${reference},${tenant.customerId},${plans.year.id},2026-01-01T00:00:00Z${more.slice(0, -1)}`

  test('bad cells are named by the line they stand on, header counted', async () => {
    const text = [
      header,
      line('V-1', ',5,,'),
      '',
      line('V-2', ',five,,'),
      line('V-3', ',,much,'),
      line('V-4', ',1.5,,'),
      line('V-1', ',,,'),
    ].join('\n')
    const answer = await refusalOf(text, csv)
    expect(outcome(answer)).toBe('422 IMPORT_INVALID')
    expect(wrongFields(answer)).toEqual([
      'line 4, limits.users',
      'line 5, features.storage-gb',
      'line 6, limits.users',
      'line 7, reference',
    ])
  })

  test.each([
    ['a column nobody knows', `${header},color\n${line('V-6', ',,,red,')}`, ['line 2']],
    ['a quote that does not end', `${header}\n"${line('V-7', ',,,')}`, []],
    ['a row with too few cells', `${header}\nV-8,${'x'}`, []],
    ['a row with too many cells', `${header}\n${line('V-9', ',,,,,,')}`, []],
    ['a header alone', header, []],
    ['no header', line('V-10', ',,,'), []],
  ])('%s is refused', async (_, text, fields) => {
    const answer = await refusalOf(text, csv)
    expect([outcome(answer), wrongFields(answer)]).toEqual(['422 IMPORT_INVALID', fields])
  })
})

describe('an import', () => {
  test('has at most 10,000 rows, in either form', async () => {
    const lines = Array.from({ length: 10_001 }, (_, index) => `R${index}`)
    const asCsv = await refusalOf(`reference\n${lines.join('\n')}`, csv)
    const asJson = await refusalOf({ rows: lines.map((reference) => ({ reference })) })
    expect(outcome(asCsv)).toBe('422 IMPORT_INVALID')
    expect(asCsv.body).toHaveProperty('detail', 'An import has 1 to 10000 rows, this one 10001.')
    expect([outcome(asJson), wrongFields(asJson)]).toEqual(['400 INVALID_REQUEST', ['/body/rows']])
  })

  test('that is bad throughout names its first thousand faults and counts all', async () => {
    const rows = Array.from({ length: 1_200 }, () => ({ reference: '' }))
    const answer = await refusalOf({ rows })
    const { errors, detail } = z
      .object({ errors: z.array(z.unknown()), detail: z.string() })
      .parse(answer.body)
    expect([errors.length, detail]).toEqual([1_000, '1200 of the rows cannot be imported.'])
  })

  test.each([
    ['nothing', '', {}, '400 INVALID_REQUEST'],
    ['no rows', { rows: [] }, {}, '400 INVALID_REQUEST'],
    ['another media type', '<rows/>', { 'content-type': 'application/xml' }, '415 UNSUPPORTED_MEDIA_TYPE'],
    ['CSV that says it is JSON', 'reference\nR', {}, '400 INVALID_REQUEST'],
    ['more than 5 MB', `reference\n${'x'.repeat(5 * 1024 * 1024)}`, csv.headers, '413 BODY_TOO_LARGE'],
  ])('of %s is refused', async (_, body, headers, refusal) => {
    expect(outcome(await refusalOf(body, { headers }))).toBe(refusal)
  })

  test('is made by those who may issue', async () => {
    const body = { rows: [good] }
    const support = await refusalOf(body, { token: await api.token('vendor:support') })
    const customer = await refusalOf(body, { token: await api.token('tenant:admin', tenant.id) })
    expect([support, customer].map(outcome)).toEqual(['403 FORBIDDEN', '403 FORBIDDEN'])
  })
})
