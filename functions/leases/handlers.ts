import type { Caller } from '../../shared/domain/access.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import { askingOf } from './asking.ts'
import { checkIn } from './check-in.ts'
import { checkOut } from './check-out.ts'
import { heartbeat } from './heartbeat.ts'
import { poolViews } from './pools-view.ts'
import { releaseLease } from './release.ts'
import type { leasesRoutes } from './routes.ts'
import { type LeaseAddress, openLeaseId } from './sealed-id.ts'
import type { LeaseServices } from './services.ts'

export const leasesHandlers: Handlers<typeof leasesRoutes, LeaseServices> = {
  async checkOut(call, services) {
    const asking = await askingOf(call.caller, call.body.product, services)
    return isRefusal(asking) ? asking : checkOut(call, asking, call.body, services)
  },

  async heartbeat(call, services) {
    const address = leaseOf(call.body.leaseId, call.caller, services)
    return isRefusal(address) ? address : heartbeat(call, address, services)
  },

  async checkIn(call, services) {
    const address = leaseOf(call.body.leaseId, call.caller, services)
    return isRefusal(address) ? address : checkIn(call, address, services)
  },

  async listPools({ params, now }, services) {
    return { items: await poolViews(params.tenantId, now, services) }
  },

  async releaseLease(call, services) {
    return releaseLease(call, { ...call.params, ...call.body }, services)
  },
}

/** The lease of an id, if it is one of the caller's tenant, and of its product where the caller is a license. */
function leaseOf(id: string, caller: Caller, { secrets }: LeaseServices): LeaseAddress | Refusal {
  const address = openLeaseId(id, secrets.leaseKey)
  const isOwn =
    address !== undefined &&
    'tenantId' in caller &&
    caller.tenantId === address.tenantId &&
    (caller.kind !== 'license' || caller.productId === address.productId)
  return isOwn ? address : refuse('NOT_FOUND', 'There is no such lease.')
}
