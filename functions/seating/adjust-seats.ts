import { isSame } from '../../shared/domain/canonical-json.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
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
import { decideSeats, type SeatPlan } from '../../shared/domain/seat-decision.ts'
import { type Had, isAmong, seatEvents } from '../../shared/domain/seat-events.ts'
import type { PoolMove } from '../../shared/domain/seat-moves.ts'
import type { User } from '../../shared/domain/user.ts'
import type { TenantId, UserId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { seatKey } from '../../shared/store/keys.ts'
import { lookAtSeats } from '../../shared/store/reclaim.ts'
import { addCounts } from '../../shared/store/seat-counts.ts'
import { addPending, dropPending } from '../../shared/store/seat-pool.ts'
import type { Action } from '../../shared/store/transact.ts'
import { type Person, seatItem, writeUser } from '../../shared/store/user.ts'
import { outdated } from '../until-fresh.ts'
import { poolPart } from './pool-part.ts'
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
  const had: Had = { seats: before?.seats ?? [], pending: before?.user.pending ?? [] }
  const plan = pinned(decideSeats(facts, had.seats, seating, now, turn), pin)
  const { tenantId, id } = facts
  const after = personAfter(before, facts, plan, now)
  const places = new Map(
    [...had.seats, ...plan.seats, ...had.pending, ...plan.pending].map((one) => [poolName(one), one]),
  )
  const parts = [...places].map(([name, { productId, metric }]) =>
    poolPart({ productId, metric }, had, plan, facts, seating, turn.has(name)),
  )
  const lookAt = nextLook(before, after, seating, now)
  const writes: Record<string, Action> = {
    ...writeUser(before?.user, after.user),
    ...seatWrites(tenantId, id, had.seats, plan.seats),
    ...pendingWrites(tenantId, id, had.pending, plan.pending),
    ...Object.fromEntries(parts.flatMap((part) => Object.entries(part.writes))),
    ...addCounts(tenantId, countChange(before, after, seating, now)),
    ...(lookAt !== undefined && { 'look at seats': lookAtSeats(tenantId, id, lookAt) }),
  }
  return {
    after,
    writes,
    events: seatEvents(facts, had, plan),
    refusals: Object.fromEntries(Object.keys(writes).map((label) => [label, outdated])),
    serve: parts.filter(({ serves }) => serves).map(({ place }) => place),
    newlyPending: plan.pending.filter((one) => !isAmong(had.pending, one)),
    moves: parts.map(({ move }) => move),
  }
}

const pinned = (plan: SeatPlan, pin: Options['pin']): SeatPlan => ({
  ...plan,
  seats: plan.seats.map((seat) => (poolName(seat) === pin?.name ? { ...seat, pinned: pin.pinned } : seat)),
})

/** The person as it is written: what follows from the facts in place of what followed before. */
function personAfter(
  before: Person | undefined,
  facts: User,
  { seats, pending }: SeatPlan,
  now: Instant,
): Person {
  const { former, ...lasting } = facts
  const user: User = {
    ...lasting,
    ...(before !== undefined && before.user.revision !== facts.revision && { modifiedAt: now }),
    ...(facts.status === 'archived' && former && { former }),
    pending: [...pending],
    holds: seats.map(poolName).toSorted(),
  }
  return { user, seats }
}

function seatWrites(
  tenantId: TenantId,
  userId: UserId,
  before: readonly Seat[],
  after: readonly Seat[],
): Record<string, Action> {
  const writes: Record<string, Action> = {}
  for (const seat of after) {
    const old = before.find((one) => poolName(one) === poolName(seat))
    if (isSame(old, seat)) continue
    writes[`seat ${poolName(seat)}`] = {
      kind: 'put',
      item: seatItem(tenantId, seat),
      condition: old === undefined ? 'attribute_not_exists(pk)' : 'attribute_exists(pk)',
    }
  }
  for (const seat of before)
    if (!isAmong(after, seat))
      writes[`seat ${poolName(seat)}`] = {
        kind: 'remove',
        key: seatKey(tenantId, userId, seat.productId, seat.metric),
        condition: 'attribute_exists(pk)',
      }
  return writes
}

function pendingWrites(
  tenantId: TenantId,
  userId: UserId,
  before: readonly Pending[],
  after: readonly Pending[],
): Record<string, Action> {
  const writes: Record<string, Action> = {}
  const [rowsBefore, rowsAfter] = [rows(before), rows(after)]
  for (const [row, pending] of rowsBefore)
    if (!rowsAfter.has(row)) writes[`no longer pending ${row}`] = dropPending(tenantId, userId, pending)
  for (const [row, pending] of rowsAfter)
    if (!rowsBefore.has(row)) writes[`pending ${row}`] = addPending(tenantId, userId, pending)
  return writes
}

/** By what their rows are known: a row that only says something else about the same is the same. */
function rows(all: readonly Pending[]): Map<string, Pending> {
  return new Map(
    all.map((one) => [[poolName(one), isQueued(one) ? 'queued' : 'blocked', one.since].join(' '), one]),
  )
}

/** By how much the counts of the dashboard change. */
function countChange(before: Person | undefined, after: Person, { tenant }: TenantSeating, now: Instant) {
  const firstDay = firstDayOf(now, COUNTED_DAYS, tenant.timeZone)
  const of = ({ user, seats }: Person) => countsOf(user, seats, user.pending, firstDay)
  return difference(before ? of(before) : new Map(), of(after))
}
