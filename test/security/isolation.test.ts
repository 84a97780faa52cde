import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Operation } from '../../functions/routes.ts'
import { type Role, TenantRole } from '../../shared/domain/access.ts'
import { parseToken } from '../../shared/platform/auth/token-format.ts'
import { type Answer, outcome, startApi } from '../support/api.ts'
import { keepTable } from '../support/kept-table.ts'
import { walks } from '../support/walks.ts'
import { createCatalog } from '../world/catalog.ts'
import { type Fields, fieldsOf } from '../world/plausible.ts'
import { named, pathOf, requestFor, type Sent, send, someRole } from '../world/requests.ts'
import { createTenancy, type Tenancy } from '../world/tenancy.ts'
import { rowsOf } from './battery.ts'

const api = await startApi()
afterAll(api.stop)
const catalog = await createCatalog(api)
const [own, other] = [await createTenancy(api, catalog), await createTenancy(api, catalog)]
const table = await keepTable(api.table)
afterAll(table.close)

/** Fields that name something of one tenant's. */
const TENANTS_OWN = [
  'tenantId',
  'licenseId',
  'extends',
  'tokenId',
  'leaseId',
  'ticketId',
  'activationId',
  'userId',
  'organizationId',
  'groupId',
  'parentId',
  'transferId',
  'bulkId',
  'webhookId',
  'eventId',
  'findingId',
] as const
/** Fields with an id that names nothing of a tenant's: what is the vendor's, and what the application says for itself. */
const NOT_TENANTS = ['productId', 'planId', 'externalId', 'requestId']

/** Like the other tenant's, and nobody's. Of an id that is sealed, the last character can be another for the same bytes. */
const nobodys = Object.fromEntries(
  TENANTS_OWN.map((name) => {
    const id = other.known[name]
    return [name, `${id.slice(0, -8)}${id.at(-8) === '0' ? '1' : '0'}${id.slice(-7)}`]
  }),
)

const fieldsOfRequest = ({ params, query, body }: Operation) => [
  ...fieldsOf(params),
  ...fieldsOf(query),
  ...fieldsOf(body),
]
/** The fields of an operation's request that could name something of another tenant's. */
const slotsOf = (operation: Operation) =>
  TENANTS_OWN.filter(
    (name) => fieldsOfRequest(operation).includes(name) && !(name === 'userId' && isToldOnly(operation)),
  )
/** An application calls the user of a machine what it likes: nobody is looked up by it. */
const isToldOnly = ({ path, body }: Operation) =>
  path.includes('/activations') && fieldsOf(body).includes('userId')

/** Operations that tenants may call and that name something of theirs. */
const naming = named.filter(([, operation]) => {
  const forTenants =
    operation.access === 'public' ||
    operation.access.some((one) => one === 'license' || TenantRole.safeParse(one).success)
  return forTenants && slotsOf(operation).length > 0
})

type Caller = { readonly name: string; readonly authorization: string }
/** Those of a tenant who may call an operation. */
function callersOf({ tokens, key }: Tenancy, { access }: Operation): Caller[] {
  const may = (one: Role | 'license') => access === 'public' || access.includes(one)
  return [
    ...[...tokens]
      .filter(([role]) => may(role))
      .map(([name, token]) => ({ name, authorization: `Bearer ${token}` })),
    ...(may('license') ? [{ name: 'license key', authorization: `License ${key}` }] : []),
  ]
}

function call(
  operation: Operation,
  caller: Caller,
  known: Readonly<Fields>,
  wanted: readonly string[] = [],
): Promise<Answer> {
  const request: Sent = requestFor(operation, known, wanted)
  // Who is in a group was changed by that.
  const revision = operation.operationId === 'editUser' && { 'if-match': '"2"' }
  const headers = { ...request.headers, ...revision, authorization: caller.authorization }
  return send(api, operation, { ...request, headers })
}

/** An answer as text, without what differs from one request to the next, and without the ids that were sent. */
function comparable({ status, headers, body }: Answer, sent: Readonly<Fields>): string {
  const { 'x-request-id': requestId = '', ratelimit: _, ...others } = headers
  const text = JSON.stringify({ status, others, body })
    .replaceAll(requestId, '<request>')
    .replaceAll(/\d{4}-\d{2}-\d{2}T[\d:.]+Z/g, '<instant>')
  return Object.entries(sent).reduce((rest, [name, id]) => rest.replaceAll(String(id), `<${name}>`), text)
}

const pick = (values: Readonly<Fields>, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, values[name]]))

