import * as z from 'zod'
import { PoolShortage } from '../../domain/pool-shortage.ts'
import { REFUSALS, type Refusal } from '../../domain/refusal.ts'
import type { HttpResult } from './event.ts'

/** A problem document (RFC 9457), with our members `code`, `next`, `requestId`, `errors` and `pool`. */
export const Problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  /** Stable; branch on this. */
  code: z.enum(Object.keys(REFUSALS)),
  /** What to do now. */
  next: z.string(),
  requestId: z.string(),
  errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  pool: PoolShortage.optional(),
  /** OFREP's own members, on its operations. */
  errorCode: z.string().optional(),
  key: z.string().optional(),
})

export function problem(refusal: Refusal, requestId: string): HttpResult {
  const { status, title, next } = REFUSALS[refusal.refused]
  const document: z.infer<typeof Problem> = {
    type: `urn:latchkey:problem:${refusal.refused.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.refused,
    next,
    requestId,
    ...(refusal.errors && { errors: [...refusal.errors] }),
    ...(refusal.pool && { pool: refusal.pool }),
    ...refusal.members,
  }
  return {
    statusCode: status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(refusal.retryAfter !== undefined && { 'retry-after': String(refusal.retryAfter) }),
      ...(status === 401 && { 'www-authenticate': 'Bearer, License' }),
    },
    body: JSON.stringify(document),
  }
}
