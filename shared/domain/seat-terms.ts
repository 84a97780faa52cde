import { byPrecedence } from './entitlement.ts'
import type { Standing } from './holdings.ts'
import type { License } from './license.ts'
import { type Size, sizeOf } from './overdraft.ts'
import type { Rules } from './terms.ts'

/** What gives the seats of a pool now: the licenses for named users in force, in order of precedence. */
export type SeatTerms = Size & { readonly licenses: readonly License[] }

/** A license for named users, or one that adds to such a license. */
export const isNamed = ({ license, base }: Pick<Standing, 'license' | 'base'>) =>
  (base ?? license).allocation === 'named'

/** Seats add up over all licenses for named users that count; each adds the overdraft it declares. */
export function seatTerms(standings: Iterable<Standing>, metric: string): SeatTerms {
  const licenses = [...standings]
    .filter((one) => one.counts && isNamed(one) && Object.hasOwn(one.license.limits, metric))
    .toSorted(byPrecedence)
    .map(({ license }) => license)
  return { ...sizeOf(licenses, metric), licenses }
}

/**
 * May somebody who works there have a seat? One license that admits the place is enough; of whom no place is known, one
 * that allows the unknown (`countries.unknown`), as a validation does. Without any license there is nothing that forbids
 * it: that a license ended takes no seat away.
 */
export function isAllowedAt({ licenses }: Pick<SeatTerms, 'licenses'>, country: string | undefined): boolean {
  return licenses.length === 0 || licenses.some(({ rules }) => admits(rules, country))
}

function admits({ countries }: Pick<Rules, 'countries'>, country: string | undefined): boolean {
  if (countries === undefined) return true
  if (country === undefined)
    return countries.unknown === 'allow' || (countries.allow === undefined && countries.deny === undefined)
  return (countries.allow?.includes(country) ?? true) && countries.deny?.includes(country) !== true
}
