import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type * as z from 'zod'
import { type Operation, operations } from '../../functions/routes.ts'
import { VendorRole } from '../../shared/domain/access.ts'
import { type Answer, outcome, startApi } from '../support/api.ts'
import { keepTable } from '../support/kept-table.ts'
import { OWN_NOTES } from '../support/rows.ts'
import { walks } from '../support/walks.ts'
import { createCatalog } from '../world/catalog.ts'
import { type Fields, fieldsOf } from '../world/plausible.ts'
import { named, requestFor, type Sent, send, someRole } from '../world/requests.ts'
import { createTenancy } from '../world/tenancy.ts'
import { changesThings, faultsOf, rowsOf } from './battery.ts'

const api = await startApi()
afterAll(api.stop)
const { known, tokens } = await createTenancy(api, await createCatalog(api))
await Promise.all(VendorRole.options.map((role) => api.token(role)))
const before = await rowsOf(api.table)
const table = await keepTable(api.table)
afterAll(table.close)

const BODY_LIMIT = 256 * 1024

/** A request that would be taken, by somebody who may; a test spoils one thing of it. */
async function goodRequest(operation: Operation): Promise<Sent> {
  const role = someRole(operation) ?? 'vendor:admin'
  const token = tokens.get(role) ?? (await api.token(role))
  const scopes = [operation.operationId]
  return { ...requestFor(operation, { ...known, scopes }), token }
}

type Case = { readonly name: string; readonly sent: Sent; readonly code: RegExp; readonly names?: string }

/** Sends them all; what is wrong with the answers. */
async function wrongWith(operation: Operation, cases: readonly Case[]): Promise<string[]> {
  const wrong = await Promise.all(
    cases.map(async ({ name, sent, code, names }) => {
      const answer = await send(api, operation, sent)
      const faults = faultsOf(operation, answer)
      if (!code.test(outcome(answer))) faults.push(`${outcome(answer)} instead of ${code}`)
      if (names !== undefined && !namesField(answer, names)) faults.push(`does not name ${names}`)
      return faults.map((fault) => `${name}: ${fault}`)
    }),
  )
  return wrong.flat()
}

const namesField = ({ body }: Answer, name: string) => JSON.stringify(body).includes(name)

/** One of the values for each operation, the next for the next: for what all of them leave to the same code. */
function inTurn<T>(operation: Operation, values: readonly T[]): T[] {
  const place = operations.indexOf(operation) % values.length
  return values.slice(place, place + 1)
}

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
/** Values of every kind, for a field that wants another. */
const KINDS = [{ odd: true }, ['odd'], 'odd\u0000', -1.5, null, true, '']

/** A value that the schema does not take in this field; undefined where it takes all of them. */
function spoiled(schema: z.ZodType, body: Readonly<Fields>, field: string): Fields | undefined {
  return KINDS.map((value) => ({ ...body, [field]: value })).find(
    (candidate) => schema.safeParse(candidate).error?.issues.some(({ path }) => path[0] === field) === true,
  )
}

const NO_JSON = ['{"a":', '{a:1}', "{'a':1}", '{} {}', 'undefined', '\uFEFF{}', '{"a":"\\ud800"}']
const OTHER_TYPES = ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']

const withBody = named.filter(([, { body }]) => body !== undefined)