/** Which of the other tenant's marks an answer shows, beside the ids that were sent. */
const shownOf = (marks: readonly string[], answer: Answer, sent: Readonly<Fields> = {}) =>
  marks.filter((mark) => comparable(answer, sent).includes(mark))

describe("another tenant's id is like one that never was", () => {
  test.each(naming)('%s', async (_, operation) => {
    const slots = slotsOf(operation)
    const [first, ...others] = callersOf(own, operation)
    if (first === undefined) throw new Error('nobody may call it')
    // By one caller each of them alone, with its own in the other places, and all of them; by the others what lies within
    // a tenant, with their own tenant before it.
    const within = slots.filter((slot) => slot !== 'tenantId')
    const choices = [...slots.map((slot) => [slot]), ...(slots.length > 1 ? [slots] : [])]
    const tried = [
      ...choices.map((foreign) => ({ caller: first, foreign })),
      ...others.map((caller) => ({ caller, foreign: within.length > 0 ? within : slots })),
    ]
    for (const { caller, foreign } of tried) {
      const [theirs, nones] = [pick(other.known, foreign), pick(nobodys, foreign)]
      const seen = await call(operation, caller, { ...own.known, ...theirs }, foreign)
      const unseen = await call(operation, caller, { ...own.known, ...nones }, foreign)
      const where = `${caller.name}, ${foreign.join(' and ')} of another tenant`
      expect(comparable(seen, theirs), where).toBe(comparable(unseen, nones))
      expect(shownOf(other.marks, seen, theirs), where).toEqual([])
    }
  })

  /** Does some caller get another answer for what is there than for what is not? */
  async function tellsApart(operation: Operation, slot: string, tenancy: Tenancy): Promise<boolean> {
    const nones = pick(nobodys, [slot])
    for (const caller of callersOf(tenancy, operation)) {
      const seen = await call(operation, caller, tenancy.known, [slot])
      const unseen = await call(operation, caller, { ...tenancy.known, ...nones }, [slot])
      if (comparable(seen, tenancy.known) !== comparable(unseen, nones)) return true
    }
    return false
  }

  // Without this the answers above could be alike because the requests were no good.
  test.each(naming)('and its own tenant gets another answer from %s', async (_, operation) => {
    const blind: string[] = []
    for (const slot of slotsOf(operation)) {
      // What the operations before have ended is there again.
      await table.restore()
      if (!(await tellsApart(operation, slot, other))) blind.push(slot)
    }
    expect(blind).toEqual([])
  })

  test('and no other field of an operation for tenants names something of theirs', () => {
    const known = new Set<string>([...TENANTS_OWN, ...NOT_TENANTS])
    const ids = named
      .filter(([, { access }]) => access !== 'public' && access.some((one) => !one.startsWith('vendor:')))
      .flatMap(([, operation]) => fieldsOfRequest(operation))
      .filter((name) => /Id$/.test(name) && !known.has(name))
    expect([...new Set(ids)]).toEqual([])
  })
})

/** Operations that say something else of an id that exists nowhere, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  uploadLicense: '422 FILE_MALFORMED', // The file is looked at first.
  setShares: '200', // It names nothing but the tenant's own pool.
}

describe('an id that exists nowhere is not found, by whoever may ask', () => {
  const withIds = named.filter(([, { params }]) => params !== undefined)
  test.each(withIds)('%s', async (operationId, operation) => {
    const role = someRole(operation) ?? 'vendor:admin'
    const token = own.tokens.get(role) ?? (await api.token(role))
    const { version, product } = own.known
    // In the tenant that there is, where something of it is asked for that exists nowhere.
    const isOfTenant = slotsOf(operation).some((slot) => slot !== 'tenantId')
    const tenantId = own.tokens.has(role) || isOfTenant ? own.known.tenantId : nobodys['tenantId']
    const known = { version, product, ...nobodys, tenantId }
    const answer = outcome(await send(api, operation, { ...requestFor(operation, known), token }))
    expect(answer).toMatch(EXCEPTIONS[operationId] ?? /^404 /)
  })
})

const Page = z.object({ items: z.array(z.unknown()), nextCursor: z.string().optional() })

/** A page as the list's own tenant asks for it. */
function askPage(
  operation: Operation,
  { known }: Tenancy,
  caller: Caller,
  page: { readonly limit: string; readonly cursor?: string | undefined },
): Promise<Answer> {
  const { params, query } = requestFor(operation, known)
  return api.call('GET', pathOf(operation, params), {
    query: { ...query, limit: page.limit, ...(page.cursor && { cursor: page.cursor }) },
    headers: { authorization: caller.authorization },
  })
}

