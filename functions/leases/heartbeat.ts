import { contactOf, jtiOf } from '../../shared/domain/borrowing.ts'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { lastOf } from '../../shared/domain/lease-last.ts'
import { renewal } from '../../shared/domain/lease-renewal.ts'
import { isLapsed } from '../../shared/domain/pool.ts'
import type { PoolChange } from '../../shared/domain/pool-change.ts'
import { renewBlindly } from '../../shared/domain/pool-lease.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { readBorrowing } from '../../shared/store/borrowing.ts'
import type { LeaseAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { notInForce, refuseCaller } from './asking.ts'
import type { Grounds } from './grounds.ts'
import { leaseView } from './lease-view.ts'
import { offersOf } from './plan.ts'
import type { LeaseServices } from './services.ts'
import { type Step, settle } from './settle.ts'
import type { Lease } from './shapes.ts'

/**
 * Renews a lease and replaces its id. In the normal case one conditional write and no read. An id that was just
 * replaced is answered with the present one: the answer to its heartbeat may have been lost.
 */
export async function heartbeat(
  call: CommitRequest,
  address: LeaseAddress,
  services: LeaseServices,
): Promise<Lease | Refusal | Replayed> {
  const { caller, now } = call
  const { tenantId, productId, ref, entries } = address
  const at = seconds(now)
  const borrowed = entries.find(([, { kind }]) => kind === 'borrow')
  if (borrowed !== undefined) {
    const [metric, entry] = borrowed
    const pool = { tenantId, productId, metric }
    return contactOf(await readBorrowing(services.table, pool, jtiOf(ref, entry)), !isLapsed(entry, at))
  }

  const answer = (renewed: readonly (readonly [string, Entry])[]): Lease =>
    leaseView({ ...address, entries: renewed }, now, services.secrets.leaseKey)

  /** The ways to renew in each pool; the refusal if its license is not in force. */
  function offersFor(grounds: Grounds) {
    const refused = refuseCaller(caller, grounds, now, services)
    if (refused) return refused
    const all = entries.map(([metric]) => offersOf(grounds, metric, now, services))
    return all.some(({ size }) => size.limit === 0) ? notInForce : all.map(({ offers }) => offers)
  }

  return settle<Lease>(call, services, {
    tenantId,
    productId,
    metrics: entries.map(([metric]) => metric),
    blind(grounds): Step<Lease> | Refusal | undefined {
      const offers = offersFor(grounds)
      if (isRefusal(offers)) return offers
      const changes = new Map<string, PoolChange>()
      const renewed: [string, Entry][] = []
      for (const [index, [metric, held]] of entries.entries()) {
        const offer = offers[index]?.find(({ limit }) => held.units <= limit)
        const fence = grounds.fences.get(metric)
        if (offer === undefined || fence === undefined || isLapsed(held, at)) return undefined
        const { entry, change } = renewBlindly(ref, held, offer, fence, at)
        changes.set(metric, change)
        renewed.push([metric, entry])
      }
      return { changes, reply: answer(renewed) }
    },
    decide(grounds, pools): Step<Lease> | Refusal {
      const offers = offersFor(grounds)
      if (isRefusal(offers)) return offers
      const found = renewal(address, pools, offers, at)
      switch (found.is) {
        case 'lapsed':
          return lapsed
        case 'superseded':
          return superseded
        case 'again':
          return { changes: new Map(), reply: answer(found.entries) }
        case 'too-many':
          return letGo(found.changes)
        case 'renewed':
          return { changes: found.changes, reply: answer(found.entries) }
      }
    },
  })

  /** All pools of the lease let it go, also those that had room for it; then it is told so. */
  function letGo(changes: ReadonlyMap<string, PoolChange>): Step<Lease> {
    const all = [...changes].map(([metric, change]): [string, PoolChange] => {
      const { limit: _, ...rest } = change
      return [metric, { ...rest, put: new Map(), remove: [...change.seen.keys()] }]
    })
    return { changes: new Map(all), last: lastOf('shed', ref, call), again: true }
  }
}

const lapsed = refuse('LEASE_LAPSED', 'Its time was over, it was given back, or its licenses became too few.')
export const superseded = refuse('LEASE_SUPERSEDED', 'A heartbeat has replaced this id since.')
