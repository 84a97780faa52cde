import type { EventDraft } from './event.ts'
import { type Pending, poolName, type Seat, type TenantPool } from './seat.ts'
import type { SeatPlan } from './seat-decision.ts'
import type { User } from './user.ts'

/** What a person had of pools before a change: at most one seat of each, or one that it waits for. */
export type Had = { readonly seats: readonly Seat[]; readonly pending: readonly Pending[] }

/** Is there one of the same pool? */
export const isAmong = (all: readonly TenantPool[], one: TenantPool): boolean =>
  all.some((other) => poolName(other) === poolName(one))

/** What is told of a person's seats. A seat that moves between reservations is neither freed nor assigned. */
export function seatEvents(
  { tenantId, id }: Pick<User, 'tenantId' | 'id'>,
  had: Had,
  { seats, pending, taken, freed }: SeatPlan,
): EventDraft[] {
  const about = (type: EventDraft['type']) => ({ type, tenantId, subject: { type: 'user', id } })
  const isToldBefore = (one: Pending) =>
    had.pending.some((old) => poolName(old) === poolName(one) && old.reason === one.reason)
  return [
    ...freed
      .filter((seat) => !isAmong(seats, seat))
      .map((seat) => ({ ...about('seat.freed'), before: told(seat) })),
    ...taken
      .filter((seat) => !isAmong(had.seats, seat))
      .map((seat) => ({ ...about('seat.assigned'), after: told(seat) })),
    ...pending
      .filter((one) => !isToldBefore(one))
      .map((one) => ({ ...about('seat.pending'), after: told(one) })),
    ...had.pending
      .filter((old) => !isAmong(pending, old) && !isAmong(seats, old))
      .map((old) => ({ ...about('seat.no-longer-pending'), before: told(old) })),
  ]
}

const told = ({ ...fields }: Seat | Pending): Record<string, unknown> => fields
