import { instantOf } from '../../shared/domain/pool-terms.ts'
import { epochMilliseconds, type Instant, plusMilliseconds } from '../../shared/platform/time.ts'
import { type LeaseAddress, sealLeaseId } from '../sealed-id.ts'
import type { Lease } from './shapes.ts'

/** The share of a lease after which it is to be renewed (10Duke; licensing-semantics.md, section 8). */
const RENEW_AFTER = 0.75
/** Part of that by which heartbeats are spread, so that clients started together do not beat together. */
const SPREAD = 0.05
/** Milliseconds; where a lease is cut short by the end of a license, heartbeats do not come thicker than this. */
const SHORTEST_PAUSE = 15_000

export function leaseView(
  address: LeaseAddress,
  now: Instant,
  key: Uint8Array,
  { heldBefore = false, random = Math.random() }: { heldBefore?: boolean; random?: number } = {},
): Lease {
  const { productId, ref, entries } = address
  const until = instantOf(Math.min(...entries.map(([, entry]) => entry.until)))
  const isBorrowed = entries.some(([, { kind }]) => kind === 'borrow')
  return {
    leaseId: sealLeaseId(address, key),
    productId,
    ref,
    items: entries.map(([metric, { units, overdraft }]) => ({ metric, units, overdraft })),
    expiresAt: until,
    ...(!isBorrowed && { nextHeartbeat: nextHeartbeat(now, until, random) }),
    ...(heldBefore && { heldBefore }),
  }
}

function nextHeartbeat(now: Instant, until: Instant, random: number): Instant {
  const length = Math.max(0, epochMilliseconds(until) - epochMilliseconds(now))
  const planned = length * (RENEW_AFTER - SPREAD * random)
  return plusMilliseconds(now, Math.round(Math.min(length, Math.max(planned, SHORTEST_PAUSE))))
}
