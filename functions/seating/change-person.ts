import { isSame } from '../../shared/domain/canonical-json.ts'
import type { EventDraft } from '../../shared/domain/event.ts'
import { seesOrganization } from '../../shared/domain/organization.ts'
import { isRefusal, notFound, type Refusal, refuse } from '../../shared/domain/refusal.ts'
import { changes } from '../../shared/domain/revision.ts'
import { byPool } from '../../shared/domain/seat.ts'
import { checkCooldown } from '../../shared/domain/seat-cooldown.ts'
import { checkRoom, type PersonView, type User, userView } from '../../shared/domain/user.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import type { ProductId, TenantId, UserId } from '../../shared/platform/ids.ts'
import type { Decision } from '../../shared/store/commit.ts'
import { organizationKey } from '../../shared/store/keys.ts'
import { type Action, checkLive, TRANSACTION_LIMIT } from '../../shared/store/transact.ts'
import { type Person, readPerson } from '../../shared/store/user.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import type { VerifyingServices } from '../verified.ts'
import { type Adjustment, adjustSeats, type Options } from './adjust-seats.ts'
import { productsOf, readSeating, type TenantSeating } from './seating.ts'
import { refuseShortage } from './seats-exhausted.ts'
import { serveWaiting } from './serve-seats.ts'

export const personView = ({ user, seats }: Person): PersonView => ({
  ...userView(user),
  seats: seats.toSorted((a, b) => (a.assignedAt < b.assignedAt ? -1 : 1)),
})

/** What is told of a change of a person, and done with it. */
type Rest<Reply> = {
  readonly events: readonly EventDraft[]
  readonly reply: Reply
  readonly writes?: Record<string, Action>
  readonly refusals?: Record<string, Refusal>
  /** Even so seats may be left pending. */
  readonly mayWait?: boolean
}

/**
 * A change of a person with its seats, ready to be committed. That the tenant wants a role refused for which no seat is
 * free is seen to here.
 */
export async function decidePerson<Reply>(
  call: Pick<CommitRequest, 'caller' | 'now'>,
  { table }: Pick<VerifyingServices, 'table'>,
  seating: TenantSeating,
  adjustment: Adjustment,
  rest: Rest<Reply>,
): Promise<Decision<Reply, string> | Refusal> {
  const { after, newlyPending } = adjustment
  const full = checkRoom(after.user)
  if (full) return full
  if (seating.policy.onShortage === 'refuse' && !rest.mayWait) {
    const [first] = newlyPending
    if (first !== undefined) return refuseShortage(table, seating, after.user, first, call)
  }
  const writes = { ...adjustment.writes, ...rest.writes }
  const events = [...rest.events, ...adjustment.events]
  if (Object.keys(writes).length + events.length + 1 > TRANSACTION_LIMIT)
    return refuse('TOO_MUCH_AT_ONCE', `${Object.keys(writes).length} rows would change in one transaction.`)
  return { writes, events, reply: rest.reply, refusals: { ...adjustment.refusals, ...rest.refusals } }
}

/** Commits a change of a person with its seats, then serves those who wait where it freed some. */
export async function changePerson<Reply>(
  call: CommitRequest,
  services: VerifyingServices,
  seating: TenantSeating,
  adjustment: Adjustment,
  rest: Rest<Reply>,
): Promise<Reply | Refusal | Replayed> {
  const decision = await decidePerson(call, services, seating, adjustment, rest)
  return isRefusal(decision) ? decision : commitPerson(call, services, adjustment, decision)
}

async function commitPerson<Reply>(
  call: CommitRequest,
  services: VerifyingServices,
  { after, serve }: Pick<Adjustment, 'after' | 'serve'>,
  decision: Decision<Reply, string>,
): Promise<Reply | Refusal | Replayed> {
  const done = await services.commit(call, decision)
  if (!isRefusal(done)) await serveWaiting(call, services, after.user.tenantId, serve)
  return done
}

/** What is to become of a person. `check` is asked once it is known what follows for its seats. */
type PersonChange = {
  readonly event: EventDraft['type']
  readonly reason?: string | undefined
  readonly next: (person: Person, seating: TenantSeating) => User | Refusal | Promise<User | Refusal>
  /** What has to be so besides, of what `next` decided on. */
  readonly also?: () => Told
  readonly check?: (adjustment: Adjustment, seating: TenantSeating) => Promise<Refusal | undefined>
  readonly mayWait?: boolean | undefined
  /** Somebody takes what it frees: within the cooldown of the tenant's policy that is refused. */
  readonly byHand?: boolean
  readonly pin?: Options['pin']
  /** Products that matter whatever the tenant holds. */
  readonly products?: readonly ProductId[]
}

/** Writes beside those of an adjustment, and what it means that the condition of one failed. */
type Told = { readonly writes: Record<string, Action>; readonly refusals: Record<string, Refusal> }

