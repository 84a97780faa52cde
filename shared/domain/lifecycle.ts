import type { Instant } from '../platform/time.ts'
import { nextPeriodEnd } from './calendar.ts'
import type { Product } from './catalog.ts'
import { undeclaredGrants } from './grants.ts'
import { checkEnd, GRANTS, termEnd } from './issue.ts'
import type { License } from './license.ts'
import { checkFits } from './license-file.ts'
import { type Refusal, refuse } from './refusal.ts'
import { effectiveTerm, type Status, statusAt } from './status.ts'
import type { FeatureValue, Limit } from './terms.ts'

/** The changes of a license that its vendor can make. */
export type Transition = 'edit' | 'suspend' | 'reinstate' | 'revoke' | 'renew' | 'rotate-key'

const ALLOWED: Record<Transition, readonly Status[]> = {
  edit: ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED', 'SUSPENDED'],
  suspend: ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED'],
  reinstate: ['SUSPENDED'],
  revoke: ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED', 'SUSPENDED'],
  renew: ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED', 'SUSPENDED'],
  'rotate-key': ['PENDING', 'ACTIVE', 'GRACE', 'EXPIRED', 'SUSPENDED'],
}

/** Refuses a transition that the present status does not allow, saying which it does. */
export function checkTransition(license: License, transition: Transition, now: Instant): Refusal | undefined {
  const status = statusAt(license, now)
  if (ALLOWED[transition].includes(status)) return undefined
  const possible = Object.entries(ALLOWED).flatMap(([name, from]) => (from.includes(status) ? [name] : []))
  return refuse(
    'TRANSITION_NOT_ALLOWED',
    `The license is ${status}; ${transition} is not possible. ${possible.length > 0 ? `Possible: ${possible.join(', ')}.` : 'This is final.'}`,
  )
}

export function suspended(license: License, reason: string, now: Instant): License {
  return revised({ ...license, suspendedAt: now, suspensionReason: reason }, now)
}

export function reinstated(
  { suspendedAt: _, suspensionReason: __, ...license }: License,
  now: Instant,
): License {
  return revised(license, now)
}

export function revoked(license: License, reason: string, now: Instant): License {
  return revised({ ...license, revokedAt: now, revocationReason: reason }, now)
}

/** New values of limits and features by name; null takes one away. */
type Edit = {
  limits?: Readonly<Record<string, Limit | null>> | undefined
  features?: Readonly<Record<string, FeatureValue | null>> | undefined
}

/** The license with other limits and features, within what its type may grant and its product declares. */
export function edited(license: License, edit: Edit, product: Product, now: Instant): License | Refusal {
  const { limits: mayLimit, features: mayFeature } = GRANTS[license.type]
  if (edit.limits && !mayLimit)
    return refuse('LICENSE_MISMATCH', `A ${license.type} license grants no limits.`)
  if (edit.features && !mayFeature)
    return refuse('LICENSE_MISMATCH', `A ${license.type} license grants no features.`)
  const limits = merged(license.limits, edit.limits)
  const features = merged(license.features, edit.features)
  const undeclared = undeclaredGrants(product, { limits, features })
  if (undeclared.length > 0) {
    return refuse('PLAN_MISMATCH', `It grants what ${product.code} does not declare.`, { errors: undeclared })
  }
  const next = revised({ ...license, limits, features }, now)
  return checkFits(next) ?? next
}

function merged<V>(
  known: Readonly<Record<string, V>>,
  changes: Readonly<Record<string, V | null>> = {},
): Record<string, V> {
  const result: Record<string, V> = {}
  for (const [name, value] of Object.entries({ ...known, ...changes }))
    if (value !== null) result[name] = value
  return result
}

type Renewal = { from: 'expiry' | 'now' | 'auto'; expiresAt?: Instant | undefined }

/**
 * The license with one more term, or to an exact end. `auto` counts from the old end until grace is over, then from
 * now; counting on the lattice of the anchor keeps month ends (licensing-semantics.md, sections 12 and 13). The old end is
 * that which its extensions give it: what was bought of time is not taken back by a renewal. A suspension stays.
 *
 * @param extensions the VALIDITY licenses that count for it
 */
export function renewed(
  license: License,
  renewal: Renewal,
  extensions: readonly License[],
  now: Instant,
): License | Refusal {
  const { duration, timeZone, graceDays } = license
  const { expiresAt: oldEnd, graceEndsAt } = effectiveTerm(license, extensions)
  if (oldEnd === undefined)
    return refuse('TRANSITION_NOT_ALLOWED', 'The license never expires, so there is nothing to renew.')
  const fromNow = renewal.from === 'now' || (renewal.from === 'auto' && (graceEndsAt ?? oldEnd) <= now)
  const lattice = oldEnd === license.expiresAt ? license.anchor : oldEnd
  const anchor = renewal.expiresAt ?? (fromNow ? now : lattice)
  const newEnd =
    renewal.expiresAt ?? (duration && nextPeriodEnd(anchor, duration, timeZone, fromNow ? now : oldEnd))
  if (newEnd === undefined)
    return refuse('LICENSE_MISMATCH', 'The license has no term of its own; name expiresAt.')
  if (newEnd <= oldEnd)
    return refuse('LICENSE_MISMATCH', `It would end at ${newEnd}, not after ${oldEnd} as it does now.`)
  if (newEnd <= now) {
    return refuse(
      'LICENSE_MISMATCH',
      `It would end at ${newEnd}, which is over; renew it from now or name expiresAt.`,
    )
  }
  const refused = checkEnd(newEnd)
  if (refused) return refused
  const { graceEndsAt: _, ...rest } = license
  return revised({ ...rest, ...termEnd(newEnd, graceDays, { timeZone }), anchor }, now)
}

/** Every change of signed facts is a new revision, signed anew. */
function revised(license: License, now: Instant): License {
  return { ...license, revision: license.revision + 1, signedAt: now }
}
