import type { Product } from '../../shared/domain/catalog.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { ProductId } from '../../shared/platform/ids.ts'
import type { Table } from '../../shared/store/transact.ts'
import { productNamed } from '../product-named.ts'

/** A module with seats, and where those are counted. */
export type SeatPlace = {
  readonly product: Product
  readonly productId: ProductId
  readonly module: string
  readonly metric: string
}

/** The module that is named by its product (id or code) and its code. */
export async function findSeatPlace(
  table: Table,
  product: string | undefined,
  module: string | undefined,
): Promise<SeatPlace | Refusal> {
  if (product === undefined || module === undefined)
    return refuse('INVALID_REQUEST', 'Name the product and its module.', {
      errors: [
        { field: product === undefined ? '/query/product' : '/query/module', message: 'is required here' },
      ],
    })
  const found = await productNamed(table, product)
  const metric = found?.modules.find(({ code }) => code === module)?.seat?.metric
  return found === undefined || metric === undefined
    ? refuse('NOT_FOUND', 'There is no such module with seats here.')
    : { product: found, productId: found.id, module, metric }
}
