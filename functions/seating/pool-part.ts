import { pathOf } from '../../shared/domain/organization.ts'
import {
  isQueued,
  keptFree,
  type Pending,
  poolName,
  type Reservation,
  type Seat,
  type TenantPool,
} from '../../shared/domain/seat.ts'
import { EMPTY_POOL, type SeatPlan } from '../../shared/domain/seat-decision.ts'
import type { Had } from '../../shared/domain/seat-events.ts'
import type { PoolMove } from '../../shared/domain/seat-moves.ts'
import type { User } from '../../shared/domain/user.ts'
import { managedSeatsItem } from '../../shared/store/holdings.ts'
import { changeSeatPool, useReservation } from '../../shared/store/seat-pool.ts'
import type { Action } from '../../shared/store/transact.ts'
import type { TenantSeating } from './seating.ts'

/** What a change of a person is to one pool. */
type PoolPart = {
  readonly place: TenantPool
  readonly writes: Readonly<Record<string, Action>>
  /** By how much its counts change. */
  readonly move: PoolMove
  /** Somebody who waits may have a place once this is committed. */
  readonly serves: boolean
}

/**
 * The counts of a pool, and the reservations in it, with a change of a person: on the condition that nobody is given what
 * is not there, or waits for what is.
 *
 * @param isTurn it is this person's turn, though others may wait
 */
export function poolPart(
  place: TenantPool,
  had: Had,
  plan: SeatPlan,
  { tenantId, organizationId }: Pick<User, 'tenantId' | 'organizationId'>,
  { pools, terms, reservations: all, organizations }: TenantSeating,
  isTurn: boolean,
): PoolPart {
  const name = poolName(place)
  const own = <T extends TenantPool>(some: readonly T[]) => some.find((one) => poolName(one) === name)
  const waits = (some: readonly Pending[]) =>
    Number(some.some((one) => poolName(one) === name && isQueued(one)))
  const pool = pools.get(name) ?? EMPTY_POOL
  const limit = terms.get(name)?.limit ?? 0
  const reservations = all.get(name) ?? []
  const [old, next] = [own(had.seats), own(plan.seats)]
  const { writes, used, kept, takesKept } = reservationPart(place, old, next, reservations, tenantId)
  const assigned = Number(next !== undefined) - Number(old !== undefined)
  const committed = assigned + kept
  const queued = waits(plan.pending) - waits(had.pending)
  const frees = committed < 0 || kept > 0
  // It waits, perhaps behind others, though there is a place that may be this person's: a reserved one, for example.
  const isOpen = pool.committed < limit || reservations.some((one) => keptFree(one) > 0)
  const part = {
    place,
    move: { ...place, assigned, committed, queued, used },
    serves: frees || (isOpen && waits(plan.pending) > 0),
  }
  const isTaken = own(plan.taken) !== undefined
  if (assigned === 0 && committed === 0 && queued === 0 && !isTaken) return { ...part, writes }

  const joins = queued > 0
  if (!pool.isManaged)
    writes[`managed ${name}`] = {
      kind: 'put',
      item: managedSeatsItem(tenantId, place.productId, place.metric),
    }
  writes[`pool ${name}`] = changeSeatPool(tenantId, place, {
    assigned,
    committed,
    queued,
    ...((isTaken || joins) && { fence: pool.fence }),
    ...(isTaken && { assignedAtMost: limit - assigned, nobodyWaits: !isTurn }),
    ...(isTaken && !takesKept && { committedAtMost: limit - committed }),
    ...(joins && { fullAt: limit }),
  })
  if (joins) {
    // A place that an organization of the person's is kept must still be taken, too.
    const path = pathOf(organizationId, organizations)
    for (const one of reservations)
      if (one.used >= one.seats && one.seats > 0 && path.includes(one.organizationId))
        writes[`reservation full ${one.organizationId} ${name}`] = useReservation(tenantId, one, 0)
  }
  return { ...part, writes }
}

/** What a change of a seat is to the reservations of its pool. `kept`: places that are kept free afterwards, and were not. */
function reservationPart(
  place: TenantPool,
  old: Seat | undefined,
  next: Seat | undefined,
  reservations: readonly Reservation[],
  tenantId: User['tenantId'],
) {
  const name = poolName(place)
  const writes: Record<string, Action> = {}
  const used: PoolMove['used'] = {}
  const reservationOf = (seat: Seat | undefined) =>
    reservations.find(({ organizationId }) => organizationId === seat?.reservedBy)
  const [left, taken] = [reservationOf(old), reservationOf(next)]
  const takesKept = taken !== undefined
  let kept = 0
  if (left === taken) return { writes, used, kept, takesKept }
  if (left !== undefined) {
    writes[`reservation left ${name}`] = useReservation(tenantId, left, -1)
    used[left.organizationId] = -1
    // Of one that was cut below what is taken of it, nothing is kept free.
    kept += left.used <= left.seats ? 1 : 0
  }
  if (taken !== undefined) {
    writes[`reservation ${name}`] = useReservation(tenantId, taken, 1)
    used[taken.organizationId] = 1
    kept -= 1
  }
  return { writes, used, kept, takesKept }
}
