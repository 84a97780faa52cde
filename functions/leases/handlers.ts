import type { Caller } from '../../shared/domain/access.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Handlers } from '../../shared/platform/http/contract.ts'
import type { AskedProduct } from '../asked-product.ts'
import { isKnownTenant } from '../known-tenant.ts'
import { type LeaseAddress, openLeaseId, openTicketId, type TicketAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { askedOf, notInForce, type Wanted, wantedOf } from './asking.ts'
import { borrow } from './borrow.ts'
import { checkIn } from './check-in.ts'
import { checkOut } from './check-out.ts'
import { claimTicket } from './claim.ts'
import { type Asker, unlicensed } from './denied.ts'
import { heartbeat } from './heartbeat.ts'
import { poolViews } from './pools-view.ts'
import { releaseLease } from './release.ts'
import type { leasesRoutes } from './routes.ts'
import type { LeaseServices } from './services.ts'
import { cancelTicket, joinTicket, pingTicket } from './tickets.ts'

export const leasesHandlers: Handlers<typeof leasesRoutes, LeaseServices> = {
  async checkOut(call, services) {
    const asked = await askedOf(call.caller, call.body.product, services)
    return isRefusal(asked) ? asked : checkOut(call, asked, call.body, services)
  },

  async heartbeat(call, services) {
    const address = leaseOf(call.body.leaseId, call.caller, services)
    return isRefusal(address) ? address : heartbeat(call, address, services)
  },

  async checkIn(call, services) {
    const address = leaseOf(call.body.leaseId, call.caller, services)
    return isRefusal(address) ? address : checkIn(call, address, call.body.proof, services)
  },

  async borrow(call, services) {
    const found = await oneOf(call, services)
    return isRefusal(found)
      ? found
      : borrow(call, found.asked, { ...call.body, wanted: found.wanted }, services)
  },

  async joinQueue(call, services) {
    const found = await oneOf(call, services)
    if (isRefusal(found)) return found
    // Everybody has the key of a license; its back end knows whom to prefer.
    const priority = call.caller.kind === 'license' ? 0 : call.body.priority
    return joinTicket(call, found.asked, { ...call.body, wanted: found.wanted, priority }, services)
  },

  async pingTicket(call, services) {
    const address = ticketOf(call.body.ticketId, call.caller, services)
    return isRefusal(address) ? address : pingTicket(call, address, services)
  },

  async cancelTicket(call, services) {
    const address = ticketOf(call.body.ticketId, call.caller, services)
    return isRefusal(address) ? address : cancelTicket(call, address, services)
  },

  async claimTicket(call, services) {
    const address = ticketOf(call.body.ticketId, call.caller, services)
    return isRefusal(address) ? address : claimTicket(call, address, services)
  },

  async listPools({ params, caller, now }, services) {
    if (!(await isKnownTenant(services.table, caller, params.tenantId))) {
      return notFound
    }
    return { items: await poolViews(params.tenantId, now, services) }
  },

  async releaseLease(call, services) {
    return releaseLease(call, { ...call.params, ...call.body }, services)
  },
}

type OneCall = CommitRequest & {
  readonly body: Asker & { readonly product?: string | undefined; readonly item?: Wanted | undefined }
}

/** The one metric that a request is about, by name or by default. */
async function oneOf(
  call: OneCall,
  services: LeaseServices,
): Promise<{ asked: AskedProduct; wanted: Wanted } | Refusal> {
  const { caller, now, body } = call
  const asked = await askedOf(caller, body.product, services)
  if (isRefusal(asked)) return asked
  const all = await wantedOf(body.item && [body.item], asked, now, services)
  if (isRefusal(all)) return unlicensed<never>(all, call, asked, undefined, body, services)
  const [wanted] = all
  return wanted === undefined ? notInForce : { asked, wanted }
}

/** The lease of an id, if the caller may know of it. */
function leaseOf(id: string, caller: Caller, { secrets }: LeaseServices): LeaseAddress | Refusal {
  const address = openLeaseId(id, secrets.leaseKey)
  return address && isOwn(caller, address) ? address : refuse('NOT_FOUND', 'There is no such lease.')
}

function ticketOf(id: string, caller: Caller, { secrets }: LeaseServices): TicketAddress | Refusal {
  const address = openTicketId(id, secrets.leaseKey)
  return address && isOwn(caller, address) ? address : refuse('NOT_FOUND', 'There is no such ticket.')
}

/** What is of the caller's tenant, and of its product where the caller is a license. */
function isOwn(caller: Caller, { tenantId, productId }: AskedProduct): boolean {
  return (
    'tenantId' in caller &&
    caller.tenantId === tenantId &&
    (caller.kind !== 'license' || caller.productId === productId)
  )
}
