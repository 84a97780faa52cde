import { isSame } from '../../shared/domain/audit-entry.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { pathOf } from '../../shared/domain/organization.ts'
import type { Refusal } from '../../shared/domain/refusal.ts'
import {
  isQueued,
  type Pending,
  type PoolName,
  poolName,
  type Seat,
  type TenantPool,
} from '../../shared/domain/seat.ts'
import { COUNTED_DAYS, countsOf, difference, firstDayOf } from '../../shared/domain/seat-counts.ts'
import { decideSeats, EMPTY_POOL } from '../../shared/domain/seat-decision.ts'
import type { PoolMove } from '../../shared/domain/seat-moves.ts'
import type { User } from '../../shared/domain/user.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { managedSeatsItem } from '../../shared/store/holdings.ts'
import { seatKey } from '../../shared/store/keys.ts'
import { lookAtSeats } from '../../shared/store/reclaim.ts'
import { addCounts } from '../../shared/store/seat-counts.ts'
import { addPending, changeSeatPool, dropPending, useReservation } from '../../shared/store/seat-pool.ts'
import type { Action } from '../../shared/store/transact.ts'
import { type Person, seatItem, writeUser } from '../../shared/store/user.ts'
import { outdated } from '../until-fresh.ts'
import { nextLook } from './reclaim-outlook.ts'
import type { TenantSeating } from './seating.ts'

/** A change of a person with all that follows from it for seats, ready to be committed. */
export type Adjustment = {
  readonly after: Person
  readonly writes: Record<string, Action>
  readonly events: readonly EventDraft[]
  readonly refusals: Record<string, Refusal>
  /** Pools in which somebody who waits may have a place once this is committed; see serve-seats.ts. */
  readonly serve: readonly TenantPool[]
  /** What the person waits for now and did not before. */
  readonly newlyPending: readonly Pending[]
  /** By how much the counts of pools change with it. */
  readonly moves: readonly PoolMove[]
}

export type Options = {
  /** Pools in which it is this person's turn, though others may wait. */
  readonly turn?: ReadonlySet<PoolName>
  /** The seat that is to be pinned, or no longer. */
  readonly pin?: { readonly name: PoolName; readonly pinned: boolean } | undefined
}

/**
 * The one way in which seats change: decides what follows from a person's facts (domain/seat-decision.ts) and says how
 * it is written. One transaction holds the person's row, its seats, the pools' counts on the condition that nobody is
 * given what is not there, the queue, the counts of the dashboard, and the events. Whatever of it was decided on facts
 * that have changed since fails, and is decided anew.
 *
 * @param facts the person as it is to be; its seats and pending ones follow
 */
