import { createHash } from 'node:crypto'

/**
 * Every key of the table is built in this folder, from branded ids. `#` separates the parts, so no part may contain one. The
 * access patterns behind them are listed in ../README.md.
 */
export type Key = { pk: string; sk: string }

export function part(text: string): string {
  if (text.includes('#')) throw new RangeError(`a key part must not contain '#': ${text}`)
  return text
}

export const key = (pk: readonly string[], sk: readonly string[]): Key => ({
  pk: pk.map(part).join('#'),
  sk: sk.map(part).join('#'),
})

/** What a text may have of the bytes that AWS allows a partition key, 2,048, and a sort key, 1,024. */
const LONGEST = { pk: 2_000, sk: 900 } as const

/** A text that somebody chose, as a part of a key; in the place of one that is too long stands its hash. */
export function textPart(text: string, of: keyof typeof LONGEST): string {
  const encoded = encodeURIComponent(text)
  // No text is encoded with the sign.
  return encoded.length <= LONGEST[of] ? encoded : `=${createHash('sha256').update(text).digest('base64url')}`
}
