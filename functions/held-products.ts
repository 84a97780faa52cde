import { type Holdings, standings } from '../shared/domain/holdings.ts'
import type { HeldProduct } from '../shared/domain/tenant-overview.ts'
import type { Instant } from '../shared/platform/time.ts'
import { readProduct } from '../shared/store/catalog.ts'
import { readGivenOut } from '../shared/store/given-out.ts'
import type { VerifyingServices } from './verified.ts'

/**
 * What a tenant holds, beside the products and what was given out of them: what its first page shows, and whoever
 * watches the same figures.
 */
export async function heldProducts(
  held: readonly Holdings[],
  { table, verifier }: Pick<VerifyingServices, 'table' | 'verifier'>,
  now: Instant,
): Promise<HeldProduct[]> {
  const products = await Promise.all(
    held.map(async (holdings) => {
      const product = await readProduct(table, holdings.productId)
      return (
        product && {
          product,
          holdings,
          givenOut: await readGivenOut(table, holdings.tenantId, product.id, now),
          standings: [...standings(holdings, now, verifier.isGenuine).values()],
        }
      )
    }),
  )
  return products.filter((one) => one !== undefined)
}
