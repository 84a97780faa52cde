import type { Product } from '../../shared/domain/catalog.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import type { Table } from '../../shared/store/transact.ts'
import { productNamed } from '../product-named.ts'

/** The product that is named, or the only one the tenant holds. */
export async function findHeldProduct(
  table: Table,
  tenantId: TenantId,
  name: string | undefined,
): Promise<Product | undefined> {
  if (name === undefined) {
    const [only, ...others] = await readAllHoldings(table, tenantId)
    return only && others.length === 0 ? readProduct(table, only.productId) : undefined
  }
  return productNamed(table, name)
}
