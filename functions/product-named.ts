import type { Product } from '../shared/domain/catalog.ts'
import { ProductId } from '../shared/platform/ids.ts'
import { findProduct } from '../shared/store/address.ts'
import { readProduct } from '../shared/store/catalog.ts'
import type { Table } from '../shared/store/transact.ts'

/** A product by its code or id. */
export async function productNamed(table: Table, name: string): Promise<Product | undefined> {
  const id = ProductId.safeParse(name)
  const productId = id.success ? id.data : await findProduct(table, name)
  return productId && readProduct(table, productId)
}
