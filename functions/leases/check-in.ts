import { lastOf } from '../../shared/domain/lease-last.ts'
import { findLease, giveBack, isLapsed, type PoolChange } from '../../shared/domain/pool.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { LeaseAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { superseded } from './heartbeat.ts'
import { type Served, serveQueue } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { type Step, settle } from './settle.ts'

export type CheckedIn = { released: boolean }

/** Gives a lease back: one conditional write in the normal case. Doing it again changes nothing. */
export async function checkIn(
  call: CommitRequest,
  { tenantId, productId, ref, sharer, entries }: LeaseAddress,
  services: LeaseServices,
): Promise<CheckedIn | Refusal | Replayed> {
  const at = seconds(call.now)
  const isBorrowed = entries.some(([, { kind }]) => kind === 'borrow')
  const step = (
    changes: ReadonlyMap<string, PoolChange>,
    beside: Served['beside'] = {},
  ): Step<CheckedIn> => ({
    changes,
    beside,
    last: lastOf(isBorrowed ? 'return' : 'in', ref, call),
    reply: { released: changes.size > 0 },
  })

  return settle<CheckedIn>(call, services, {
    tenantId,
    productId,
    metrics: entries.map(([metric]) => metric),
    blind() {
      if (entries.some(([, entry]) => entry.kind === 'shared' || isLapsed(entry, at))) return undefined
      return step(
        new Map(entries.map(([metric, entry]) => [metric, { ...giveBack(ref, entry, sharer), waiting: 0 }])),
      )
    },
    async decide(sight, pools) {
      const changes = new Map<string, PoolChange>()
      let beside: Served['beside'] = {}
      for (const [metric, held] of entries) {
        const pool = pools.get(metric)
        if (pool === undefined) continue
        const found = findLease(pool, ref, held, sharer, at)
        if (found.is === 'superseded') return superseded
        if (!('entry' in found)) continue
        const change = giveBack(ref, found.entry, sharer)
        const address = { tenantId, productId, metric }
        const served = await serveQueue(address, pool, sight, call.now, services, change)
        changes.set(metric, served?.change ?? (pool.waiting > 0 ? change : { ...change, waiting: 0 }))
        beside = { ...beside, ...served?.beside }
      }
      return step(changes, beside)
    },
  })
}
