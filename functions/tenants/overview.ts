import { standings } from '../../shared/domain/holdings.ts'
import { refuse } from '../../shared/domain/refusal.ts'
import { tenantOverview } from '../../shared/domain/tenant-overview.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { readProduct } from '../../shared/store/catalog.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readAssigned } from '../../shared/store/seat-pool.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import type { VerifyingServices } from '../verified.ts'
import type { tenantsRoutes } from './routes.ts'

export const getOverview: Handler<(typeof tenantsRoutes)['getOverview'], VerifyingServices> = async (
  call,
  { table, verifier },
) => {
  const { tenantId } = call.params
  const [tenant, held] = await Promise.all([readTenant(table, tenantId), readAllHoldings(table, tenantId)])
  if (tenant === undefined) return refuse('NOT_FOUND', 'There is no such resource.')
  const products = await Promise.all(
    held.map(async (holdings) => {
      const product = await readProduct(table, holdings.productId)
      return (
        product && {
          product,
          holdings,
          seats: await readAssigned(table, tenantId, product),
          standings: [...standings(holdings, call.now, verifier.isGenuine).values()],
        }
      )
    }),
  )
  return tenantOverview(
    products.filter((one) => one !== undefined),
    call.now,
  )
}
