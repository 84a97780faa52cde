import { afterAll, describe, expect, test } from 'vitest'
import type * as z from 'zod'
import { ImportReport } from '../../../functions/licenses/import-contract.ts'
import { Instant, readClock } from '../../../shared/platform/time.ts'
import { type CallOptions, outcome, startApi } from '../../support/api.ts'
import { typesOf } from '../../support/events.ts'
import { times } from '../../support/parallel.ts'
import { createPlan, createTenant } from '../../support/resources.ts'
import { allRows } from '../../support/rows.ts'
import { createScenario, expected, inDays, type Scenario } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'

const api = await startApi()
afterAll(api.stop)
const token = await api.token('vendor:issuer')

const send = (body: unknown, options: CallOptions = {}) =>
  api.call('POST', '/v1/licenses/import', { token, body, ...options })
const report = async (body: unknown, options?: CallOptions): Promise<z.infer<typeof ImportReport>> =>
  ImportReport.parse(expected(200, await send(body, options)))
const csv = { headers: { 'content-type': 'text/csv; charset=utf-8' } }

/** A year from then on is in force whenever this runs. */
const validFrom = Instant.parse(`${readClock().slice(0, 4)}-01-01T00:00:00Z`)
const rowOf = ({ tenant, plans }: Scenario, reference: string, more: object = {}) => ({
  reference,
  customerId: tenant.customerId,
  planId: plans.year.id,
  validFrom,
  ...more,
})
const rowsOf = (scenario: Scenario, count: number, more: object = {}) => ({
  rows: Array.from({ length: count }, (_, index) =>
    rowOf(scenario, `${scenario.tenant.customerId} ${index}`, more),
  ),
})
/** The licenses of a scenario's tenant that lie in the table. */
const stored = async ({ tenant }: Scenario) =>
  [...(await allRows(api.table)).values()].filter(
    (row) => row['entity'] === 'license' && row['tenantId'] === tenant.id,
  )

describe('rows in JSON', () => {
  test('become licenses as if they had been issued, with keys that work', async () => {
    const scenario = await createScenario(api)
    const { plans } = scenario
    const rows = [
      rowOf(scenario, 'J-1', {
        limits: { users: 7 },
        features: { edition: 'pro' },
        productInstanceId: 'I-1',
      }),
      rowOf(scenario, 'J-2', { planId: plans.perpetual.id }),
      rowOf(scenario, 'J-3', { expiresAt: inDays(-400), validFrom: inDays(-800) }),
      rowOf(scenario, 'J-4', { planId: plans.trial.id, validFrom: inDays(3) }),
    ]
    const { licenses, ...counts } = await report({ rows })
    expect(counts).toEqual({ dryRun: false, rows: 4, imported: 4, alreadyHere: 0, remaining: 0 })
    expect(licenses.map(({ line, reference }) => [line, reference])).toEqual([
      [1, 'J-1'],
      [2, 'J-2'],
      [3, 'J-3'],
      [4, 'J-4'],
    ])
    const views = await Promise.all(licenses.map(({ licenseId }) => scenario.read(licenseId)))
    expect(views).toMatchObject([
      {
        reference: 'J-1',
        limits: { users: 7 },
        features: { sso: true, edition: 'pro' },
        productInstanceId: 'I-1',
      },
      { term: 'perpetual', status: 'ACTIVE', validFrom },
      { status: 'EXPIRED' },
      { type: 'TRIAL', status: 'PENDING' },
    ])
    const [first] = licenses
    expect(await scenario.validate({ key: first?.key })).toMatchObject({ license: { id: first?.licenseId } })
    expect(await scenario.validate({ file: await scenario.fileOf(first?.licenseId ?? '') })).toMatchObject({
      code: 'VALID',
    })
    const events = await scenario.events(first?.licenseId ?? '')
    expect(events).toMatchObject([
      { type: 'license.imported', after: { reference: 'J-1', limits: { users: 7 } } },
    ])
  })

  test('extend each other, and what is here already, in any order', async () => {
    const scenario = await createScenario(api)
    const { license: here } = await scenario.issue({ reference: 'X-here', validFrom, expiresAt: inDays(9) })
    const rows = [
      rowOf(scenario, 'X-topup', { type: 'TOPUP', extends: 'X-base', limits: { users: 5 } }),
      rowOf(scenario, 'X-longer', {
        type: 'VALIDITY',
        extends: 'X-base',
        validFrom: inDays(5),
        expiresAt: inDays(900),
      }),
      rowOf(scenario, 'X-base', { expiresAt: inDays(5) }),
      rowOf(scenario, 'X-more', {
        type: 'VALIDITY',
        extends: 'X-here',
        validFrom: inDays(9),
        expiresAt: inDays(800),
      }),
    ]
    const { imported, licenses } = await report({ rows })
    const id = (reference: string) => licenses.find((one) => one.reference === reference)?.licenseId ?? ''
    expect([imported, licenses.map(({ line }) => line)]).toEqual([4, [1, 2, 3, 4]])
    expect(await scenario.read(id('X-topup'))).toMatchObject({
      type: 'TOPUP',
      extends: id('X-base'),
      limits: { users: 5 },
    })
    expect(await scenario.read(id('X-base'))).toMatchObject({
      extendedBy: [id('X-longer')],
      effectiveExpiresAt: expect.any(String),
    })
    expect(await scenario.read(here.id)).toMatchObject({ extendedBy: [id('X-more')] })
    expect((await report({ rows })).alreadyHere).toBe(4)
  })
})

