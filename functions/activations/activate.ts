import { type Activation, activationView } from '../../shared/domain/activation.ts'
import type { MachineTerms } from '../../shared/domain/activation-terms.ts'
import type { Component } from '../../shared/domain/fingerprint.ts'
import { newPulse } from '../../shared/domain/heartbeat-terms.ts'
import { isRefusal, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { newActivationId } from '../../shared/platform/ids.ts'
import { activationItem, takeOffline } from '../../shared/store/activation.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines } from '../../shared/store/activation-pool.ts'
import { putOnce } from '../../shared/store/transact.ts'
import { planActivation } from '../machine-plan.ts'
import {
  findPromoted,
  fingerprintTaken,
  lookAt,
  type MachineAsking,
  ownersOf,
  type Situation,
} from '../machine-situation.ts'
import { admit, noteOf, type PlacedRequest, type SeenPlace } from '../places.ts'
import type { CommitRequest } from '../services.ts'
import { outdated, untilFresh } from '../until-fresh.ts'
import { eventOf, flagged, promotions, reclaims, refusalsOf, seenUntil, type Timed } from './changes.ts'
import { exhausted } from './exhausted.ts'
import { makeWay } from './make-way.ts'
import type { ActivationServices } from './services.ts'

export type Machine = Partial<Pick<Activation, 'name' | 'platform' | 'hostname' | 'userId'>> & {
  readonly fingerprints: readonly Component[]
  readonly offline: boolean
  /** Where it is, as the caller says. */
  readonly country?: string | undefined
}

/** Answers for an activation, that was `created` or there before. */
export type ReplyOf<Reply> = (
  activation: Activation,
  created: boolean,
  terms: MachineTerms,
) => Promise<Reply> | Reply

/**
 * Activates a machine, or answers its activation where there is one. A grant is one transaction: the pool's count on
 * condition that it stays within the limit the licenses gave when it was decided, the row, its fingerprints, whatever
 * dead machine has to go for it, and the events.
 */
export function activate<Reply>(
  call: Timed<PlacedRequest>,
  asking: MachineAsking,
  machine: Machine,
  services: ActivationServices,
  replyOf: ReplyOf<Reply>,
): Promise<Reply | Refusal | Replayed> {
  return untilFresh(() => attempt(call, asking, machine, services, replyOf))
}

async function attempt<Reply>(
  call: Timed<PlacedRequest>,
  asking: MachineAsking,
  machine: Machine,
  services: ActivationServices,
  replyOf: ReplyOf<Reply>,
): Promise<Reply | Refusal | Replayed> {
  const { now } = call
  const { table } = services
  const situation = await lookAt(asking, machine.fingerprints, now, services)
  if (isRefusal(situation)) return situation
  const { pool, terms } = situation
  const seen = await admitted(call, machine, situation, services)
  if (isRefusal(seen)) return seen
  const plan = await planActivation(situation, table, now)
  if (plan.is === 'same') return again(call, plan.activation, machine, seen, terms, services, replyOf)
  if (plan.is === 'taken') return fingerprintTaken(plan.living)
  if (plan.is === 'full') return exhausted(call, asking, terms, pool, table)
  if (plan.is === 'refused') return plan.refusal
  if (plan.is === 'behind') {
    const refused = await makeWay(call, situation, plan.leaving, services)
    return refused ?? attempt(call, asking, machine, services, replyOf)
  }

  const { overdraft, reclaim, allowed } = plan
  const change = { used: 1 - reclaim.length, overdrawn: Number(overdraft) - flagged(reclaim) }
  const promoted = await findPromoted(table, asking, pool, terms, change, reclaim)
  const { capacity, limit } = terms.size
  const activation = newActivation(call, asking, machine, situation, overdraft)
  const note = noteOf(seen)
  const writes = {
    pool: changeMachines(asking.tenantId, asking.productId, {
      ...allowed,
      used: change.used,
      overdrawn: change.overdrawn - promoted.length,
      // Within these the place is what it was found to be, whoever else got one meanwhile.
      atMost: Math.min((overdraft ? limit : capacity) - change.used, Number.MAX_SAFE_INTEGER),
      ...(overdraft && { atLeast: capacity + 1 - change.used }),
      seen: {
        ...allowed.seen,
        ...(promoted.length > 0 && { used: pool.used, overdrawn: pool.overdrawn }),
        fence: pool.fence,
      },
    }),
    activation: putOnce(activationItem(activation)),
    ...reclaims(reclaim),
    ...promotions(promoted),
    ...passFingerprints(reclaim, activation, seenUntil(terms, now)),
    ...note.writes,
  }
  return services.commit(call, {
    writes,
    events: [
      { ...eventOf('activation.created', activation), after: activationView(activation, now) },
      ...reclaim.map((one) => ({
        ...eventOf('activation.reclaimed', one),
        before: activationView(one, now),
        after: { by: activation.id },
      })),
      ...promoted.map((one) => eventOf('activation.promoted', one)),
      ...note.events,
    ],
    reply: await replyOf(activation, true, terms),
    refusals: refusalsOf(writes),
  })
}

/** May the machine be used where it is? */
function admitted(
  call: PlacedRequest,
  { country, userId, fingerprints }: Machine,
  situation: Situation,
  services: ActivationServices,
): Promise<SeenPlace | undefined | Refusal> {
  const { same: activation } = ownersOf(situation, call.now)
  return admit(call, situation.terms.givers, country, { userId, activation, machine: fingerprints }, services)
}

/** The machine has its place. One that is activated by file now needs no heartbeats from now on. */
async function again<Reply>(
  call: CommitRequest,
  same: Activation,
  { offline }: Machine,
  seen: SeenPlace | undefined,
  terms: MachineTerms,
  services: ActivationServices,
  replyOf: ReplyOf<Reply>,
): Promise<Reply | Refusal | Replayed> {
  const { writes, events } = noteOf(seen)
  if (!offline || same.offline) {
    const reply = await replyOf(same, false, terms)
    return services.commit(call, { writes, events, reply, refusals: { place: outdated } })
  }
  const pulse = newPulse(undefined, call.now)
  const activation: Activation = { ...same, offline, pulse }
  return services.commit(call, {
    writes: { ...writes, activation: takeOffline(same, pulse) },
    events: [
      ...events,
      {
        ...eventOf('activation.taken-offline', same),
        before: activationView(same, call.now),
        after: activationView(activation, call.now),
      },
    ],
    reply: await replyOf(activation, false, terms),
    refusals: { activation: outdated, place: outdated },
  })
}

function newActivation(
  { now }: CommitRequest,
  { tenantId, productId }: MachineAsking,
  { fingerprints: _, country: __, offline, ...told }: Machine,
  { terms, components }: Situation,
  overdraft: boolean,
): Activation {
  return {
    id: newActivationId(now),
    tenantId,
    productId,
    licenseId: terms.license.id,
    scope: terms.scope,
    components,
    ...told,
    overdraft,
    offline,
    pulse: newPulse(offline ? undefined : terms.heartbeat, now),
    activatedAt: now,
    version: 1,
  }
}
