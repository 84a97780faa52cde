import { type Activation, type ActivationView, activationView } from '../../shared/domain/activation.ts'
import { type MovesLeft, movesLeft } from '../../shared/domain/activation-allowance.ts'
import type { Component } from '../../shared/domain/fingerprint.ts'
import { nextBeat } from '../../shared/domain/heartbeat.ts'
import { newPulse } from '../../shared/domain/heartbeat-terms.ts'
import { isRefusal, notFound, type Refusal } from '../../shared/domain/refusal.ts'
import type { Replayed } from '../../shared/platform/http/contract.ts'
import { newActivationId } from '../../shared/platform/ids.ts'
import type { Instant } from '../../shared/platform/time.ts'
import { activationItem, readActivation, removeActivation } from '../../shared/store/activation.ts'
import { passFingerprints } from '../../shared/store/activation-fingerprints.ts'
import { changeMachines } from '../../shared/store/activation-pool.ts'
import { putOnce } from '../../shared/store/transact.ts'
import { planMove } from '../machine-plan.ts'
import { fingerprintTaken, lookAt, ownersOf } from '../machine-situation.ts'
import { admit, noteOf, type PlacedRequest } from '../places.ts'
import { untilFresh } from '../until-fresh.ts'
import type { Machine } from './activate.ts'
import { eventOf, flagged, reclaims, refusalsOf, seenUntil, type Timed } from './changes.ts'
import { makeWay } from './make-way.ts'
import type { ActivationServices } from './services.ts'

type Moved = { activation: ActivationView; nextHeartbeat?: Instant; moves?: MovesLeft }

/**
 * Gives the place of a machine to another, if it may be used where it is: the old row and its fingerprints go, the new
 * ones come, the count stays, in one transaction. The new machine gets an id of its own, so that the old one's no longer
 * works. A move counts against the allowance unless the machine is one seen before, or the old one with a part replaced.
 */
export function move(
  call: Timed<PlacedRequest>,
  { tenantId, id: oldId }: Activation,
  fingerprints: readonly Component[],
  { country, ...told }: Omit<Machine, 'fingerprints' | 'offline'>,
  services: ActivationServices,
): Promise<Moved | Refusal | Replayed> {
  const { table, commit } = services
  const { now, caller } = call
  return untilFresh(attempt)

  async function attempt(): Promise<Moved | Refusal | Replayed> {
    const old = await readActivation(table, tenantId, oldId)
    if (old === undefined) return notFound
    const { productId } = old
    const licenseId = caller.kind === 'license' ? caller.licenseId : undefined
    const asking = { tenantId, productId, ...(licenseId && { licenseId }) }
    const situation = await lookAt(asking, fingerprints, now, services)
    if (isRefusal(situation)) return situation
    const who = {
      userId: told.userId ?? old.userId,
      activation: ownersOf(situation, now).same,
      machine: fingerprints,
    }
    const seen = await admit(call, situation.terms.givers, country, who, services)
    if (isRefusal(seen)) return seen
    const plan = planMove(situation, old, now)
    if (plan.is === 'taken') return fingerprintTaken(plan.living)
    if (plan.is === 'refused') return plan.refusal
    if (plan.is === 'behind') return (await makeWay(call, situation, plan.leaving, services)) ?? attempt()
    const { dead, after } = plan
    const { pool, terms, components } = situation
    const { deactivations: rule, license } = terms
    const { name: _, platform: __, hostname: ___, userId, ...kept } = old
    const activation: Activation = {
      ...kept,
      ...(userId && { userId }),
      ...told,
      id: newActivationId(now),
      licenseId: license.id,
      scope: terms.scope,
      components,
      offline: false,
      pulse: newPulse(terms.heartbeat, now),
      activatedAt: now,
      movedFrom: old.id,
      version: 1,
    }
    const note = noteOf(seen)
    const writes = {
      pool: changeMachines(tenantId, productId, {
        used: -dead.length,
        overdrawn: -flagged(dead),
        ...(rule && { moves: after.moves }),
        seen: { fence: pool.fence, ...(rule && { moves: pool.moves }) },
      }),
      old: removeActivation(old),
      activation: putOnce(activationItem(activation)),
      ...reclaims(dead),
      ...passFingerprints([old, ...dead], activation, seenUntil(terms, now)),
      ...note.writes,
    }
    const view = activationView(activation, now)
    const nextHeartbeat = nextBeat(activation.pulse, now, Math.random())
    const moves = movesLeft(terms, after, now)
    return commit(call, {
      writes,
      events: [
        { ...eventOf('activation.moved', old), before: activationView(old, now), after: view },
        ...dead.map((one) => ({
          ...eventOf('activation.reclaimed', one),
          before: activationView(one, now),
        })),
        ...note.events,
      ],
      reply: { activation: view, ...(nextHeartbeat && { nextHeartbeat }), ...(moves && { moves }) },
      refusals: refusalsOf(writes),
    })
  }
}
