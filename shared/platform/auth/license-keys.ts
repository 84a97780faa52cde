import type { LicenseAddress } from '../../domain/license.ts'
import { parseLicenseKey } from '../../domain/license-key.ts'
import { Remembered } from '../remembered.ts'

/** A key that leads to a license. Whether it still is that license's key, the license itself tells: its `keyHash`. */
export type LocatedKey = LicenseAddress & { readonly keyHash: string }

export type KeyLocator = {
  /** Known to this function from before: costs nothing. */
  remembered(text: string): LocatedKey | undefined
  /** `malformed` costs no read. */
  locate(text: string): Promise<LocatedKey | 'malformed' | 'unknown'>
}

/** Finds the license of a key. Its address never changes, so a warm function remembers it. */
export function keyLocator(
  hashOf: (key: string) => string,
  find: (keyHash: string) => Promise<LicenseAddress | undefined>,
): KeyLocator {
  const known = new Remembered<string, LocatedKey>(50_000)
  return {
    remembered: (text) => known.get(text),
    async locate(text) {
      const before = known.get(text)
      if (before !== undefined) return before
      const key = parseLicenseKey(text)
      if (key === undefined) return 'malformed'
      const keyHash = hashOf(key)
      const address = await find(keyHash)
      if (address === undefined) return 'unknown'
      const located = { ...address, keyHash }
      known.set(text, located)
      return located
    },
  }
}
