import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { refuse } from '../../shared/domain/refusal.ts'
import { failureGuard } from '../../shared/platform/auth/failures.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { createLog, type LogLevel } from '../../shared/platform/log.ts'
import { fakePorts, NOW, send, smallService } from './small-service.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** What was handed to the console. Lambda, and the local stack, write each object as one line of JSON. */
let written: { level: LogLevel; entry: unknown }[]

beforeEach(() => {
  written = []
  for (const level of LEVELS)
    vi.spyOn(console, level).mockImplementation((...entries: unknown[]) => {
      for (const entry of entries) written.push({ level, entry })
    })
})
afterEach(() => vi.restoreAllMocks())

/** Everything a line may hold; whoever adds to it says why no secret can get in there. */
const ALLOWED = [
  'level',
  'message',
  'requestId',
  'operationId',
  'status',
  'code',
  'milliseconds',
  'callerKind',
  'subject',
  'tenantId',
  'job',
  'counts',
  'cause',
]

describe('what a request leaves in the log', () => {
  // Each place of a request that could hold a secret holds one of its own.
  const SECRETS = {
    token: 'lk_prod_01JTOKEN_hunter2hunter2',
    cookie: 'session-4711',
    header: 'x-header-4712',
    query: 'query-4713',
    path: 'path-4714',
    body: 'body-4715',
    idempotency: 'idempotency-4716',
    address: '203.0.113.7',
    answer: 'answer-4717',
  }

  const routes = {
    tellSecret: {
      method: 'POST',
      path: '/secrets/{name}',
      access: ['vendor:admin'],
      params: z.strictObject({ name: z.string() }),
      query: z.strictObject({ hint: z.string() }),
      body: z.strictObject({ password: z.string() }),
      success: { status: 200, body: z.strictObject({ told: z.string() }) },
      errors: [],
      summary: 'Tell a secret',
    },
  } as const satisfies RouteTable

  const sent = {
    path: `/secrets/${SECRETS.path}`,
    pathParameters: { name: SECRETS.path },
    query: { hint: SECRETS.query },
    headers: {
      authorization: `Bearer ${SECRETS.token}`,
      cookie: SECRETS.cookie,
      'x-forwarded-for': SECRETS.header,
      'idempotency-key': SECRETS.idempotency,
    },
    body: JSON.stringify({ password: SECRETS.body }),
  }

  type Tell = () => Promise<{ told: string }>
  const leak = { told: 'yes', alsoTold: SECRETS.answer }
  const endings: Record<string, { tell?: Tell; ports?: Partial<Ports>; body?: string }> = {
    'a success': { tell: async () => ({ told: SECRETS.answer }) },
    'a fault': { tell: () => Promise.reject(new Error('out of order')) },
    'an answer that is not as declared': { tell: async () => leak },
    'an answer of the wrong type': { tell: async () => JSON.parse(`{"told":["${SECRETS.answer}"]}`) },
    'a body that is not JSON': { body: `{"password":${SECRETS.body}` },
    'a body with an unknown field': { body: JSON.stringify({ [SECRETS.body]: SECRETS.body }) },
    'a bad credential': { ports: { authenticate: async () => refuse('UNAUTHENTICATED', 'Unknown.') } },
    'a refusal that names what was sent': {
      ports: { rateLimit: async () => refuse('RATE_LIMITED', `Not ${SECRETS.body} again.`) },
    },
  }

  test.each(Object.entries(endings))(
    '%s: only the fields of the list, and no secret',
    async (_, { tell, ports, body }) => {
      const handler = smallService(
        routes,
        { tellSecret: tell ?? (async () => ({ told: 'nothing' })) },
        { ...fakePorts(), log: createLog('debug'), ...ports },
      )
      await send(handler, 'POST /secrets/{name}', { ...sent, ...(body && { body }) })
      expect(written).toHaveLength(1)
      for (const { entry } of written) {
        const line = JSON.stringify(entry)
        for (const [place, secret] of Object.entries(SECRETS)) expect(line, place).not.toContain(secret)
        const fields = Object.keys(z.record(z.string(), z.unknown()).parse(entry))
        expect(fields.filter((field) => !ALLOWED.includes(field))).toEqual([])
      }
    },
  )
})

test('a failed attempt leaves no address and no credential', async () => {
  const guard = failureGuard(async () => 1)
  await guard.failed({ address: '203.0.113.7' }, 'unknown', NOW)
  expect(written).toEqual([])
})

describe('a line', () => {
  const fields = { requestId: 'request-1' }

  test.each(LEVELS)('of level %s is written from that level on', (level) => {
    for (const least of LEVELS) createLog(least)(level, `least ${least}`, fields)
    expect(written).toEqual(
      LEVELS.slice(0, LEVELS.indexOf(level) + 1).map((least) => ({
        level,
        entry: { level, message: `least ${least}`, ...fields },
      })),
    )
  })

  test('is one object with the chain of causes as text', () => {
    const cause = new Error('first', { cause: new TypeError('second', { cause: 'a string' }) })
    createLog('debug')('error', 'fault', fields, cause)
    expect(written).toHaveLength(1)
    const { cause: told } = z.object({ cause: z.string() }).parse(written[0]?.entry)
    expect(told).toMatch(/^Error: first\n[\s\S]*\ncaused by TypeError: second\n[\s\S]*\ncaused by a string$/)
  })
})
