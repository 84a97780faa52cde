import { explainCapacity, explainFeature } from '../../shared/domain/explain.ts'
import { explainLicense } from '../../shared/domain/explain-license.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Call, Handler } from '../../shared/platform/http/contract.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import type { Table } from '../../shared/store/transact.ts'
import type { VerifyingServices } from '../verified.ts'
import { findHeldProduct } from './product.ts'
import type { featuresRoutes } from './routes.ts'

type ExplainRoute = (typeof featuresRoutes)['explain']
type Asked = Pick<Call<ExplainRoute>, 'caller' | 'body'>

const missing = refuse('NOT_FOUND', 'There is no such resource.')

/** Answers from the same holdings and the same rules as validation, so that the two cannot disagree. */
export const explain: Handler<ExplainRoute, VerifyingServices> = async (call, { table, verifier }) => {
  const place = await findPlace(call, table)
  if (isRefusal(place)) return place
  const holdings = await readHoldings(table, place.tenantId, place.productId)
  const all = standings(holdings, call.now, verifier.isGenuine)
  const { licenseId, feature, metric, units } = call.body
  const list = [...all.values()]
  if (feature !== undefined) return explainFeature(holdings, list, feature)
  if (metric !== undefined) return explainCapacity(holdings, list, metric, units)
  const standing = licenseId && all.get(licenseId)
  return standing ? explainLicense(standing) : missing
}

/** Whose holdings of which product the question is about; what the caller may not know of is not there. */
async function findPlace(
  { caller, body }: Asked,
  table: Table,
): Promise<{ tenantId: TenantId; productId: ProductId } | Refusal> {
  const own = 'tenantId' in caller ? caller.tenantId : undefined
  const tenantId = own ?? body.tenantId
  if (tenantId === undefined) {
    return refuse('INVALID_REQUEST', 'Name the tenant.', {
      errors: [{ field: '/body/tenantId', message: 'is required of vendor staff' }],
    })
  }
  if (own !== undefined && body.tenantId !== undefined && body.tenantId !== own) return missing
  const ownProduct = caller.kind === 'license' ? caller.productId : undefined
  if (body.licenseId !== undefined) {
    const address = await findLicense(table, body.licenseId)
    const isForeign =
      address?.tenantId !== tenantId || (ownProduct !== undefined && address.productId !== ownProduct)
    return address === undefined || isForeign ? missing : address
  }
  const product = await findHeldProduct(table, tenantId, ownProduct ?? body.product)
  if (product !== undefined) return { tenantId, productId: product.id }
  return refuse('INVALID_REQUEST', 'Say which product: more than one is held, or there is no such product.', {
    errors: [{ field: '/body/product', message: 'the code or id of a product' }],
  })
}
