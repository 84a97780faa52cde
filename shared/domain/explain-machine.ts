import { fromEpochMilliseconds, type Instant } from '../platform/time.ts'
import { type Activation, hashesOf, MACHINES } from './activation.ts'
import { movesLeft } from './activation-allowance.ts'
import { endOfPlaces } from './activation-file.ts'
import { activationFindings } from './activation-findings.ts'
import type { MachinePool } from './activation-pool.ts'
import { isNodeLocked, type MachineTerms } from './activation-terms.ts'
import { sourceSteps } from './explain.ts'
import { curesOf } from './explain-license.ts'
import { machineCures } from './explain-machine-cures.ts'
import {
  type Cure,
  type Explanation,
  elsewhereCures,
  type Prediction,
  type Sight,
  type Step,
  step,
} from './explanation.ts'
import { inCommon, needed } from './fingerprint.ts'
import { beaten, deathOf, isDead, stateAt } from './heartbeat.ts'
import type { Standing } from './holdings.ts'
import { limitOf } from './pool-terms.ts'
import { isRefusal, type Refusal } from './refusal.ts'

/** What activating a machine, or moving a place to it, comes to; as functions/machine-plan.ts decides it. */
type AskedPlace =
  | { readonly is: 'same'; readonly activation: Activation }
  | { readonly is: 'taken'; readonly living: readonly Activation[] }
  | { readonly is: 'full' }
  | { readonly is: 'behind'; readonly leaving: readonly Activation[] }
  | { readonly is: 'refused'; readonly refusal: Refusal }
  | { readonly is: 'place'; readonly overdraft: boolean; readonly reclaim: readonly Activation[] }
  | { readonly is: 'moved' }

export type MachineFacts = {
  readonly standings: readonly Standing[]
  readonly terms: MachineTerms | Refusal
  readonly pool: MachinePool
  /** The activation that is asked about by its id. */
  readonly activation?: Activation | undefined
  /** The machine that is asked about by its fingerprints, and what becomes of it; absent while nothing is in force. */
  readonly asked?:
    | {
        readonly components: Activation['components']
        readonly owners: readonly Activation[]
        readonly place: AskedPlace
      }
    | undefined
  /** All machines of the product, for who may know them: whose place could be had. */
  readonly machines: readonly Activation[]
  /** Why the licenses may not be used where the machine is. */
  readonly elsewhere?: Refusal | undefined
  /** What the record says became of an activation that is gone. */
  readonly became?: string | undefined
}

/**
 * A machine: does it have its place, or would it get one? Asked by its activation, by its fingerprints, or by both:
 * would the place of the one go to the other?
 */
export function explainMachine(facts: MachineFacts, sight: Sight, now: Instant): Explanation {
  const { standings, terms, pool, activation, asked, became } = facts
  const locked = standings.filter(isNodeLocked)
  const chain: Step[] = [
    ...sourceSteps(locked, MACHINES),
    isRefusal(terms)
      ? step('license in force', false, terms.detail)
      : step('license in force', true, `activations go by ${terms.license.id}`, terms.license.id),
  ]
  if (became !== undefined) chain.push(step('activated', false, became))
  if (activation) chain.push(...activationSteps(activation, terms, now))
  if (facts.elsewhere) chain.push(step('country', false, facts.elsewhere.detail))
  if (!isRefusal(terms)) {
    if (asked) chain.push(...askedSteps(asked, terms, now))
    chain.push(...poolSteps(asked?.place, terms, pool, facts.machines, now))
  }
  const verdict = verdictOf(facts, now)
  const predictions = predictionsOf(facts, now)
  return {
    granted: verdict.granted,
    summary: verdict.summary,
    chain,
    ...(predictions.length > 0 && { predictions }),
    cures: verdict.granted ? [] : curesFor(facts, locked, sight, now),
  }
}

function activationSteps(activation: Activation, terms: MachineTerms | Refusal, now: Instant): Step[] {
  const { id, name, hostname, activatedAt, licenseId, overdraft, offline, pulse } = activation
  const named = [id, name ?? hostname].filter(Boolean).join(' ')
  const beyond = overdraft ? ', beyond the capacity' : ''
  const [wrong] = activationFindings({ activation }, now)
  return [
    step('activated', true, `${named} since ${activatedAt}${beyond}`, licenseId),
    step('heartbeat', wrong === undefined, `${stateAt(pulse, now)}: ${heartbeat(activation, now)}`),
    ...(offline && !isRefusal(terms)
      ? [
          step(
            'offline file',
            true,
            `its file verifies until ${endOfPlaces(terms) ?? 'for ever'}, also after a deactivation`,
          ),
        ]
      : []),
  ]
}

function heartbeat({ offline, pulse }: Activation, now: Instant): string {
  const deadAt = deathOf(pulse, now)
  if (deadAt === undefined) return offline ? 'activated by file, none is asked for' : 'none is asked for'
  const heard = pulse.lastAt === undefined ? 'never heard of' : `last heard of ${pulse.lastAt}`
  if (!isDead(pulse, now)) return `${heard}, dead from ${deadAt} on unless it is heard of before`
  const revival = beaten(pulse, now) ? ` a heartbeat revives it${until(pulse.revivableUntil, now)},` : ''
  return `${heard}, dead since ${deadAt};${revival} its place is anybody’s`
}

