import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { fieldErrors, REFUSALS, refuse } from '../../shared/domain/refusal.ts'
import { Problem } from '../../shared/platform/http/problem.ts'
import { problem } from '../../shared/platform/http/respond.ts'

const RefusalCode = z.enum(Object.keys(REFUSALS))
const codes = Object.keys(REFUSALS).filter((code): code is keyof typeof REFUSALS => code in REFUSALS)

describe('the problem document', () => {
  test.each(codes)('of %s is one of RFC 9457 with our members', (code) => {
    const { statusCode, headers, body } = problem(refuse(code, 'What happened.'), 'request-1')
    const document = Problem.parse(JSON.parse(body))
    expect(document).toEqual({
      type: `urn:latchkey:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      title: REFUSALS[code].title,
      status: REFUSALS[code].status,
      detail: 'What happened.',
      code,
      next: REFUSALS[code].next,
      requestId: 'request-1',
    })
    expect(statusCode).toBe(REFUSALS[code].status)
    expect(headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(statusCode === 401 && { 'www-authenticate': 'Bearer, License' }),
    })
  })

  test('has the wrong fields and the time to wait where a refusal has them', () => {
    const errors = [{ field: '/body/name', message: 'is too long' }]
    const { headers, body } = problem(refuse('RATE_LIMITED', 'Slowly.', { errors, retryAfter: 0 }), 'r')
    expect(Problem.parse(JSON.parse(body)).errors).toEqual(errors)
    expect(headers['retry-after']).toBe('0')
  })

  test('has no other members', () => {
    const document = JSON.parse(problem(refuse('FAULT', 'No.'), 'r').body)
    expect(Problem.safeParse({ ...document, stack: 'at handler' }).success).toBe(false)
    expect(Problem.safeParse({ ...document, code: 'UNHEARD_OF' }).success).toBe(false)
  })
})

describe('the table of refusals', () => {
  test('has codes for machines, sentences for people, and errors of HTTP', () => {
    for (const code of codes) {
      expect(RefusalCode.parse(code)).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      const { status, title, next } = REFUSALS[code]
      expect(status, code).toBeGreaterThanOrEqual(400)
      expect(status, code).toBeLessThan(600)
      expect(title, code).toMatch(/^[A-Z][^.]+$/)
      expect(next, code).toMatch(/^[A-Z].+\.$/)
    }
  })
})

describe('a field that is wrong', () => {
  test('is named by a JSON pointer (RFC 6901), its odd characters escaped', () => {
    const schema = z.strictObject({ list: z.array(z.strictObject({ 'a/b~c': z.string() })) })
    const { error } = schema.safeParse({ list: [{ 'a/b~c': 'x' }, { 'a/b~c': 1 }] })
    expect(error && fieldErrors(error, '/body').map(({ field }) => field)).toEqual(['/body/list/1/a~1b~0c'])
  })

  test('is said to be missing, or not known, of itself', () => {
    const schema = z.strictObject({ lamp: z.strictObject({ name: z.string() }) })
    const { error } = schema.safeParse({ lamp: { watts: 5, volts: 1 } })
    expect(error && fieldErrors(error, '/body')).toEqual([
      { field: '/body/lamp/name', message: 'is missing' },
      { field: '/body/lamp/watts', message: 'is not known here' },
      { field: '/body/lamp/volts', message: 'is not known here' },
    ])
    const many = schema.safeParse({
      lamp: { name: 'x' },
      ...Object.fromEntries(codes.map((one) => [one, 1])),
    })
    expect(many.error && fieldErrors(many.error, '/body').map(({ field }) => field)).toEqual(['/body'])
  })
})
