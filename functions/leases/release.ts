import { jtiOf } from '../../shared/domain/borrowing.ts'
import { lastOf } from '../../shared/domain/lease-last.ts'
import type { PoolChange } from '../../shared/domain/pool-change.ts'
import { type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { windowOf } from '../../shared/platform/auth/counter.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { ProductId, TenantId } from '../../shared/platform/ids.ts'
import { HOUR } from '../../shared/platform/time.ts'
import { putBorrowing, readBorrowing } from '../../shared/store/borrowing.ts'
import { addCount } from '../../shared/store/count.ts'
import { holdersOf } from '../lease-holders.ts'
import type { CommitRequest } from '../services.ts'
import { giveOn } from './serve-queue.ts'
import type { LeaseServices } from './services.ts'
import { settle } from './settle.ts'

/** Releases of a tenant in an hour: enough to clear up, too few to run a pool by taking turns. */
const RELEASES_PER_HOUR = 30

type Release = {
  readonly tenantId: TenantId
  readonly productId: ProductId
  readonly metric: string
  readonly ref: string
  readonly reason: string
}

/**
 * Takes a stranded lease away from its holder, on behalf of the tenant itself. Its event, with who, whom and why, is in
 * the same transaction. A borrowed license may still be used offline until its end: the event says so.
 */
export async function releaseLease(
  call: CommitRequest,
  { tenantId, productId, metric, ref, reason }: Release,
  services: LeaseServices,
): Promise<{ released: boolean } | Refusal | Replayed> {
  const { table } = services
  const window = windowOf(call.now, HOUR)
  const total = await addCount(table, `lease releases ${tenantId}`, window.name, 1, window.ttl)
  if (total > RELEASES_PER_HOUR) {
    const detail = `At most ${RELEASES_PER_HOUR} leases are released in an hour.`
    return refuse('RATE_LIMITED', detail, { retryAfter: window.secondsLeft })
  }
  return settle<{ released: boolean }>(call, services, {
    tenantId,
    productId,
    metrics: [metric],
    blind: () => undefined,
    async decide(grounds, pools) {
      const pool = pools.get(metric)
      const entry = pool?.entries.get(ref)
      if (pool === undefined || entry === undefined) return refuse('NOT_FOUND', 'There is no such lease.')
      const change: PoolChange = {
        put: new Map(),
        seen: new Map([[ref, entry]]),
        remove: [ref],
      }
      const address = { tenantId, productId, metric }
      const served = await giveOn(address, pool, grounds, call.now, services, change)
      const own = { ...pool, entries: new Map([[ref, entry]]) }
      const [before] = await holdersOf(table, address, own, call.now)
      const lent = entry.kind === 'borrow' && (await readBorrowing(table, address, jtiOf(ref, entry)))
      const back = lent && { ...lent, back: { at: call.now, how: 'released' as const } }
      return {
        changes: new Map([[metric, served.change]]),
        beside: { ...served.beside, ...(back && { borrowing: putBorrowing(address, back) }) },
        last: lastOf('release', ref, call),
        events: [
          {
            type: 'lease.released',
            tenantId,
            subject: { type: 'lease', id: ref },
            before: { productId, metric, ...before },
            ...(entry.kind === 'borrow' && { after: { mayBeUsedOfflineUntil: before?.expiresAt } }),
            reason,
          },
        ],
        reply: { released: true },
      }
    },
  })
}
