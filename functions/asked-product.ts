import type { Caller } from '../shared/domain/access.ts'
import { type Refusal, refuse } from '../shared/domain/refusal.ts'
import { ProductId, type TenantId } from '../shared/platform/ids.ts'
import { findProduct } from '../shared/store/address.ts'
import type { Table } from '../shared/store/transact.ts'

/** Whose pools of which product a request is about. */
export type AskedProduct = { readonly tenantId: TenantId; readonly productId: ProductId }

/**
 * The tenant is the caller's own; the product is that of its license, or the one it names.
 *
 * @param find `productIdOf`, or a memory of it
 */
export async function askedProduct(
  caller: Caller,
  name: string | undefined,
  find: (name: string) => Promise<ProductId | undefined>,
): Promise<AskedProduct | Refusal> {
  if (caller.kind !== 'license' && caller.kind !== 'tenant')
    return refuse('FORBIDDEN', 'This is for a tenant’s own applications and people.')
  const { tenantId } = caller
  const own = caller.kind === 'license' ? caller.productId : undefined
  if (name === undefined) {
    if (own !== undefined) return { tenantId, productId: own }
    return refuse('INVALID_REQUEST', 'Name the product.', {
      errors: [{ field: '/body/product', message: 'is required with a token' }],
    })
  }
  const productId = await find(name)
  if (productId !== undefined && (own === undefined || own === productId)) return { tenantId, productId }
  return refuse('NOT_FOUND', 'There is no such product here.')
}

/** Requests name a product by its code or its id. An id is not looked up: whether there is such a product is not asked. */
export async function productIdOf(table: Table, name: string): Promise<ProductId | undefined> {
  const id = ProductId.safeParse(name)
  return id.success ? id.data : findProduct(table, name)
}