describe('a body that is not as declared changes nothing and is answered with what is wrong', () => {
  test.each(withBody)('%s', async (_, operation) => {
    const { body: schema, bodyLimit = BODY_LIMIT, textBody, dialect } = operation
    if (schema === undefined) throw new Error('not here')
    const good = await goodRequest(operation)
    const body = Object(good.body)
    const withText = (text: string): Sent => ({ ...good, body: text })
    const invalid = /^4\d\d [A-Z_]+$/

    const unknown: Case[] = [
      {
        name: 'an unknown field',
        sent: { ...good, body: { ...body, surprise: 1 } },
        code: /^400 INVALID_REQUEST$/,
        names: 'surprise',
      },
      {
        name: 'a field called __proto__',
        sent: withText(`{"__proto__":{"admin":true},${JSON.stringify(body).slice(1)}`.replace(',}', '}')),
        code: /^400 INVALID_REQUEST$/,
      },
    ]
    const wrong = fieldsOf(schema).flatMap((field) => {
      const bad = spoiled(schema, body, field)
      return bad === undefined ? [] : [{ field, bad }]
    })
    const cases: Case[] = [
      // Directories send more than is kept, and it is left out (RFC 7644, section 3.3).
      ...(dialect === 'scim' ? [] : unknown),
      ...wrong.map(({ field, bad }) => ({
        name: `a wrong ${field}`,
        sent: { ...good, body: bad },
        code: /^400 INVALID_REQUEST$/,
        names: `/body/${field}`,
      })),
      ...['[]', '"text"', '7', 'null', 'true'].map((text) => ({
        name: `the JSON ${text}`,
        sent: withText(text),
        code: invalid,
      })),
      ...inTurn(operation, NO_JSON).map((text) => ({
        name: `text that is not JSON, ${text}`,
        sent: withText(text),
        code: /^400 INVALID_REQUEST$/,
        names: '/body',
      })),
      ...inTurn(operation, OTHER_TYPES).map((type) => ({
        name: type,
        sent: { ...good, headers: { ...good.headers, 'content-type': type } },
        code: /^415 UNSUPPORTED_MEDIA_TYPE$/,
      })),
      {
        name: 'more bytes than are taken',
        sent: withText(JSON.stringify({ ...body, padding: 'x'.repeat(bodyLimit) })),
        code: /^413 BODY_TOO_LARGE$/,
      },
      {
        name: 'lists in lists',
        sent: withText(nested(Math.min(100_000, Math.floor(bodyLimit / 2) - 10))),
        code: invalid,
      },
      ...inTurn(operation, fieldsOf(schema)).map((field) => ({
        name: `lists in lists as ${field}`,
        sent: withText(
          `${JSON.stringify({ ...body, [field]: '<here>' }).replace('"<here>"', nested(5_000))}`,
        ),
        code: /^(4\d\d [A-Z_]+|200)$/,
      })),
      // What is looked at is what would be done: the last one.
      ...inTurn(operation, wrong).map(({ field, bad }) => {
        const [first, again] = [{ ...body, [field]: body[field] ?? 1 }, { [field]: bad[field] }]
        const text = `${JSON.stringify(first).slice(0, -1)},${JSON.stringify(again).slice(1)}`
        return { name: `${field} twice`, sent: withText(text), code: invalid, names: `/body/${field}` }
      }),
    ]
    const taken = cases.filter(
      ({ sent }) => !textBody?.includes(sent.headers?.['content-type']?.split(';')[0] ?? ''),
    )
    expect(await wrongWith(operation, taken)).toEqual([])
  })
})

describe('an operation without a body takes none', () => {
  const withoutBody = named.filter(([, { body, method }]) => body === undefined && method !== 'GET')
  test.each(withoutBody)('%s', async (_, operation) => {
    const good = await goodRequest(operation)
    const cases = ['{"surprise":1}', '[]', 'x'].map((body) => ({
      name: body,
      sent: { ...good, body },
      code: /^400 INVALID_REQUEST$/,
      names: '/body',
    }))
    expect(await wrongWith(operation, cases)).toEqual([])
  })
})

describe('a query that is not as declared', () => {
  test.each(named)('%s', async (_, operation) => {
    const { query: schema } = operation
    const good = await goodRequest(operation)
    const spoil = (field: string) =>
      ['', '\u0000', '-1', 'x'.repeat(3_000)].find(
        (value) => schema?.safeParse({ ...good.query, [field]: value }).success === false,
      )
    const cases: Case[] = [
      {
        name: 'an unknown parameter',
        sent: { ...good, query: { ...good.query, surprise: '1' } },
        code: /^400 INVALID_REQUEST$/,
        names: 'surprise',
      },
      ...fieldsOf(schema).flatMap((field): Case[] => {
        const value = spoil(field)
        if (value === undefined) return []
        const sent = { ...good, query: { ...good.query, [field]: value } }
        return [{ name: `a wrong ${field}`, sent, code: /^400 INVALID_REQUEST$/, names: `/query/${field}` }]
      }),
    ]
    expect(await wrongWith(operation, cases)).toEqual([])
  })
})

describe('an id in the path that can be none', () => {
  const withIds = named.filter(([, { params }]) => params !== undefined)
  const IDS = ['nonsense', '0', '..', '%00', "' OR 1=1", 'a/b', 'ten_', '#', 'x'.repeat(500), '\u{1F600}']

  test.each(withIds)('%s', async (_, operation) => {
    const good = await goodRequest(operation)
    const cases = fieldsOf(operation.params).flatMap((field) =>
      inTurn(
        operation,
        IDS.map((id) => ({ ...good.params, [field]: id })).filter(
          (params) => operation.params?.safeParse(params).success === false,
        ),
      ).map((params) => ({
        name: JSON.stringify(params[field]),
        sent: { ...good, params },
        code: /^404 NOT_FOUND$/,
      })),
    )
    expect(cases.length).toBeGreaterThan(0)
    expect(await wrongWith(operation, cases)).toEqual([])
  })
})

