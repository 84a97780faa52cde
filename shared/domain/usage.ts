import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import type { Period } from './period.ts'
import { Code } from './terms.ts'

const Count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const Signed = z.int().min(-Number.MAX_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER)

/** What a tenant has reported for one metric of one product. */
export const Usage = z.discriminatedUnion('kind', [
  /** How many there are; `at` is when that was true. */
  z.strictObject({ kind: z.literal('gauge'), metric: Code, value: Count, at: Instant }),
  /** How many were consumed; `at` is when the last of them were. */
  z.strictObject({
    kind: z.literal('counter'),
    metric: Code,
    /** The net: what was added, and corrections. Of a metric of high rate with what its shards have in hand. */
    value: Count,
    at: Instant,
    /** The period it counts; absent where it counts for good. */
    from: Instant.optional(),
    until: Instant.optional(),
    /** How much of it was used in periods that were closed when it was reported. */
    late: Count.optional(),
    /** The sum of the corrections. */
    corrected: Signed.optional(),
  }),
])
export type Usage = z.infer<typeof Usage>
export type CounterUsage = Extract<Usage, { kind: 'counter' }>

/** What is known of a metric: of a counter with an allowance, in a period; for good otherwise, and of a gauge always. */
export function rowOf(
  usage: readonly Usage[],
  metric: string,
  period: Period | undefined,
): Usage | undefined {
  return usage.find((one) => one.metric === metric && (one.kind === 'gauge' || one.from === period?.from))
}
