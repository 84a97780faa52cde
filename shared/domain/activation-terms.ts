import type { LicenseId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import { MACHINES } from './activation.ts'
import { byPrecedence, byRole } from './entitlement.ts'
import type { MatchRule } from './fingerprint.ts'
import { type Holdings, type Standing, standings } from './holdings.ts'
import type { License } from './license.ts'
import { type Size, sizeOf } from './overdraft.ts'
import { refuseOwn } from './own-license.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { Rules } from './terms.ts'

/** On what terms machines get places of a product now. */
export type MachineTerms = {
  /** The node-locked licenses in force, in the documented order of precedence; at least one. */
  readonly standings: readonly Standing[]
  readonly size: Size
  /**
   * Of these one has to cover where the machine is: the license that asks, if it gives places, else all that do. What only
   * lengthens or adds features lets nobody in.
   */
  readonly givers: readonly License[]
  /**
   * The license that an activation is written down under: the one that asks, else the first by type and id. A renewal must
   * not make it another: where components are unique within a license, each machine would be activated a second time.
   */
  readonly license: License
  readonly match: MatchRule
  /** Within what components are unique. */
  readonly scope: string
  readonly heartbeat: Rules['heartbeat']
  readonly deactivations: Rules['deactivations']
}

/**
 * The terms at an instant, or that nothing is in force. Places add up over all node-locked licenses that count, and
 * what adds to them; of each rule, the first license in the order of precedence that has it decides.
 *
 * @param asking the license whose key asks; it has to count itself
 */
export function machineTerms(
  holdings: Holdings,
  asking: LicenseId | undefined,
  now: Instant,
  isGenuine: (license: License) => boolean,
): MachineTerms | Refusal {
  const all = standings(holdings, now, isGenuine)
  const refused = refuseOwn(all, asking)
  if (refused !== undefined) return refused
  const counting = [...all.values()]
    .filter((standing) => standing.counts && isNodeLocked(standing))
    .toSorted(byPrecedence)
  const licenses = counting.map(({ license }) => license)
  const [first] = counting.toSorted(byRole)
  if (first === undefined)
    return refuse('LICENSE_NOT_IN_FORCE', 'No node-locked license of this product is in force.')
  const license = licenses.find(({ id }) => id === asking) ?? first.license
  const giving = licenses.filter(({ limits }) => Object.hasOwn(limits, MACHINES))
  const own = giving.filter(({ id }) => id === asking)
  const fingerprints = ruleOf(licenses, 'fingerprints')
  return {
    standings: counting,
    size: sizeOf(giving, MACHINES),
    givers: own.length > 0 ? own : giving,
    license,
    match: fingerprints?.match ?? 'any',
    scope: scopeOf(fingerprints?.unique ?? 'product', license),
    heartbeat: ruleOf(licenses, 'heartbeat'),
    deactivations: ruleOf(licenses, 'deactivations'),
  }
}

/** A license for machines, or one that adds to such a license. */
export const isNodeLocked = ({ license, base }: Pick<Standing, 'license' | 'base'>) =>
  (base ?? license).allocation === 'node-locked'

/** The first license with the rule decides. */
function ruleOf<Name extends keyof Rules>(
  licenses: readonly Pick<License, 'rules'>[],
  name: Name,
): Rules[Name] {
  return licenses.find(({ rules }) => rules[name] !== undefined)?.rules[name]
}

function scopeOf(
  unique: NonNullable<NonNullable<Rules['fingerprints']>['unique']>,
  { id, planId }: License,
): string {
  switch (unique) {
    case 'product':
      return 'product'
    case 'plan':
      return `plan:${planId}`
    case 'license':
      return `license:${id}`
  }
}
