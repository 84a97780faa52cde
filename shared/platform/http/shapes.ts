import * as z from 'zod'

/** The query of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().pipe(z.int().min(1).max(100)).default(50),
  cursor: z.string().max(2000).optional(),
})

/** The body of every list. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.strictObject({ items: z.array(item), nextCursor: z.string().optional() })

/**
 * The reply of an operation whose answer is no JSON: its media type and its content, as text, or as base64 where the type
 * is `application/octet-stream`. `next` is the path of the next page, for a Link header (RFC 8288).
 */
export const rawBody = <const Type extends string>(...types: readonly [Type, ...Type[]]) =>
  z.strictObject({ type: z.enum(types), content: z.string(), next: z.string().optional() })

/** A boolean in a query string. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true')

export const Reason = z.string().trim().min(1).max(500)