describe('a mutation', () => {
  const mutations = named.filter(([, operation]) => changesThings(operation))

  test.each(mutations)('%s refuses an Idempotency-Key that is none', async (_, operation) => {
    const good = await goodRequest(operation)
    const cases = inTurn(operation, ['', ' ', 'two words', 'é', 'x'.repeat(129), 'a\tb']).map((key) => ({
      name: JSON.stringify(key),
      sent: { ...good, headers: { ...good.headers, 'idempotency-key': key } },
      code: /^400 INVALID_IDEMPOTENCY_KEY$/,
    }))
    expect(await wrongWith(operation, cases)).toEqual([])
  })

  const edits = mutations.filter(([, { versioned, method }]) => versioned && method === 'PATCH')
  test.each(edits)('%s refuses to edit what the caller has not read', async (_, operation) => {
    const good = await goodRequest(operation)
    const cases = [undefined, '*', '"0"', '"999"', 'nonsense'].map((match) => ({
      name: `If-Match ${match}`,
      sent: { ...good, headers: match === undefined ? {} : { 'if-match': match } },
      code: match === undefined ? /^428 REVISION_REQUIRED$/ : /^412 REVISION_OUTDATED$/,
    }))
    expect(await wrongWith(operation, cases)).toEqual([])
  })
})

test('none of that changed anything', async () => {
  expect(await rowsOf(api.table)).toEqual(before)
})

/** What is wrong with an answer to something that may be taken; one that refuses it has changed nothing. */
async function wrongWithTried(operation: Operation, sent: Sent): Promise<string[]> {
  const answer = await send(api, operation, sent)
  const changed = answer.status < 400 ? [] : [...(await table.changes()).values()]
  const own = changed.filter(({ before: was, after }) => !OWN_NOTES.has((after ?? was)?.['entity']))
  return [
    ...faultsOf(operation, answer),
    ...own.map((row) => `${outcome(answer)} changed ${JSON.stringify(row)}`),
  ]
}

test('whatever is put into one field of a body, the answer is a declared one and no fault', async () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('#', 'a#b', '%', '__proto__', 'constructor', '9'.repeat(400), 1e308, -0),
  )
  const operationOf = new Map(withBody.filter(([, { body }]) => fieldsOf(body).length > 0))
  const attempt = fc.constantFrom(...operationOf.keys()).chain((operationId) =>
    fc.record({
      operationId: fc.constant(operationId),
      field: fc.constantFrom(...fieldsOf(operationOf.get(operationId)?.body)),
      value: anything,
    }),
  )
  await fc.assert(
    fc.asyncProperty(attempt, async ({ operationId, field, value }) => {
      const operation = operationOf.get(operationId)
      if (operation === undefined) throw new Error('not here')
      const good = await goodRequest(operation)
      const sent = { ...good, body: { ...Object(good.body), [field]: value } }
      expect(await wrongWithTried(operation, sent)).toEqual([])
      await table.restore()
    }),
    walks(80),
  )
})

describe('an id in body or query that exists nowhere is answered as declared', () => {
  const ids = Object.entries(known).flatMap(([name, id]) => {
    const [, prefix] = /^([a-z]+_)[0-9A-Z]{26}$/.exec(String(id)) ?? []
    return prefix === undefined ? [] : [[name, `${prefix}${'0'.repeat(26)}`] as const]
  })
  const naming = named.flatMap(([operationId, operation]) => {
    const fields = [...fieldsOf(operation.body), ...fieldsOf(operation.query)]
    const nowhere = ids.filter(([name]) => fields.includes(name))
    return nowhere.length > 0 ? [[operationId, operation, nowhere] as const] : []
  })

  test.each(naming)('%s', async (_, operation, nowhere) => {
    const role = someRole(operation) ?? 'vendor:admin'
    const token = tokens.get(role) ?? (await api.token(role))
    for (const [name, id] of nowhere) {
      const sent = requestFor(operation, { ...known, scopes: [operation.operationId], [name]: id }, [name])
      expect(await wrongWithTried(operation, { ...sent, token }), name).toEqual([])
      await table.restore()
    }
  })
})
