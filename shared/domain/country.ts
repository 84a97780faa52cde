import * as z from 'zod'
import { Duration } from '../platform/time.ts'

export const Country = z.string().regex(/^[A-Z]{2}$/, 'ISO 3166-1 alpha-2, such as DE')

/** How much is to be given on what is known of a country, from the least to the most. */
export const CONFIDENCES = ['low', 'medium', 'high'] as const
export const Confidence = z.enum(CONFIDENCES)
export type Confidence = z.infer<typeof Confidence>

/** Positive where the first is more than the second. */
export const compareConfidence = (first: Confidence, second: Confidence): number =>
  CONFIDENCES.indexOf(first) - CONFIDENCES.indexOf(second)

/** Where a license may be used. Every field may be absent; what is meant then is said in place.ts. */
export const Countries = z.strictObject({
  allow: z.array(Country).max(250).optional(),
  deny: z.array(Country).max(250).optional(),
  /**
   * What is known has to be of this confidence for a country outside to be refused, or to use up travel; of less it is
   * only noted and warned of. `medium` unless said otherwise; `low` refuses whatever looks outside.
   */
  minimumConfidence: Confidence.optional(),
  /** What becomes of a request of which no country is known. It is refused unless said otherwise. */
  unknown: z.enum(['allow', 'refuse']).optional(),
  /** `ignore`: what callers say of their country counts for nothing, only what the network shows. */
  declared: z.enum(['count', 'ignore']).optional(),
  /** So many days within any such window, on the calendar of the tenant's zone, count as inside wherever they are. */
  travel: z
    .strictObject({
      days: z.int().min(1).max(366),
      window: Duration.refine((text) => !text.includes('T'), 'whole days, weeks, months or years'),
    })
    .optional(),
})
export type Countries = z.infer<typeof Countries>
