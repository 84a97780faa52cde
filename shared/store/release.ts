import { Release } from '../domain/release.ts'
import type { ProductId } from '../platform/ids.ts'
import { entity, type Item } from './codec.ts'
import { productKey, RELEASE_PREFIX, releaseKey } from './keys.ts'
import { readItem, readRange } from './read.ts'
import type { Table } from './transact.ts'

export const releaseEntity = entity('release', 1, Release)

export const releaseItem = (release: Release): Item =>
  releaseEntity.encode(releaseKey(release.productId, release.version), release)

export async function readRelease(
  table: Table,
  productId: ProductId,
  version: string,
): Promise<Release | undefined> {
  const item = await readItem(table, releaseKey(productId, version))
  return item && releaseEntity.decode(item)
}

/** All releases of a product; they lie beside it. */
export async function readReleases(table: Table, productId: ProductId): Promise<Release[]> {
  const items = await readRange(table, { pk: productKey(productId).pk, prefix: RELEASE_PREFIX })
  return items.map(releaseEntity.decode)
}
