import type { Product } from '../shared/domain/catalog.ts'
import { readProduct } from '../shared/store/catalog.ts'
import type { Table } from '../shared/store/transact.ts'
import { productIdOf } from './asked-product.ts'

/** A product by its code or id. */
export async function productNamed(table: Table, name: string): Promise<Product | undefined> {
  const id = await productIdOf(table, name)
  return id && readProduct(table, id)
}
