import type { Entry } from '../../shared/domain/lease-entry.ts'
import { lastOf } from '../../shared/domain/lease-last.ts'
import { claim } from '../../shared/domain/lease-request.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { readHeldTicket, readTicket } from '../../shared/store/ticket.ts'
import type { TicketAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { notInForce, refuseCaller } from './asking.ts'
import { leaseView } from './lease-view.ts'
import { offersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import { settle } from './settle.ts'
import type { Lease } from './shapes.ts'

/** Turns the place that is held for a ticket into a lease. */
export async function claimTicket(
  call: CommitRequest,
  address: TicketAddress,
  services: LeaseServices,
): Promise<Lease | Refusal | Replayed> {
  const { now } = call
  const { tenantId, productId, metric, ref } = address
  const at = seconds(now)
  const answer = (entry: Entry, heldBefore = false) =>
    leaseView(
      { tenantId, productId, ref, sharer: 0, entries: [[metric, entry]] },
      now,
      services.secrets.leaseKey,
      { heldBefore },
    )

  return settle<Lease>(call, services, {
    tenantId,
    productId,
    metrics: [metric],
    blind: () => undefined,
    async decide(grounds, pools) {
      const refused = refuseCaller(call.caller, grounds, now, services)
      if (refused) return refused
      const pool = pools.get(metric)
      const { size, offers } = offersOf(grounds, metric, now, services)
      if (pool === undefined || size.limit === 0) return notInForce
      const found = claim(pool, ref, offers, at)
      switch (found.is) {
        case 'again':
          return { changes: new Map(), reply: answer(found.entry, true) }
        case 'not-held':
          if ((await readTicket(services.table, address, address)) !== undefined)
            return refuse('TRANSITION_NOT_ALLOWED', 'The ticket still waits; no place is held for it.')
          return refuse('TICKET_ENDED', 'No place is held for it any more.')
        case 'lost':
          return { changes: new Map([[metric, found.change]]), last: lastOf('shed', ref, call), again: true }
        case 'claimed': {
          const ticket = await readHeldTicket(services.table, address, ref)
          const changes = new Map([[metric, found.change]])
          return { changes, last: lastOf('claim', ref, call, ticket), reply: answer(found.entry) }
        }
      }
    },
  })
}
