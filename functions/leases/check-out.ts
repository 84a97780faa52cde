import { subjectOf } from '../../shared/domain/access.ts'
import type { Entry } from '../../shared/domain/lease-entry.ts'
import { type Holder, lastOf } from '../../shared/domain/lease-last.ts'
import { isHolding } from '../../shared/domain/pool.ts'
import type { PoolChange } from '../../shared/domain/pool-change.ts'
import { type Grant, grant, grantBlindly, sharersIn } from '../../shared/domain/pool-grant.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { AskedProduct } from '../asked-product.ts'
import type { PlacedRequest } from '../places.ts'
import { notInForce, refuseCaller, type Wanted, wantedOf } from './asking.ts'
import { unlicensed } from './denied.ts'
import type { Grounds } from './grounds.ts'
import { leaseView } from './lease-view.ts'
import { askerOf, type Part, planParts } from './plan.ts'
import { lookAtQueue, makeWay } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { type Pools, type Step, settle } from './settle.ts'
import type { Lease } from './shapes.ts'
import { type Denied, deniedFor, shortage } from './shortage.ts'

export type CheckOut = {
  readonly items?: readonly Wanted[] | undefined
  readonly holder?: Holder | undefined
  readonly department?: string | undefined
  /** Chosen by the client: the same one asks for the same lease. */
  readonly leaseToken?: string | undefined
  /** Where it is used. */
  readonly country?: string | undefined
}

/**
 * Takes units of one or several pools, all or nothing. In the normal case one conditional write and no read; see
 * settle.ts for what happens when a condition fails.
 */
export async function checkOut(
  call: PlacedRequest,
  asked: AskedProduct,
  body: CheckOut,
  services: LeaseServices,
): Promise<Lease | Refusal | Replayed> {
  const { caller, now } = call
  const { tenantId, productId } = asked
  const wanted = await wantedOf(body.items, asked, now, services)
  if (isRefusal(wanted)) return unlicensed(wanted, call, asked, body.items, body, services)
  const plan = (grounds: Grounds, pools?: Pools) => {
    const asker = askerOf(body, subjectOf(caller), pools)
    return refuseCaller(caller, grounds, now, services) ?? planParts(grounds, wanted, asker, now, services)
  }

  const answer = await settle<Lease>(call, services, {
    tenantId,
    productId,
    metrics: wanted.map(({ metric }) => metric),
    place: body,
    blind(grounds) {
      const parts = plan(grounds)
      if (isRefusal(parts)) return parts
      // What a department may have depends on what the others hold.
      if (parts.some(({ shares }) => shares !== undefined)) return undefined
      const grants = parts.flatMap((part): [Part, Grant][] => {
        const offer = part.offers.find(({ limit }) => part.wanted.units <= limit)
        const fence = grounds.fences.get(part.wanted.metric)
        return offer && fence !== undefined
          ? [
              [
                part,
                grantBlindly(part.ask, offer, fence, grounds.paging.has(part.wanted.metric), seconds(now)),
              ],
            ]
          : []
      })
      return grants.length === parts.length ? granted(grants) : undefined
    },
    async decide(grounds, pools) {
      const parts = plan(grounds, pools)
      if (isRefusal(parts)) return parts
      const grants: [Part, Grant][] = []
      for (const part of parts) {
        const pool = pools.get(part.wanted.metric)
        if (pool === undefined) return notInForce
        const short = (because: Denied) =>
          shortage(call, asked, part, pool, because, body, parts.length === 1, services)
        if (pool.waiting > 0 && !isHolding(pool, part.ask.ref, seconds(now))) {
          // Those who wait come first; a newcomer gets what they leave.
          const address = { tenantId, productId, metric: part.wanted.metric }
          const looked = await lookAtQueue(address, pool, grounds, now, services)
          if (looked.served || looked.isOutdated) return makeWay(call, part.wanted.metric, looked.served)
          if (looked.isBehind(part.ask)) return short('capacity')
        }
        const ask = { ...part.ask, taken: sharersIn(pools.values(), part.ask.ref) }
        const found = grant(pool, ask, part.offers, seconds(now), part.shares)
        if (found.outcome === 'full') return short(deniedFor(found.because))
        grants.push([part, found])
      }
      return granted(grants)
    },
  })
  return unlicensed(answer, call, asked, wanted, body, services)

  function granted(grants: readonly (readonly [Part, Grant])[]): Step<Lease> {
    const changes = new Map<string, PoolChange>()
    const entries: [string, Entry][] = []
    let [ref, sharer, heldBefore] = ['', 0, true]
    for (const [{ wanted: item, ask }, found] of grants) {
      if (found.outcome === 'full') throw new Error('a request that finds a pool full is refused before')
      if (found.outcome === 'granted') changes.set(item.metric, found.change)
      ref = ask.ref
      sharer = found.sharer
      heldBefore &&= found.heldBefore
      entries.push([item.metric, found.entry])
    }
    const address = { tenantId, productId, ref, sharer, entries }
    const reply = leaseView(address, now, services.secrets.leaseKey, { heldBefore })
    return { changes, last: lastOf('out', ref, call, body), reply }
  }
}
