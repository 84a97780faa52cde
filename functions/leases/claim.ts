import type { Entry } from '../../shared/domain/lease-entry.ts'
import { lastOf } from '../../shared/domain/lease-last.ts'
import { isLapsed, lapsedIn, type PoolChange } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { readHeldTicket, readTicket } from '../../shared/store/ticket.ts'
import type { TicketAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { notInForce } from './asking.ts'
import { leaseView } from './lease-view.ts'
import { offersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import { settle } from './settle.ts'
import type { Lease } from './shapes.ts'

/** Seconds in which a claim whose answer was lost is answered again. */
const ANSWERED_AGAIN = 30

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
    async decide(sight, pools) {
      const pool = pools.get(metric)
      const { size, offers } = offersOf(sight, metric, now, services)
      if (pool === undefined || size.limit === 0) return notInForce
      const held = pool.entries.get(ref)
      if (held?.kind === 'lease' && held.generation === 0 && at - held.beat <= ANSWERED_AGAIN)
        return { changes: new Map(), reply: answer(held, true) }
      if (held?.kind !== 'hold' || isLapsed(held, at)) {
        const isWaiting = (await readTicket(services.table, address, address)) !== undefined
        if (isWaiting)
          return refuse('TRANSITION_NOT_ALLOWED', 'The ticket still waits; no place is held for it.')
        return refuse('TICKET_ENDED', 'No place is held for it any more.')
      }
      const lapsed = lapsedIn(pool, at)
      const offer = offers.find(({ limit }) => pool.used - lapsed.units <= limit)
      const ticket = await readHeldTicket(services.table, address, ref)
      // The pool has shrunk since: the place that was held is gone.
      const entry: Entry | undefined = offer && {
        ...held,
        kind: 'lease',
        until: offer.until,
        beat: at,
        overdraft: offer.overdraft,
      }
      const change: PoolChange = {
        put: new Map(entry ? [[ref, entry]] : []),
        seen: new Map([...lapsed.entries, [ref, held]]),
        remove: [...lapsed.entries.keys(), ...(entry ? [] : [ref])],
        fence: pool.fence,
        ...(offer && { limit: offer.limit }),
      }
      const changes = new Map([[metric, change]])
      if (entry === undefined) return { changes, last: lastOf('shed', ref, call), again: true }
      return { changes, last: lastOf('claim', ref, call, ticket), reply: answer(entry) }
    },
  })
}
