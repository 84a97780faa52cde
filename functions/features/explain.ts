import { explainFeature } from '../../shared/domain/explain.ts'
import { explainRefused } from '../../shared/domain/explain-license.ts'
import { type Explanation, toldTo } from '../../shared/domain/explanation.ts'
import { standings } from '../../shared/domain/holdings.ts'
import { refuseOwn } from '../../shared/domain/own-license.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Call, Handler } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { findLicense } from '../../shared/store/address.ts'
import { readHoldings } from '../../shared/store/holdings.ts'
import type { AskedProduct } from '../asked-product.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { openLeaseId, openTicketId } from '../sealed-id.ts'
import { aboutLease, aboutTicket } from './explain-lease.ts'
import { aboutLicense } from './explain-license.ts'
import { aboutActivation, aboutMachine } from './explain-machine.ts'
import { aboutMetric } from './explain-metric.ts'
import { type ExplainServices, licenseOf } from './explain-sight.ts'
import { aboutUser } from './explain-user.ts'
import { findHeldProduct } from './product.ts'
import type { featuresRoutes } from './routes.ts'

type ExplainRoute = (typeof featuresRoutes)['explain']
type ExplainCall = Call<ExplainRoute>

/** Answers from the same rows and by the same rules as the operations, so that the two cannot disagree. */
export const explain: Handler<ExplainRoute, ExplainServices> = async (call, services) => {
  const explained = await explainAny(call, services)
  const own = licenseOf(call.caller)
  return own === undefined || isRefusal(explained) ? explained : toldTo(own, explained)
}

async function explainAny(call: ExplainCall, services: ExplainServices): Promise<Explanation | Refusal> {
  const tenantId = tenantOf(call)
  if (isRefusal(tenantId)) return tenantId
  if (!(await isKnownTenant(services.table, call.caller, tenantId))) return notFound
  const { leaseId, ticketId, activationId, fingerprints, country } = call.body
  const asked = { ...call, country }
  const { leaseKey } = services.secrets
  if (leaseId !== undefined) {
    const lease = openLeaseId(leaseId, leaseKey)
    return isKnown(call, tenantId, lease) ? aboutLease(call, lease, services) : notFound
  }
  if (ticketId !== undefined) {
    const ticket = openTicketId(ticketId, leaseKey)
    return isKnown(call, tenantId, ticket) ? aboutTicket(call, ticket, services) : notFound
  }
  if (activationId !== undefined)
    return aboutActivation(asked, tenantId, activationId, fingerprints, services)
  const place = await findPlace(call, tenantId, services)
  return isRefusal(place) ? place : aboutHeld(call, place, services)
}

/** What is asked of all that a tenant holds of a product. */
async function aboutHeld(
  call: ExplainCall,
  place: AskedProduct,
  services: ExplainServices,
): Promise<Explanation | Refusal> {
  const { licenseId, feature, metric, units, fingerprints, userId, email, organization, ...others } =
    call.body
  const { country, department } = others
  const asked = { ...call, country, department }
  if (fingerprints !== undefined) return aboutMachine(asked, place, fingerprints, services)
  if (userId !== undefined || email !== undefined || organization !== undefined)
    return aboutUser(asked, place, { userId, department, question: { email, organization } }, services)
  const holdings = await readHoldings(services.table, place.tenantId, place.productId)
  const all = standings(holdings, call.now, services.verifier.isGenuine)
  const list = [...all.values()]
  const asking = licenseOf(call.caller)
  const own = asking && all.get(asking)
  const refused = refuseOwn(all, asking)
  if (own && refused && licenseId === undefined) return explainRefused(list, own, refused)
  if (feature !== undefined) return explainFeature(holdings, list, feature)
  if (metric !== undefined) return aboutMetric(asked, holdings, list, metric, units, services)
  const standing = licenseId && all.get(licenseId)
  return standing ? aboutLicense(call, standing, services) : notFound
}

/** The caller's own tenant, or the one that vendor staff name. */
function tenantOf({ caller, body }: ExplainCall): TenantId | Refusal {
  const own = 'tenantId' in caller ? caller.tenantId : undefined
  const tenantId = own ?? body.tenantId
  if (tenantId === undefined) {
    return refuse('INVALID_REQUEST', 'Name the tenant.', {
      errors: [{ field: '/body/tenantId', message: 'is required of vendor staff' }],
    })
  }
  return body.tenantId === undefined || body.tenantId === tenantId ? tenantId : notFound
}

/** May the caller know of what lies there? A license key only of what is of its product. */
function isKnown<T extends AskedProduct>(
  { caller }: ExplainCall,
  tenantId: TenantId,
  place: T | undefined,
): place is T {
  return place?.tenantId === tenantId && (caller.kind !== 'license' || caller.productId === place.productId)
}

/** Whose holdings of which product the question is about; what the caller may not know of is not there. */
async function findPlace(
  call: ExplainCall,
  tenantId: TenantId,
  { table }: ExplainServices,
): Promise<AskedProduct | Refusal> {
  const { caller, body } = call
  if (body.licenseId !== undefined) {
    if (caller.kind === 'license' && caller.licenseId !== body.licenseId) return notFound
    const address = await findLicense(table, body.licenseId)
    return isKnown(call, tenantId, address) ? address : notFound
  }
  const ownProduct = caller.kind === 'license' ? caller.productId : undefined
  const product = await findHeldProduct(table, tenantId, ownProduct ?? body.product, '/body/product')
  return isRefusal(product) ? product : { tenantId, productId: product.id }
}