/** A revival without an end is one of a thousand years. */
function until(milliseconds: number, now: Instant): string {
  const end = deathOf({ aliveUntil: milliseconds }, now)
  return end === undefined ? '' : ` until ${fromEpochMilliseconds(milliseconds)}`
}

function askedSteps(
  { components, owners, place }: NonNullable<MachineFacts['asked']>,
  terms: MachineTerms,
  now: Instant,
): Step[] {
  const given = hashesOf({ components })
  const scope = { product: 'the product', plan: 'its plan', license: 'its license' }[
    terms.scope.split(':')[0] ?? ''
  ]
  const isOwn = place.is === 'same'
  const shares = owners.map((one) => {
    const registered = hashesOf(one)
    const dead = isDead(one.pulse, now) ? ', dead' : ''
    return `${one.id}${one.name ? ` (${one.name})` : ''} has ${inCommon(registered, given)} of its ${registered.length} in common, ${needed(terms.match, registered.length)} are needed${dead}`
  })
  return [
    step(
      'same machine',
      isOwn || owners.length === 0,
      `${given.length} components sent, rule ${terms.match}, unique within ${scope}: ${shares.join('; ') || 'none of them is known'}`,
    ),
    ...(place.is === 'taken'
      ? [step('components are free', false, `taken by ${place.living.map(({ id }) => id).join(', ')}`)]
      : []),
  ]
}

function poolSteps(
  place: AskedPlace | undefined,
  terms: MachineTerms,
  pool: MachinePool,
  machines: readonly Activation[],
  now: Instant,
): Step[] {
  const { capacity, limit } = terms.size
  const dead = machines.filter(({ pulse }) => isDead(pulse, now)).length
  const overdraft =
    limit > capacity ? `, ${limitOf(limit)} with overdraft (${pool.overdrawn} of it granted)` : ''
  const beyond = place?.is === 'place' && place.overdraft ? '; granted beyond the capacity' : ''
  const moves = movesLeft(terms, pool, now)
  return [
    step(
      'place',
      place?.is !== 'full',
      `${pool.used} of ${limitOf(capacity)} taken${overdraft}${dead > 0 ? `, ${dead} of them by dead machines` : ''}${beyond}`,
    ),
    ...(moves
      ? [
          step(
            'allowance',
            place?.is !== 'refused',
            place?.is === 'refused'
              ? place.refusal.detail
              : `${moves.left} of ${moves.allowed} places per ${terms.deactivations?.period} may still go to another machine; ${pool.freed} freed and not taken again`,
          ),
        ]
      : []),
  ]
}

type Verdict = { readonly granted: boolean; readonly summary: string }

function verdictOf({ terms, activation, asked, became, elsewhere }: MachineFacts, now: Instant): Verdict {
  const no = (summary: string): Verdict => ({ granted: false, summary })
  if (became !== undefined) return no('This activation is over.')
  if (isRefusal(terms)) return no(terms.detail)
  if (elsewhere) return no(elsewhere.detail)
  if (asked === undefined) {
    const [wrong] = activation ? activationFindings({ activation }, now) : []
    return wrong ? no(wrong.detail) : { granted: true, summary: 'It is activated and has its place.' }
  }
  const what = activation === undefined ? 'be activated' : 'get the place'
  switch (asked.place.is) {
    case 'same':
      return { granted: true, summary: `It is activated already, as ${asked.place.activation.id}.` }
    case 'place':
    case 'behind':
    case 'moved':
      return { granted: true, summary: `It would ${what} now.` }
    case 'taken':
      return no(`It cannot ${what}: a component of it belongs to another machine.`)
    case 'full':
      return no(`It cannot ${what}: every place is taken.`)
    case 'refused':
      return no(`It cannot ${what}: ${asked.place.refusal.detail}`)
  }
}

function predictionsOf({ terms, activation, asked, elsewhere }: MachineFacts, now: Instant): Prediction[] {
  const base = '/v1/tenants/{tenantId}/activations/{activationId}'
  const code = isRefusal(terms) ? terms.refused : (elsewhere?.refused ?? (asked && codeOf(asked.place)))
  if (activation === undefined)
    return code === undefined ? [] : [{ operation: 'POST /v1/activations', outcome: code }]
  return [
    {
      operation: 'POST /v1/activations/heartbeat',
      outcome: beaten(activation.pulse, now) ? 'OK' : 'ACTIVATION_DEAD',
    },
    ...(asked || isRefusal(terms) ? [{ operation: `POST ${base}/move`, outcome: code ?? 'OK' }] : []),
    { operation: `DELETE ${base}`, outcome: 'OK' },
  ]
}

function codeOf(place: AskedPlace): string {
  switch (place.is) {
    case 'taken':
      return 'FINGERPRINT_TAKEN'
    case 'full':
      return 'ACTIVATIONS_EXHAUSTED'
    case 'refused':
      return place.refusal.refused
    default:
      return 'OK'
  }
}

function curesFor(facts: MachineFacts, locked: readonly Standing[], sight: Sight, now: Instant): Cure[] {
  const { terms } = facts
  if (isRefusal(terms)) return curesOf(locked, 'Buy a node-locked license.')
  if (facts.elsewhere) return elsewhereCures(facts.elsewhere)
  return machineCures({ ...facts, terms }, sight, now)
}
