import * as z from 'zod'
import { Instant } from '../platform/time.ts'
import { Code } from './catalog.ts'

const Count = z.int().min(0).max(Number.MAX_SAFE_INTEGER)

/** What a tenant has reported for one metric of one product. */
export const Usage = z.discriminatedUnion('kind', [
  /** How many there are; `at` is when that was true. */
  z.strictObject({ kind: z.literal('gauge'), metric: Code, value: Count, at: Instant }),
  /** How many were consumed in all; `at` is when the last report came in. */
  z.strictObject({ kind: z.literal('counter'), metric: Code, value: Count, at: Instant }),
])
export type Usage = z.infer<typeof Usage>

/** The reported amount of a metric; nothing reported is 0. */
export function usedOf(usage: readonly Usage[], metric: string): number {
  return usage.find((one) => one.metric === metric)?.value ?? 0
}
