import type { Product } from '../../shared/domain/catalog.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import type { Table } from '../../shared/store/transact.ts'
import { productNamed } from '../product-named.ts'

/**
 * The product that is named, or the only one the tenant holds.
 *
 * @param field where it is named
 */
export async function findHeldProduct(
  table: Table,
  tenantId: TenantId,
  name: string | undefined,
  field: string,
): Promise<Product | Refusal> {
  const product = name === undefined ? await onlyProduct(table, tenantId) : await productNamed(table, name)
  if (product !== undefined) return product
  return refuse('INVALID_REQUEST', 'Say which product: more than one is held, or there is no such product.', {
    errors: [{ field, message: 'the code or id of a product' }],
  })
}

async function onlyProduct(table: Table, tenantId: TenantId): Promise<Product | undefined> {
  const [only, ...others] = await readAllHoldings(table, tenantId)
  return only && others.length === 0 ? readProduct(table, only.productId) : undefined
}