describe('CSV', () => {
  test('is read as spreadsheets write it: BOM, CRLF, quotes, empty cells, empty lines', async () => {
    const scenario = await createScenario(api)
    const { tenant, plans } = scenario
    const text = [
      '\uFEFFreference,customerId,planId,validFrom,expiresAt,limits.users,limits.signatures,features.sso,features.storage-gb,features.edition,productInstanceId',
      `"C ""1"", first",${tenant.customerId}, ${plans.year.id} ,${validFrom},,12,unlimited,false,20.5,5,"Campus, North"`,
      '',
      `C-2,"${tenant.customerId}",${plans.year.id},${validFrom},2050-01-01T00:00:00Z,,,,,,"over`,
      'two lines"',
      `C-3,${tenant.customerId},${plans.perpetual.id},${validFrom},,0,,true,,true,`,
      '',
    ].join('\r\n')
    const { licenses } = await report(text, csv)
    const views = await Promise.all(licenses.map(({ licenseId }) => scenario.read(licenseId)))
    expect(licenses.map(({ line }) => line)).toEqual([2, 5, 6])
    expect(views).toMatchObject([
      {
        reference: 'C "1", first',
        limits: { users: 12, signatures: 'unlimited' },
        features: { sso: false, 'storage-gb': 20.5, edition: '5' },
        productInstanceId: 'Campus, North',
      },
      {
        reference: 'C-2',
        limits: { users: 100 },
        features: { sso: true },
        expiresAt: '2050-01-01T00:00:00.000Z',
      },
      { reference: 'C-3', limits: { users: 0 }, features: { sso: true, edition: 'true' } },
    ])
    expect(views[1]?.productInstanceId).toMatch(/^over\r?\ntwo lines$/)
    expect(views[2]).not.toHaveProperty('expiresAt')
  })
})

describe('asking', () => {
  test('for a dry run says what would happen and writes nothing', async () => {
    const scenario = await createScenario(api)
    const body = rowsOf(scenario, 3)
    const before = await allRows(api.table)
    const dry = await report(body, { query: { dryRun: 'true' } })
    expect(dry).toEqual({ dryRun: true, rows: 3, imported: 0, alreadyHere: 0, remaining: 3, licenses: [] })
    expect(await allRows(api.table)).toEqual(before)
    expect(await report(body)).toMatchObject({ imported: 3, remaining: 0 })
    expect(await report(body, { query: { dryRun: 'true' } })).toMatchObject({ alreadyHere: 3, remaining: 0 })
  })

  test('twice imports once, and what is new besides', async () => {
    const scenario = await createScenario(api)
    const { rows } = rowsOf(scenario, 12)
    const first = await report({ rows: rows.slice(0, 11) })
    const before = await stored(scenario)
    const second = await report({ rows: rows.slice(0, 11) })
    expect(second).toMatchObject({ imported: 0, alreadyHere: 11, remaining: 0, licenses: [] })
    expect(await stored(scenario)).toEqual(before)
    const third = await report({ rows })
    expect([first.imported, third.imported, third.alreadyHere, third.licenses[0]?.line]).toEqual([
      11, 1, 11, 12,
    ])
  })

  test('under one Idempotency-Key answers the same, keys included', async () => {
    const scenario = await createScenario(api)
    const options = { headers: { 'idempotency-key': 'import-1' } }
    const first = await send(rowsOf(scenario, 2), options)
    const again = await send(rowsOf(scenario, 2), options)
    const other = await send(rowsOf(scenario, 3), options)
    expect([first, again].map(outcome)).toEqual(['200', '200'])
    expect(again.body).toEqual(first.body)
    expect(outcome(other)).toBe('422 IDEMPOTENCY_MISMATCH')
  })

  test('five times at once imports each row once', async () => {
    const scenario = await createScenario(api)
    const { rows } = rowsOf(scenario, 24)
    const base = rows[0]?.reference
    const more = [
      rowOf(scenario, `${base} topup`, { type: 'TOPUP', extends: base }),
      rowOf(scenario, `${base} longer`, {
        type: 'VALIDITY',
        extends: base,
        validFrom: inDays(1),
        expiresAt: inDays(999),
      }),
    ]
    const reports = await times(5, () => report({ rows: [...rows, ...more] }, { remaining: () => 60_000 }))
    const licenses = await stored(scenario)
    const ids = reports.flatMap((one) => one.licenses.map(({ licenseId }) => licenseId))
    expect(reports.map(({ imported, alreadyHere }) => imported + alreadyHere)).toEqual(Array(5).fill(26))
    expect(ids.toSorted()).toEqual(licenses.map((row) => row['id']).toSorted())
    expect(licenses).toHaveLength(26)
    for (const id of ids.slice(0, 5)) expect(typesOf(await scenario.events(id))).toEqual(['license.imported'])
    const extended = licenses.find((row) => row['reference'] === base)
    expect(extended?.['extendedBy']).toHaveLength(1)
    const extending = licenses.flatMap((row) => row['extends'] ?? [])
    expect(extending).toEqual([extended?.['id'], extended?.['id']])
  })
})

