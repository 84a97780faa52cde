import { epochMilliseconds, type Instant } from '../platform/time.ts'
import type { Activation } from './activation.ts'
import { nextMove } from './activation-allowance.ts'
import { activationFindings } from './activation-findings.ts'
import type { MachineTerms } from './activation-terms.ts'
import type { MachineFacts } from './explain-machine.ts'
import { type Cure, cheapestFirst, free, purchase, type Sight } from './explanation.ts'
import { deathOf, isDead } from './heartbeat.ts'

const ACTIVATE = free('caller', 'Activate the machine (POST /v1/activations).')

/** What gets a machine its place, or back to life. */
export function machineCures(
  { terms, pool, activation, asked, machines, became }: MachineFacts & { readonly terms: MachineTerms },
  sight: Sight,
  now: Instant,
): Cure[] {
  if (became !== undefined) return [ACTIVATE]
  if (asked === undefined) {
    return activation ? activationFindings({ activation }, now).map(({ cure }) => free('caller', cure)) : []
  }
  const { place } = asked
  const more = purchase(`Buy ${Math.max(1, pool.used + 1 - terms.size.limit)} more machines.`)
  switch (place.is) {
    case 'taken':
      return takenCures(place.living, activation, sight)
    case 'refused': {
      const at = nextMove(pool.moves, terms, now)
      return cheapestFirst([
        ...(at
          ? [free('nobody', `Wait until ${at}: the next place may go to another machine then.`, { at })]
          : []),
        free(
          'vendor',
          'Ask the vendor to reset the machines (POST /v1/tenants/{tenantId}/activations/reset).',
        ),
        ...(activation ? [] : [more]),
      ])
    }
    case 'full':
      return cheapestFirst([...idleCures(machines, sight, now), more])
    default:
      return []
  }
}

/** Its components belong to a machine that lives. */
function takenCures(
  living: readonly Activation[],
  moving: Activation | undefined,
  { others, administrator }: Sight,
): Cure[] {
  const ids = living.map(({ id, name }) => (name && others ? `${id} (${name})` : id)).join(', ')
  const [only, ...more] = living
  return cheapestFirst([
    ...(moving === undefined && only !== undefined && more.length === 0
      ? [
          free(
            'caller',
            `If it is that machine with parts replaced, move its place: POST /v1/tenants/{tenantId}/activations/${only.id}/move.`,
          ),
        ]
      : []),
    free('tenant', `Ask ${administrator} to deactivate ${ids}, if it is used no more.`),
  ])
}

/** Places that others do not use: those that die by themselves, and those not heard of for longest. */
function idleCures(machines: readonly Activation[], { others, administrator }: Sight, now: Instant): Cure[] {
  const deaths = machines.flatMap(({ pulse }) => (isDead(pulse, now) ? [] : (deathOf(pulse, now) ?? [])))
  const at = deaths.toSorted().at(0)
  const heardOf = ({ pulse, activatedAt }: Activation) => pulse.lastAt ?? activatedAt
  const idle = machines
    .toSorted((a, b) => epochMilliseconds(heardOf(a)) - epochMilliseconds(heardOf(b)))
    .at(0)
  const which =
    others && idle
      ? `: ${[idle.id, idle.name ?? idle.hostname].filter(Boolean).join(' ')}, not heard of since ${heardOf(idle)}`
      : ''
  return [
    ...(others && at
      ? [free('nobody', `Wait until ${at}: a place is free then, unless its machine is heard of.`, { at })]
      : []),
    free('tenant', `Ask ${administrator} to deactivate a machine that is used no more${which}.`),
  ]
}
