import * as z from 'zod'
import { PoolShortage } from '../../domain/pool-shortage.ts'
import { REFUSALS } from '../../domain/refusal.ts'
import { SCIM_ERROR, SCIM_TYPES } from './scim.ts'

/**
 * A problem document (RFC 9457), with our members `code`, `next`, `requestId`, `errors` and `pool`. Apart from the code
 * that makes one, which needs no more than its type: the functions do not load it.
 */
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

/** The body of an error on routes that speak SCIM (RFC 7644, section 3.12). */
export const ScimError = z.strictObject({
  schemas: z.array(z.literal(SCIM_ERROR)),
  status: z.string(),
  scimType: z.enum(SCIM_TYPES).optional(),
  detail: z.string(),
})