describe('many rows', () => {
  test('120 are imported, each with a key of its own', async () => {
    const scenario = await createScenario(api)
    const { imported, licenses } = await report(rowsOf(scenario, 120), { remaining: () => 120_000 })
    expect(imported).toBe(120)
    expect(new Set(licenses.map(({ key }) => key)).size).toBe(120)
    expect(await stored(scenario)).toHaveLength(120)
    expect(await scenario.validate({ key: licenses[119]?.key })).toMatchObject({
      license: { id: licenses[119]?.licenseId },
    })
  }, 120_000)

  test('that take too long are left for another call, which completes them', async () => {
    const scenario = await createScenario(api)
    const { rows } = rowsOf(scenario, 120)
    const base = rows[5]?.reference
    const body = { rows: [rowOf(scenario, `${base} topup`, { type: 'TOPUP', extends: base }), ...rows] }
    let asked = 0
    const soonOver = () => (asked++ < 3 ? 60_000 : 3_000)
    const headers = { 'idempotency-key': 'long-import' }
    const first = await report(body, { remaining: soonOver, headers })
    const second = await report(body, { headers })
    expect(first.remaining).toBeGreaterThan(0)
    expect(first.imported).toBeGreaterThan(0)
    expect(first.imported + first.remaining).toBe(121)
    expect(second).toMatchObject({ imported: first.remaining, alreadyHere: first.imported, remaining: 0 })
    expect(await stored(scenario)).toHaveLength(121)
  })
})

describe('what is changed while rows are written', () => {
  /** Does something before the import's next transaction after so many. */
  async function meanwhile<T>(
    after: number,
    work: () => Promise<unknown>,
    ask: () => Promise<T>,
  ): Promise<T> {
    let left = after
    const stop = interposeAll(async ({ command }, send) => {
      if (command === 'TransactWriteItemsCommand' && left-- === 0) await work()
      return send()
    })
    try {
      return await ask()
    } finally {
      stop()
    }
  }

  test('a plan that is archived: what is written is answered with its keys, the rest remains', async () => {
    const scenario = await createScenario(api)
    const plan = await createPlan(api, scenario.product.id)
    const admin = await api.token('vendor:admin')
    const archive = () => api.call('POST', `/v1/plans/${plan.id}/archive`, { token: admin })
    const body = rowsOf(scenario, 45, { planId: plan.id })
    const first = await meanwhile(4, archive, () => report(body, { remaining: () => 60_000 }))
    expect([first.imported, first.remaining, first.licenses.length]).toEqual([40, 5, 40])
    expect(outcome(await send(body))).toBe('422 IMPORT_INVALID')
    expect(await stored(scenario)).toHaveLength(40)
  })

  test('the same import under the same key: who imported the rows is answered with their keys, and so is a replay', async () => {
    const scenario = await createScenario(api)
    const body = rowsOf(scenario, 2)
    const headers = { 'idempotency-key': `twin-${scenario.tenant.id}` }
    const again = () => report(body, { headers })
    const first = await meanwhile(1, again, again)
    expect([first.imported, first.licenses.length]).toEqual([2, 2])
    expect(await again()).toEqual(first)
  })

  test('a tenant that is archived before anything is written: its line is named', async () => {
    const scenario = await createScenario(api)
    const { id, customerId } = await createTenant(api)
    const admin = await api.token('vendor:admin')
    const archive = () => api.call('POST', `/v1/tenants/${id}/archive`, { token: admin })
    const body = { rows: [rowOf(scenario, `${customerId} 1`, { customerId })] }
    const answer = await meanwhile(0, archive, () => send(body))
    expect(outcome(answer)).toBe('422 IMPORT_INVALID')
    expect(JSON.stringify(answer.body)).toContain('is archived')
  })

  test('a license that is to be extended and is revoked: the line is named', async () => {
    const scenario = await createScenario(api)
    const { license } = await scenario.issue({ reference: 'revoked meanwhile' })
    const body = { rows: [rowOf(scenario, 'M-1', { type: 'TOPUP', extends: 'revoked meanwhile' })] }
    const answer = await meanwhile(
      0,
      () => scenario.act(license.id, 'revoke'),
      () => send(body),
    )
    expect(outcome(answer)).toBe('422 IMPORT_INVALID')
  })
})
