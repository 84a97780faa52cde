import * as z from 'zod'
import { ProductId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'
import { Code } from './terms.ts'

/** A correction of a counter, as its own record: what was reported stays, and what is counted changes. */
export const Correction = z
  .strictObject({
    /** The caller's own id of it, or that of the request. */
    id: z.string(),
    productId: ProductId,
    metric: Code,
    /** What is added; taken away, if it is negative. */
    adjust: z.int().min(-1_000_000_000_000).max(1_000_000_000_000),
    reason: z.string(),
    /** When the use was that it corrects. */
    at: Instant,
    /** The period it counts in; absent where the counter counts for good. */
    period: z.strictObject({ from: Instant, until: Instant }).optional(),
    /** Its own period was closed, so it counts in the one of the day it was made. */
    late: z.boolean(),
    madeAt: Instant,
    madeBy: z.string(),
  })
  .meta({ id: 'UsageCorrection' })
export type Correction = z.infer<typeof Correction>
