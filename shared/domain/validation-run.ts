import * as z from 'zod'
import { Instant } from '../platform/time.ts'

/** What came of one validation of a tenant's licenses. */
export const ValidationRun = z.strictObject({
  at: Instant,
  checked: z.int().min(0),
  /** Licenses that are not as they were seen before. */
  changed: z.int().min(0),
  /** What could not be validated, and is named in `failed` as far as that is long enough. */
  errors: z.int().min(0),
  failed: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
})
export type ValidationRun = z.infer<typeof ValidationRun>
