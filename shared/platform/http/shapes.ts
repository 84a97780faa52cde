import * as z from 'zod'

/** Digits as JSON has them: a number is written in one way, and what merely can be read as one is not taken. */
const DIGITS = /^(0|[1-9]\d{0,15})$/
const SIGNED = /^(0|-?[1-9]\d{0,15})$/

/** A whole number in a query string. */
export const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(min < 0 ? SIGNED : DIGITS, {
      error: `Invalid input: expected a whole number in decimal digits, from ${min} to ${max}`,
    })
    .transform(Number)
    .pipe(z.int().min(min).max(max))

/** The query of every list. */
export const PageQuery = z.strictObject({
  limit: wholeNumber(1, 100).default(50),
  cursor: z.string().max(2000).optional(),
})

/** The body of every list. It ends where `nextCursor` is absent: a page with a filter may hold few, and have others behind it. */
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
