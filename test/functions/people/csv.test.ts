import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { outcome, startApi, wrongFields } from '../../support/api.ts'
import { createPeople } from '../../support/people.ts'
import { expected } from '../../support/scenario.ts'
import { interposeAll } from '../../support/sdk.ts'
import { disagreements, seatRows } from '../../support/seat-rows.ts'

const api = await startApi()
afterAll(api.stop)
const [people, other] = [await createPeople(api, { learners: 2 }), await createPeople(api, { learners: 2 })]

type Tenant = typeof people

const text = (body: string, query: Record<string, string> = {}) => ({
  body,
  query,
  headers: { 'content-type': 'text/csv' },
})
const bring = (tenant: Tenant, csv: string, query?: Record<string, string>) =>
  tenant.call('POST', '/users/import', text(csv, query))

const Lines = z.object({ header: z.string(), items: z.array(z.string()), nextCursor: z.string().optional() })
async function take(tenant: Tenant, limit: number): Promise<string> {
  let cursor: string | undefined
  let csv = ''
  do {
    const query = { limit: String(limit), ...(cursor && { cursor }) }
    const page = Lines.parse(expected(200, await tenant.call('GET', '/users/export', { query })))
    csv = (csv || page.header) + page.items.join('')
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return csv
}

const HEAD = 'name,email,externalId,organization,roles,status'
const GOOD = [
  HEAD,
  '"Lovelace, ""Ada""",Ada@Example.edu,x-1,School/Phys\\/Chem,author;observer,active',
  '"\'=HYPERLINK(""http://evil"")",,x-2,School,reader,active',
  "'+49 151,b@example.edu,,,author,suspended",
  "'quoted,c@example.edu,,School,author,",
].join('\r\n')

describe('people in CSV', () => {
  test('come in once, dry first, get seats in order, and go out as they came, harmless for a spreadsheet', async () => {
    for (const tenant of [people, other]) {
      const school = await tenant.organize('School')
      await tenant.organize('Phys/Chem', school.id)
    }
    const wanted = { rows: 4, alreadyHere: 0, remaining: 0 }
    expect(expected(200, await bring(people, GOOD, { dryRun: 'true' }))).toMatchObject({
      ...wanted,
      imported: 4,
      waiting: 2,
      people: [],
    })
    expect((await people.module('learn')).assigned).toBe(0)
    const both = await Promise.all([bring(people, GOOD), bring(people, GOOD)])
    const reports = both.map((answer) =>
      z.looseObject({ imported: z.int(), alreadyHere: z.int() }).parse(expected(200, answer)),
    )
    expect(reports.map(({ imported, alreadyHere }) => imported + alreadyHere)).toEqual([4, 4])
    expect(reports.reduce((sum, { imported }) => sum + imported, 0)).toBe(4)
    expect(expected(200, await bring(people, GOOD))).toMatchObject({ imported: 0, alreadyHere: 4 })
    expect(await people.module('learn')).toMatchObject({ assigned: 2, pending: 1 })
    expect(disagreements(await seatRows(api.table, people.tenantId))).toEqual([])

    const csv = await take(people, 3)
    expect(csv).toContain(`"'=HYPERLINK(""http://evil"")"`)
    expect(csv).toContain(`,'+49 151,`)
    expect(csv).toContain('School/Phys\\/Chem')
    expect(await bring(other, csv)).toMatchObject({ status: 200, body: { imported: 4 } })
    const cells = (all: string) =>
      all
        .split('\r\n')
        .map((line) => line.replace(/^usr_\w+,/, '').replace(/[^,]*,[^,]*$/, ''))
        .toSorted()
    expect(cells(await take(other, 1))).toEqual(cells(csv))
  })

  test('are refused by line, and then none comes in', async () => {
    const bad = [
      HEAD,
      'A,not-an-address,,,,',
      'B,,,,author,active',
      'C,c1@example.edu,,Nowhere/Else,,',
      'D,d1@example.edu,x-9,,,archived',
      'E,e1@example.edu,,,,',
      'F,E1@example.edu,,,,',
    ].join('\n')
    const answer = await bring(people, bad)
    expect(outcome(answer)).toBe('422 IMPORT_INVALID')
    expect(wrongFields(answer)).toEqual([
      'line 2, email',
      'line 3, email',
      'line 4, organization',
      'line 5, status',
      'line 7, email',
    ])
    expect(outcome(await bring(people, `${HEAD}\n"A`))).toBe('422 IMPORT_INVALID')
    const twice = await bring(people, 'name,email,email,,\nA,a@example.edu,b@example.edu,,')
    expect(twice.body).toMatchObject({ detail: 'The header has the column email twice.' })
    const trailing = await bring(people, 'name,email,,\nTrailing,trailing@example.edu,,', { dryRun: 'true' })
    expect(outcome(trailing)).toBe('200')
    expect(await take(people, 1000)).not.toContain('e1@example.edu')
  })

  test('are gone on with where the time was over', async () => {
    let left = 3
    const remaining = () => (left-- > 0 ? 60_000 : 1_000)
    const rows = ['g1', 'g2', 'g3', 'g4', 'g5'].map((externalId) => ({ name: externalId, externalId }))
    const cut = await people.call('POST', '/users/import', { body: { rows }, remaining })
    expect(cut.body).toMatchObject({ imported: 2, remaining: 3 })
    const rest = await people.call('POST', '/users/import', { body: { rows } })
    expect(rest.body).toMatchObject({ imported: 3, alreadyHere: 2, remaining: 0 })
  })

  test('say which line an organization stands on that is archived meanwhile, and how many came in before it', async () => {
    const { id } = await people.organize('Closing')
    const rows = [
      { name: 'Before', externalId: 'before' },
      { name: 'Within', externalId: 'within', organization: 'Closing' },
    ]
    let isArchived = false
    const undo = interposeAll(async ({ input }, send) => {
      if (!isArchived && JSON.stringify(input).includes('user.created')) {
        isArchived = true
        expected(200, await people.call('POST', `/organizations/${id}/archive`))
      }
      return send()
    })
    const answer = await people.call('POST', '/users/import', { body: { rows } })
    undo()
    expect([outcome(answer), wrongFields(answer)]).toEqual(['422 IMPORT_INVALID', ['line 2']])
    expect(answer.body).toMatchObject({ detail: expect.stringContaining('1 before it were imported') })
  })

  test('are refused for want of a seat only if there is none now', async () => {
    const tenant = await createPeople(api, { learners: 2 })
    const holder = await tenant.hire('author')
    expected(200, await tenant.call('PATCH', '/seats/policy', { body: { onShortage: 'refuse' } }))
    const rows = ['first', 'second', 'third'].map((name) => ({ name, externalId: name, roles: ['author'] }))
    let isFreed = false
    const undo = interposeAll(async ({ input }, send) => {
      const answer = await send()
      if (!isFreed && JSON.stringify(input).includes('user.created')) {
        isFreed = true
        expected(200, await tenant.archive(holder.id))
      }
      return answer
    })
    const answer = await tenant.call('POST', '/users/import', { body: { rows } })
    undo()
    expect([outcome(answer), wrongFields(answer)]).toEqual(['422 IMPORT_INVALID', ['line 3']])
    expect(answer.body).toMatchObject({ detail: expect.stringContaining('2 before it were imported') })
  })
})
