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