describe('a list', () => {
  const lists = named.filter(
    ([, operation]) =>
      operation.method === 'GET' &&
      fieldsOf(operation.query).includes('cursor') &&
      callersOf(own, operation).length > 0,
  )

  test.each(lists)(
    '%s holds what is its tenant’s, page by page, and nothing of another',
    async (_, operation) => {
      const whole = async (tenancy: Tenancy, caller: Caller) => {
        const text: string[] = []
        let cursor: string | undefined
        do {
          const answer = await askPage(operation, tenancy, caller, { limit: '3', cursor })
          expect(outcome(answer)).toBe('200')
          text.push(JSON.stringify(answer))
          cursor = Page.parse(answer.body).nextCursor
        } while (cursor !== undefined)
        return text.join('\n')
      }
      for (const [tenancy, stranger] of [
        [own, other],
        [other, own],
      ] as const) {
        for (const caller of callersOf(tenancy, operation)) {
          const text = await whole(tenancy, caller)
          expect(stranger.marks.filter((mark) => text.includes(mark))).toEqual([])
          expect(tenancy.marks.some((mark) => text.includes(mark))).toBe(true)
        }
      }
    },
  )

  test.each(lists)(
    "%s refuses the cursor of another tenant's list as it refuses none",
    async (_, operation) => {
      const [caller, stranger] = [callersOf(own, operation)[0], callersOf(other, operation)[0]]
      if (caller === undefined || stranger === undefined) throw new Error('nobody may list these')
      const { nextCursor } = Page.parse((await askPage(operation, other, stranger, { limit: '1' })).body)
      expect(nextCursor).toBeDefined()
      for (const cursor of [nextCursor, 'bm9uc2Vuc2U.AAAAAAAAAAAAAAAAAAAAAA'])
        expect(outcome(await askPage(operation, own, caller, { limit: '1', cursor }))).toBe(
          '400 INVALID_CURSOR',
        )
    },
  )
})

test('nothing in the table lets anybody in who reads it', async () => {
  const rows = (await rowsOf(api.table)).join()
  const secretOf = (token: string) => parseToken(token)?.secret ?? token
  const [tokens, keys] = [
    [...own.tokens.values(), own.spare],
    [own.key, own.key.replaceAll('-', '')],
  ]
  expect([...tokens, ...tokens.map(secretOf), ...keys].filter((secret) => rows.includes(secret))).toEqual([])
  // What it is searched for would be there.
  expect(rows).toContain(own.known.tokenId)
  expect(rows).toContain('"entity","reply"')
})

describe('whatever two tenants do, in whatever order', () => {
  const Overview = z.object({ users: z.object({ active: z.number() }) })
  const reads = naming
    .map(([, operation]) => operation)
    .filter(
      ({ method, access }) => method === 'GET' && access !== 'public' && access.includes('tenant:admin'),
    )

  test('neither sees or changes anything of the other', async () => {
    await table.restore()
    const admin = (tenancy: Tenancy) => ({ token: tenancy.tokens.get('tenant:admin') })
    const used = new Map([own, other].map((tenancy) => [tenancy, 63]))

    /** One call of one of the two; what it shows of the other is returned. */
    const step = fc.record({
      who: fc.constantFrom([own, other] as const, [other, own] as const),
      what: fc.oneof(
        fc.record({ use: fc.integer({ min: 0, max: 1_000 }) }),
        fc.record({ read: fc.constantFrom(...reads), foreign: fc.subarray([...TENANTS_OWN]) }),
      ),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        for (const { who, what } of steps) {
          const [mine, theirs] = who
          if ('use' in what) {
            const records = [{ product: mine.known.product, metric: 'users', value: what.use }]
            const answer = await api.call('POST', '/v1/usage', { ...admin(mine), body: { records } })
            expect(answer.status).toBe(200)
            used.set(mine, what.use)
          } else {
            const sent = pick(theirs.known, what.foreign)
            const request = requestFor(what.read, { ...mine.known, ...sent })
            const answer = await send(api, what.read, { ...request, ...admin(mine) })
            expect(shownOf(theirs.marks, answer, sent)).toEqual([])
            const named = slotsOf(what.read).some((slot) => what.foreign.includes(slot))
            expect(answer.status === 404).toBe(named)
          }
        }
        for (const [tenancy, value] of used) {
          const path = `/v1/tenants/${tenancy.known.tenantId}/overview`
          const answer = await api.call('GET', path, admin(tenancy))
          expect(Overview.parse(answer.body).users.active).toBe(value)
        }
      }),
      walks(12),
    )
  })
})
