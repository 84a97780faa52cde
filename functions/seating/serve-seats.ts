import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import { isQueued, poolName, type TenantPool } from '../../shared/domain/seat.ts'
import { EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { TenantId } from '../../shared/platform/ids.ts'
import { bySystem, type Decision } from '../../shared/store/commit.ts'
import { readQueue, readSeatPools } from '../../shared/store/seat-pool.ts'
import type { CommitRequest } from '../services.ts'
import type { VerifyingServices } from '../verified.ts'
import { type Adjustment, adjustSeats } from './adjust-seats.ts'
import { readablePerson } from './readable-person.ts'
import { readSeating, seatingOf, type TenantSeating } from './seating.ts'

/** How far into a queue somebody is looked for who can have a place that its head cannot: a reserved one. */
const LOOKED_AT = 50
/** Of these, read at once: mostly the head is who is served. */
const PAGE = 10
/** How often somebody else may be quicker, one after the other. */
const PATIENCE = 10
/** How many who wait are served within the request that freed their seats; the rest is for the next, or the job. */
const SERVED_AT_ONCE = 10

/**
 * Gives free seats to those who wait for them, oldest first. Each is a transaction of its own, on the condition that
 * the person still waits; whoever asks meanwhile without having waited is refused by the pool's count of those who do.
 *
 * @param most how many are served at most
 * @returns how many were
 */
export async function serveQueue(
  request: Pick<CommitRequest, 'now' | 'requestId'>,
  services: VerifyingServices,
  tenantId: TenantId,
  places: readonly TenantPool[],
  most: number,
): Promise<number> {
  const open = [...new Map(places.map((place) => [poolName(place), place])).values()]
  let served = 0
  let lost = 0
  while (open.length > 0 && served < most && lost < PATIENCE) {
    const [place] = open
    if (place === undefined) break
    const next = await nextToServe(request, services, tenantId, place)
    if (next === undefined) {
      open.shift()
      continue
    }
    const { writes, events, refusals } = next
    const decision = { writes, events, reply: undefined, refusals }
    const done = await services.commit(bySystem('seats', request), decision)
    if (isRefusal(done)) {
      lost += 1
      continue
    }
    lost = 0
    served += 1
    open.push(...next.serve.filter((one) => !open.some((known) => poolName(known) === poolName(one))))
  }
  return served
}

/**
 * Commits a change of a license, then gives what it brings to those who wait for seats of its product, oldest first.
 * Where nobody waits that costs nothing: the fences were read anyway, and tell. What is left is for the job of the
 * queues, as is whoever joins a queue between that read and the commit.
 */
export async function commitAndServe<Reply, Label extends string>(
  call: CommitRequest,
  services: VerifyingServices,
  { tenantId, waiting }: { readonly tenantId: TenantId; readonly waiting: readonly TenantPool[] },
  decision: Decision<Reply, Label>,
): Promise<Reply | Refusal | Replayed> {
  const done = await services.commit(call, decision)
  if (!isRefusal(done)) await serveWaiting(call, services, tenantId, waiting)
  return done
}

/**
 * Serves those who wait, as far as that goes at once. What freed their seats is committed, so nobody is told that it failed
 * because of them; what goes wrong is for the job of the queues to do better.
 */
export async function serveWaiting(
  request: Pick<CommitRequest, 'now' | 'requestId'>,
  services: VerifyingServices,
  tenantId: TenantId,
  waiting: readonly TenantPool[],
  most = SERVED_AT_ONCE,
): Promise<void> {
  if (waiting.length === 0) return
  try {
    await serveQueue(request, services, tenantId, waiting, most)
  } catch (cause) {
    services.log(
      'warn',
      'those who wait for seats were not served',
      { requestId: request.requestId, tenantId },
      cause,
    )
  }
}

/** Looks at all that decides only where the pool says that somebody waits. */
async function nextToServe(
  request: Pick<CommitRequest, 'now' | 'requestId'>,
  services: VerifyingServices,
  tenantId: TenantId,
  place: TenantPool,
): Promise<Adjustment | undefined> {
  const pool = (await readSeatPools(services.table, tenantId, [place])).get(poolName(place))
  if (pool === undefined || pool.queued === 0) return undefined
  const seating = await readSeating(services, tenantId, request.now, [place.productId])
  return seating && nextInLine(request, services, seating, place)
}

/** The change that gives a place of a pool to the first in line who can have one. */
async function nextInLine(
  request: Pick<CommitRequest, 'now' | 'requestId'>,
  services: VerifyingServices,
  seating: TenantSeating,
  place: TenantPool,
): Promise<Adjustment | undefined> {
  const { table } = services
  const { now } = request
  const name = poolName(place)
  const { assigned, queued } = seating.pools.get(name) ?? EMPTY_POOL
  if (queued === 0 || assigned >= (seating.terms.get(name)?.limit ?? 0)) return undefined
  let looked = 0
  for await (const { userId } of readQueue(table, seating.tenant.id, place, 'QUEUE', PAGE)) {
    looked += 1
    if (looked > LOOKED_AT) return undefined
    const person = await readablePerson(services, seating.tenant.id, userId, request)
    if (person === undefined) continue
    const own = await seatingOf(services, seating, person, now)
    const adjustment = adjustSeats(person, person.user, own, now, { turn: new Set([name]) })
    if (adjustment.after.seats.some((seat) => poolName(seat) === name)) return adjustment
    // Nobody but who belongs to an organization with reserved places gets one past the head.
    if (!(seating.reservations.get(name) ?? []).some(({ seats, used }) => used < seats)) {
      if (!waitsFor(adjustment, name)) return adjustment
      return undefined
    }
  }
  return undefined
}

/** Does the person still stand in the queue afterwards? If not, its facts say so now, and the next one is served. */
const waitsFor = ({ after }: Adjustment, name: string) =>
  after.user.pending.some((one) => isQueued(one) && poolName(one) === name)
