import { parseLicenseKey } from '../../domain/license-key.ts'
import type { LicenseId, ProductId, TenantId } from '../ids.ts'
import { Remembered } from '../remembered.ts'

type Address = { tenantId: TenantId; productId: ProductId; licenseId: LicenseId }

/** A key that leads to a license. Whether it still is that license's key, the license itself tells: its `keyHash`. */
export type LocatedKey = Address & { readonly hash: string }

export type KeyLocator = {
  /** Known to this function from before: costs nothing. */
  remembered(text: string): LocatedKey | undefined
  /** `malformed` costs no read. */
  locate(text: string): Promise<LocatedKey | 'malformed' | 'unknown'>
}

/** Finds the license of a key. Its address never changes, so a warm function remembers it. */
export function keyLocator(
  hashOf: (key: string) => string,
  find: (hash: string) => Promise<Address | undefined>,
): KeyLocator {
  const known = new Remembered<string, LocatedKey>(50_000)
  return {
    remembered: (text) => known.get(text),
    async locate(text) {
      const before = known.get(text)
      if (before !== undefined) return before
      const key = parseLicenseKey(text)
      if (key === undefined) return 'malformed'
      const hash = hashOf(key)
      const address = await find(hash)
      if (address === undefined) return 'unknown'
      const located = { ...address, hash }
      known.set(text, located)
      return located
    },
  }
}