/** Changes a person that the caller may know of, with its seats, and answers its page. */
export function editPerson(
  call: CommitRequest,
  services: VerifyingServices,
  who: { tenantId: TenantId; userId: UserId },
  change: PersonChange,
): Promise<PersonView | Refusal | Replayed> {
  return editPersonFor(call, services, who, change, personView)
}

/** The same with another answer. */
export async function editPersonFor<Reply extends object>(
  call: CommitRequest,
  services: VerifyingServices,
  { tenantId, userId }: { tenantId: TenantId; userId: UserId },
  change: PersonChange,
  replyOf: (person: Person) => Reply,
): Promise<Reply | Refusal | Replayed> {
  return untilFresh<Reply | Replayed>(async () => {
    const person = await readPerson(services.table, tenantId, userId)
    if (person === undefined) return notFound
    const seating = await readSeating(services, tenantId, call.now, [
      ...productsOf(person),
      ...(change.products ?? []),
    ])
    const isSeen = seating && seesOrganization(call.caller, person.user.organizationId, seating.organizations)
    if (seating === undefined || !isSeen) return notFound
    const decided = await decideEdit(call, services, person, seating, change)
    if (isRefusal(decided)) return decided
    const { adjustment, decision } = decided
    const reply = replyOf(adjustment?.after ?? person)
    return adjustment === undefined
      ? services.commit(call, { ...decision, reply })
      : commitPerson(call, services, adjustment, { ...decision, reply })
  })
}

/** What a change comes to; without an adjustment nothing is another. */
type Edit = {
  readonly adjustment: Adjustment | undefined
  readonly decision: Decision<undefined, string>
}

/**
 * Decides a change of a person, and writes nothing: a preview ends here.
 *
 * @returns REVISION_OUTDATED only from `change.next`
 */
export async function decideEdit(
  call: Pick<CommitRequest, 'caller' | 'now'>,
  services: Pick<VerifyingServices, 'table'>,
  person: Person,
  seating: TenantSeating,
  change: PersonChange,
): Promise<Edit | Refusal> {
  const facts = await change.next(person, seating)
  if (isRefusal(facts)) return facts
  // Who left does not keep its organization from being archived.
  const isBack = person.user.status === 'archived' && facts.status !== 'archived'
  const isPlaced = isBack || facts.organizationId !== person.user.organizationId
  const placed = isPlaced && placeOf(facts, call, seating)
  if (isRefusal(placed)) return placed
  const adjustment = adjustSeats(person, facts, seating, call.now, { pin: change.pin })
  const refused = await change.check?.(adjustment, seating)
  if (refused) return refused
  const cooling = change.byHand && checkCooldown(person, adjustment.after.user, seating, call.now)
  if (cooling) return cooling
  const [before, after] = [userView(person.user), userView(adjustment.after.user)]
  const isNothing = isSame(before, after) && isSame(byPool(adjustment.after.seats), byPool(person.seats))
  const { id, tenantId } = facts
  if (isNothing)
    return { adjustment: undefined, decision: { writes: {}, events: [], reply: undefined, refusals: {} } }
  const also = change.also?.()
  const decision = await decidePerson(call, services, seating, adjustment, {
    events: [
      {
        type: change.event,
        tenantId,
        subject: { type: 'user', id },
        ...changes(before, after),
        ...(change.reason && { reason: change.reason }),
      },
    ],
    reply: undefined,
    ...(change.mayWait && { mayWait: true }),
    writes: { ...(placed ? placed.writes : {}), ...also?.writes },
    refusals: { ...(placed ? placed.refusals : {}), ...addressesTaken(facts), ...also?.refusals },
  })
  return isRefusal(decision) ? decision : { adjustment, decision }
}

/** Another person has the address, whoever came first. */
export function addressesTaken({
  email,
  externalId,
  directory,
}: Pick<User, 'email' | 'externalId' | 'directory'>) {
  return {
    'user name': refuse('PERSON_EXISTS', `Somebody has the user name ${directory?.userName ?? email}.`),
    email: refuse('PERSON_EXISTS', `Somebody has the e-mail address ${email}.`),
    'external id': refuse('PERSON_EXISTS', `Somebody has the external id ${externalId}.`),
  }
}

/** May the person be put there? The organization must be the caller's to see, and stay open until this is committed. */
export function placeOf(
  { organizationId, tenantId }: Pick<User, 'organizationId' | 'tenantId'>,
  { caller }: Pick<CommitRequest, 'caller'>,
  { organizations }: TenantSeating,
): Told | Refusal {
  if (!seesOrganization(caller, organizationId, organizations)) return notFound
  if (organizationId === undefined) return { writes: {}, refusals: {} }
  const organization = organizations.get(organizationId)
  if (organization === undefined) return notFound
  if (organization.archivedAt !== undefined) return refuse('ARCHIVED', `${organization.name} is archived.`)
  return {
    writes: { organization: checkLive(organizationKey(tenantId, organizationId)) },
    refusals: { organization: outdated },
  }
}
