import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { refuse } from '../../shared/domain/refusal.ts'
import { failureGuard } from '../../shared/platform/auth/failures.ts'
import type { RouteTable } from '../../shared/platform/http/contract.ts'
import type { Ports } from '../../shared/platform/http/exchange.ts'
import { createLog, type LogLevel } from '../../shared/platform/log.ts'
import { fakePorts, NOW, send, smallService } from './small-service.ts'

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

let written: { level: LogLevel; line: string }[]

beforeEach(() => {
  written = []
  for (const level of LEVELS)
    vi.spyOn(console, level).mockImplementation((line) => written.push({ level, line: JSON.stringify(line) }))
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
      for (const { line } of written) {
        for (const [place, secret] of Object.entries(SECRETS)) expect(line, place).not.toContain(secret)
        const fields = Object.keys(z.record(z.string(), z.unknown()).parse(JSON.parse(line)))
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
    const messages = written.map(({ line }) => JSON.parse(line).message)
    expect(messages).toEqual(LEVELS.slice(0, LEVELS.indexOf(level) + 1).map((least) => `least ${least}`))
    expect(written.every((one) => one.level === level)).toBe(true)
  })

  test('is one line of JSON, whatever the cause says', () => {
    const cause = new Error('first\nline', { cause: new TypeError('second\nline', { cause: 'a string' }) })
    createLog('debug')('error', 'fault', fields, cause)
    expect(written).toHaveLength(1)
    expect(written[0]?.line).not.toContain('\n')
    const told: string = JSON.parse(written[0]?.line ?? '').cause
    expect(told).toMatch(
      /Error: first\nline[\s\S]*caused by TypeError: second\nline[\s\S]*caused by a string$/,
    )
  })

  test('keeps a caller from writing lines of their own', () => {
    createLog('debug')('info', 'request', { ...fields, subject: 'x"}\n{"level":"error"' })
    expect(written[0]?.line.split('\n')).toHaveLength(1)
  })
})
