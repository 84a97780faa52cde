import { jtiOf } from '../../shared/domain/borrowing.ts'
import { lastOf } from '../../shared/domain/lease-last.ts'
import { isLapsed } from '../../shared/domain/pool.ts'
import type { PoolChange } from '../../shared/domain/pool-change.ts'
import { findLease, giveBack } from '../../shared/domain/pool-lease.ts'
import { seconds } from '../../shared/domain/pool-terms.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { putBorrowing, readBorrowing } from '../../shared/store/borrowing.ts'
import type { LeaseAddress } from '../sealed-id.ts'
import type { CommitRequest } from '../services.ts'
import { superseded } from './heartbeat.ts'
import { provenReturn } from './return-proof.ts'
import { giveOn, type Served } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { type Step, settle } from './settle.ts'

/** Writes to queues beside which those to another fit: of 100 of a transaction one queue has up to 50, and ten pools 30. */
const MOST_BESIDE = 10

type CheckedIn = { released: boolean }

/** Gives a lease back: one conditional write in the normal case. Doing it again changes nothing. */
export async function checkIn(
  call: CommitRequest,
  address: LeaseAddress,
  proof: string | undefined,
  services: LeaseServices,
): Promise<CheckedIn | Refusal | Replayed> {
  const { tenantId, productId, ref, sharer, entries } = address
  const at = seconds(call.now)
  const back = await broughtBack(call, address, proof, services)
  if (isRefusal(back)) return back
  const step = (
    changes: ReadonlyMap<string, PoolChange>,
    beside: Served['beside'] = {},
  ): Step<CheckedIn> => ({
    changes,
    beside,
    last: { ...lastOf(back ? 'return' : 'in', ref, call), ...(back?.isProven && { pr: true }) },
    reply: { released: changes.size > 0 },
  })

  return settle<CheckedIn>(call, services, {
    tenantId,
    productId,
    metrics: entries.map(([metric]) => metric),
    blind() {
      if (
        entries.some(([, entry]) => entry.kind === 'shared' || entry.kind === 'borrow' || isLapsed(entry, at))
      )
        return undefined
      return step(
        new Map(entries.map(([metric, entry]) => [metric, { ...giveBack(ref, entry, sharer), waiting: 0 }])),
      )
    },
    async decide(grounds, pools) {
      const changes = new Map<string, PoolChange>()
      let beside: Served['beside'] = {}
      for (const [metric, held] of entries) {
        const pool = pools.get(metric)
        if (pool === undefined) continue
        const found = findLease(pool, ref, held, sharer, at)
        if (found.is === 'superseded') return superseded
        if (!('entry' in found)) continue
        const change = giveBack(ref, found.entry, sharer)
        const place = { tenantId, productId, metric }
        // What would be too much for one transaction is given on by the next who asks.
        const served =
          Object.keys(beside).length > MOST_BESIDE
            ? { change, beside: {} }
            : await giveOn(place, pool, grounds, call.now, services, change)
        changes.set(metric, served.change)
        beside = { ...beside, ...served.beside }
      }
      return step(changes, changes.size > 0 ? { ...beside, ...back?.beside } : beside)
    },
  })
}

/**
 * That a borrowed license is back, for whoever comes with a copy of it; undefined for what was not borrowed. Where the
 * machine has to prove it, the refusal without.
 */
async function broughtBack(
  { now }: CommitRequest,
  { tenantId, productId, ref, entries }: LeaseAddress,
  proof: string | undefined,
  { table }: LeaseServices,
): Promise<{ isProven: boolean; beside: Served['beside'] } | Refusal | undefined> {
  const borrowed = entries.find(([, { kind }]) => kind === 'borrow')
  if (borrowed === undefined) return undefined
  const [metric, entry] = borrowed
  const address = { tenantId, productId, metric }
  const borrowing = await readBorrowing(table, address, jtiOf(ref, entry))
  if (borrowing === undefined || borrowing.back !== undefined) return { isProven: false, beside: {} }
  const how = await provenReturn(borrowing, proof)
  if (isRefusal(how)) return how
  const back = putBorrowing(address, { ...borrowing, back: { at: now, how } })
  return { isProven: how === 'proven', beside: { borrowing: back } }
}
