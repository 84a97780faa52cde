import * as z from 'zod'
import { ProductId } from '../platform/ids.ts'
import { Instant } from '../platform/time.ts'

/** Semantic Versioning 2.0.0; that it is one, the catalog's rules check. */
export const Version = z.string().min(5).max(100)

export const Channel = z.enum(['stable', 'beta', 'alpha', 'dev'])

export const ReleaseDraft = z.strictObject({
  version: Version,
  channel: Channel.default('stable'),
  /** When it came out; what maintenance covers is decided by this date, never by one the client names. */
  releasedAt: Instant.optional(),
})

/** A release of a product. */
export const Release = z
  .strictObject({
    productId: ProductId,
    version: Version,
    channel: Channel,
    releasedAt: Instant,
    /** It should not be used any more; who has it keeps running. */
    withdrawnAt: Instant.optional(),
  })
  .meta({ id: 'Release' })
export type Release = z.infer<typeof Release>
