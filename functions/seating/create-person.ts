import type { EventDraft } from '../../shared/domain/event.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { type User, userView } from '../../shared/domain/user.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { newUserId, type TenantId } from '../../shared/platform/ids.ts'
import { tenantKey } from '../../shared/store/keys.ts'
import { checkLive } from '../../shared/store/transact.ts'
import type { Person } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import { untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { adjustSeats } from './adjust-seats.ts'
import { addressesTaken, changePerson, placeOf } from './change-person.ts'
import { readSeating, type TenantSeating } from './seating.ts'

/** A person in the making, of whom nothing is known yet. */
type BlankPerson = Omit<User, 'name'>

/**
 * Makes a person, with the seats that follow from what it is.
 *
 * @param draft.next says who it is
 * @param draft.mayWait though the tenant wants roles refused for which no seat is free, they may be left pending
 */
export function createPerson<Reply extends object>(
  call: CommitRequest,
  services: VerifyingServices,
  tenantId: TenantId,
  draft: { readonly next: (blank: BlankPerson, seating: TenantSeating) => User; readonly mayWait?: boolean },
  replyOf: (person: Person) => Reply,
): Promise<Reply | Refusal | Replayed> {
  return untilFresh<Reply | Replayed>(async () => {
    const seating = await readSeating(services, tenantId, call.now)
    if (seating === undefined) return notFound
    const decided = decideCreation(call, seating, draft)
    if (isRefusal(decided)) return decided
    const { adjustment, after, ...rest } = decided
    return changePerson(call, services, seating, adjustment, {
      ...rest,
      reply: replyOf(after),
      ...(draft.mayWait && { mayWait: true }),
    })
  })
}

/** What making a person comes to, with its events and what has to be so besides; writes nothing. */
export function decideCreation(
  call: Pick<CommitRequest, 'caller' | 'now'>,
  seating: TenantSeating,
  draft: { readonly next: (blank: BlankPerson, seating: TenantSeating) => User },
) {
  const { id: tenantId } = seating.tenant
  const blank: BlankPerson = {
    id: newUserId(call.now),
    tenantId,
    roles: [],
    status: 'active',
    direct: [],
    withheld: [],
    pending: [],
    holds: [],
    createdAt: call.now,
    revision: 1,
    version: 0,
  }
  const user = draft.next(blank, seating)
  const place = placeOf(user, call, seating)
  if (isRefusal(place)) return place
  const adjustment = adjustSeats(undefined, user, seating, call.now)
  const after = { ...adjustment.after, user: { ...adjustment.after.user, version: 1 } }
  const events: EventDraft[] = [
    {
      type: 'user.created',
      tenantId,
      subject: { type: 'user', id: user.id },
      after: userView(after.user),
    },
  ]
  return {
    adjustment,
    after,
    events,
    writes: { ...place.writes, tenant: checkLive(tenantKey(tenantId)) },
    refusals: {
      ...place.refusals,
      ...addressesTaken(user),
      tenant: refuse('ARCHIVED', 'The tenant is archived.'),
    },
  }
}
