import { notFound } from '../../shared/domain/refusal.ts'
import { tenantOverview } from '../../shared/domain/tenant-overview.ts'
import type { Handler } from '../../shared/platform/http/contract.ts'
import { readAllHoldings } from '../../shared/store/holdings.ts'
import { readTenant } from '../../shared/store/tenant.ts'
import { heldProducts } from '../held-products.ts'
import type { VerifyingServices } from '../verified.ts'
import type { tenantsRoutes } from './routes.ts'

export const getOverview: Handler<(typeof tenantsRoutes)['getOverview'], VerifyingServices> = async (
  call,
  services,
) => {
  const { table } = services
  const { tenantId } = call.params
  const [tenant, held] = await Promise.all([readTenant(table, tenantId), readAllHoldings(table, tenantId)])
  if (tenant === undefined) return notFound
  return tenantOverview(await heldProducts(held, services, call.now), call.now)
}