export function adjustSeats(
  before: Person | undefined,
  facts: User,
  seating: TenantSeating,
  now: Instant,
  { turn = new Set(), pin }: Options = {},
): Adjustment {
  const held = before?.seats ?? []
  const waited = before?.user.pending ?? []
  const decided = decideSeats(facts, held, seating, now, turn)
  const plan = {
    ...decided,
    seats: decided.seats.map((seat) =>
      poolName(seat) === pin?.name ? { ...seat, pinned: pin.pinned } : seat,
    ),
  }
  const { tenantId, id } = facts
  const { former, ...lasting } = facts
  const user: User = {
    ...lasting,
    ...(before !== undefined && before.user.revision !== facts.revision && { modifiedAt: now }),
    ...(facts.status === 'archived' && former && { former }),
    pending: [...plan.pending],
    holds: plan.seats.map(poolName).toSorted(),
  }
  const after: Person = { user, seats: plan.seats }

  const writes: Record<string, Action> = { ...writeUser(before?.user, user) }
  for (const seat of plan.seats) {
    const old = held.find(({ productId, metric }) => productId === seat.productId && metric === seat.metric)
    if (isSame(old, seat)) continue
    const item = seatItem(tenantId, seat)
    writes[`seat ${poolName(seat)}`] = {
      kind: 'put',
      item,
      condition: old === undefined ? 'attribute_not_exists(pk)' : 'attribute_exists(pk)',
    }
  }
  const gone = held.filter((seat) => !plan.seats.some((one) => poolName(one) === poolName(seat)))
  for (const seat of gone)
    writes[`seat ${poolName(seat)}`] = {
      kind: 'remove',
      key: seatKey(tenantId, id, seat.productId, seat.metric),
      condition: 'attribute_exists(pk)',
    }

  const [rowsBefore, rowsAfter] = [rows(waited), rows(plan.pending)]
  for (const [row, pending] of rowsBefore)
    if (!rowsAfter.has(row)) writes[`no longer pending ${row}`] = dropPending(tenantId, id, pending)
  for (const [row, pending] of rowsAfter)
    if (!rowsBefore.has(row)) writes[`pending ${row}`] = addPending(tenantId, id, pending)

  const serve: TenantPool[] = []
  const moves: PoolMove[] = []
  const places = new Map(
    [...held, ...plan.seats, ...waited, ...plan.pending].map((one) => [poolName(one), one]),
  )
  for (const [name, { productId, metric }] of places) {
    const place = { productId, metric }
    Object.assign(writes, poolWrites(name, place))
  }
  Object.assign(writes, addCounts(tenantId, countChange()))
  const lookAt = nextLook(before, after, seating, now)
  if (lookAt !== undefined) writes['look at seats'] = lookAtSeats(tenantId, id, lookAt)

  const newlyPending = plan.pending.filter((one) => !waited.some((old) => poolName(old) === poolName(one)))
  return {
    after,
    writes,
    events: events(),
    refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
    serve,
    newlyPending,
    moves,
  }

  function poolWrites(name: PoolName, place: TenantPool): Record<string, Action> {
    const { productId, metric } = place
    const own = <T extends TenantPool>(all: readonly T[]) => all.find((one) => poolName(one) === name)
    const [old, next] = [own(held), own(plan.seats)]
    const isTaken = own(plan.taken) !== undefined
    const isWaiting = (all: readonly Pending[]) =>
      Number(all.some((one) => poolName(one) === name && isQueued(one)))
    const queued = isWaiting(plan.pending) - isWaiting(waited)
    const assigned = Number(next !== undefined) - Number(old !== undefined)
    const reservations = seating.reservations.get(name) ?? []
    const reservationOf = (seat: Seat | undefined) =>
      reservations.find(({ organizationId }) => organizationId === seat?.reservedBy)
    const [left, used] = [reservationOf(old), reservationOf(next)]
    const actions: Record<string, Action> = {}
    let kept = 0
    if (left !== used) {
      if (left !== undefined) {
        actions[`reservation left ${name}`] = useReservation(tenantId, left, -1)
        kept += left.used <= left.seats ? 1 : 0
      }
      if (used !== undefined) {
        actions[`reservation ${name}`] = useReservation(tenantId, used, 1)
        kept -= 1
      }
    }
    const committed = assigned + kept
    const pool = seating.pools.get(name) ?? EMPTY_POOL
    const limit = seating.terms.get(name)?.limit ?? 0
    // It waits, perhaps behind others, though there is a place that may be this person's: a reserved one, for example.
    const isOpen = pool.committed < limit || reservations.some((one) => one.used < one.seats)
    const isServed = isOpen && isWaiting(plan.pending) > 0
    if (isServed) serve.push(place)
    const isMoved = left !== used
    moves.push({
      ...place,
      assigned,
      committed,
      queued,
      used: {
        ...(isMoved && left && { [left.organizationId]: -1 }),
        ...(isMoved && used && { [used.organizationId]: 1 }),
      },
    })
    if (assigned === 0 && committed === 0 && queued === 0 && !isTaken) return actions
    const joins = queued > 0
    if (!pool.isManaged)
      actions[`managed ${name}`] = { kind: 'put', item: managedSeatsItem(tenantId, productId, metric) }
    actions[`pool ${name}`] = changeSeatPool(tenantId, place, {
      assigned,
      committed,
      queued,
      ...((isTaken || joins) && { fence: pool.fence }),
      ...(isTaken && { assignedAtMost: limit - assigned, nobodyWaits: !turn.has(name) }),
      ...(isTaken && used === undefined && { committedAtMost: limit - committed }),
      ...(joins && { fullAt: limit }),
    })
    if (joins) {
      // A place that an organization of the person's is kept must still be taken, too.
      const path = pathOf(facts.organizationId, seating.organizations)
      for (const one of reservations)
        if (one.used >= one.seats && one.seats > 0 && path.includes(one.organizationId))
          actions[`reservation full ${one.organizationId} ${name}`] = useReservation(tenantId, one, 0)
    }
    const frees = assigned < 0 || committed < 0 || kept > 0
    if (frees && !isServed) serve.push(place)
    return actions
  }

  function countChange() {
    const firstDay = firstDayOf(now, COUNTED_DAYS, seating.tenant.timeZone)
    const was = before ? countsOf(before.user, held, waited, firstDay) : new Map()
    return difference(was, countsOf(user, plan.seats, plan.pending, firstDay))
  }

  function events(): EventDraft[] {
    const about = (type: EventDraft['type']) => ({ type, tenantId, subject: { type: 'user', id } })
    const isRetaken = (seat: Seat) => plan.seats.some((one) => poolName(one) === poolName(seat))
    const isHeld = (seat: Seat) => held.some((one) => poolName(one) === poolName(seat))
    return [
      ...plan.freed
        .filter((seat) => !isRetaken(seat))
        .map((seat) => ({ ...about('seat.freed'), before: told(seat) })),
      ...plan.taken
        .filter((seat) => !isHeld(seat))
        .map((seat) => ({ ...about('seat.assigned'), after: told(seat) })),
      ...plan.pending
        .filter((one) => !waited.some((old) => poolName(old) === poolName(one) && old.reason === one.reason))
        .map((one) => ({ ...about('seat.pending'), after: told(one) })),
      ...waited
        .filter(
          (old) =>
            !plan.pending.some((one) => poolName(one) === poolName(old)) &&
            !plan.seats.some((one) => poolName(one) === poolName(old)),
        )
        .map((old) => ({ ...about('seat.no-longer-pending'), before: told(old) })),
    ]
  }
}

const told = ({ ...fields }: Seat | Pending): Record<string, unknown> => fields

/** By what their rows are known: a row that only says something else about the same is the same. */
function rows(all: readonly Pending[]): Map<string, Pending> {
  return new Map(
    all.map((one) => [[poolName(one), isQueued(one) ? 'queued' : 'blocked', one.since].join(' '), one]),
  )
}
