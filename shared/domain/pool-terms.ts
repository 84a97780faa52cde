import { epochMilliseconds, fromEpochMilliseconds, type Instant, plusMilliseconds } from '../platform/time.ts'
import { byPrecedence } from './entitlement.ts'
import { type Holdings, type Standing, standings } from './holdings.ts'
import type { Seconds } from './lease-entry.ts'
import type { License } from './license.ts'
import { sizeOf, UNLIMITED, type Size as Units } from './overdraft.ts'
import type { Limit, Rules } from './terms.ts'

/** How many units of a pool there are at an instant, and the licenses behind it, in order of precedence. */
export type Size = Units & { readonly licenses: readonly License[] }

/**
 * The size of a floating pool at an instant: all floating licenses in force that limit the metric, and those that add
 * to one, summed. Overdrafts add up; percentages are taken of each license's own units and rounded down together, each
 * no higher than its cap.
 */
export function sizeAt(
  holdings: Holdings,
  metric: string,
  at: Instant,
  isGenuine: (license: License) => boolean,
): Size {
  const licenses = [...standings(holdings, at, isGenuine).values()]
    .filter(
      (standing) => standing.counts && isFloating(standing) && Object.hasOwn(standing.license.limits, metric),
    )
    .toSorted(byPrecedence)
    .map(({ license }) => license)
  return { ...sizeOf(licenses, metric), licenses }
}

/** Leases are given from floating licenses alone, and from what adds to them. */
export const isFloating = ({ license, base }: Pick<Standing, 'license' | 'base'>) =>
  (base ?? license).allocation === 'floating'

/** A size as it is shown. */
export const limitOf = (units: number): Limit => (units >= UNLIMITED ? 'unlimited' : units)

/** The first of the licenses with this rule decides. */
export function ruleOf<Name extends keyof Rules>(
  { licenses }: Size,
  name: Name,
): NonNullable<Rules[Name]> | undefined {
  for (const { rules } of licenses) {
    const rule = rules[name]
    if (rule != null) return rule
  }
  return undefined
}

/** A way to grant: while no more than `limit` units are held in all, until then. */
export type Offer = { readonly limit: number; readonly until: Seconds; readonly overdraft: boolean }

/**
 * How a lease of some length may be granted now, best first: for its whole length before a shorter one, within the
 * capacity before the overdraft. Where the pool shrinks on the way (a license ends), the full length is only for as
 * many as fit afterwards, and the others end with the license: no lease outlives what it was granted from, and no
 * instant has more leases than units.
 */
export function offers(
  holdings: Holdings,
  metric: string,
  now: Instant,
  milliseconds: number,
  isGenuine: (license: License) => boolean,
): { size: Size; offers: Offer[] } {
  const size = sizeAt(holdings, metric, now, isGenuine)
  const end = plusMilliseconds(now, milliseconds)
  const steps = [...new Set(holdings.licenses.flatMap(turnsOf))]
    .filter((instant) => instant > now && instant < end)
    .toSorted()
  const found: Offer[] = []
  const add = (until: Instant, { capacity, limit }: Pick<Size, 'capacity' | 'limit'>) => {
    found.push({ limit: capacity, until: seconds(until), overdraft: false })
    if (limit > capacity) found.push({ limit, until: seconds(until), overdraft: true })
  }
  let least: Pick<Size, 'capacity' | 'limit'> = size
  const parts: [Instant, Pick<Size, 'capacity' | 'limit'>][] = []
  for (const step of steps) {
    const next = sizeAt(holdings, metric, step, isGenuine)
    if (next.limit >= least.limit && next.capacity >= least.capacity) continue
    parts.push([step, least])
    least = {
      capacity: Math.min(least.capacity, next.capacity),
      limit: Math.min(least.limit, next.limit),
    }
  }
  for (const [until, part] of [...parts, [end, least] as const].toReversed()) add(until, part)
  return { size, offers: found }
}

const turnsOf = ({ validFrom, expiresAt, graceEndsAt }: License): Instant[] =>
  [validFrom, expiresAt, graceEndsAt].filter((instant) => instant !== undefined)

/** Whole seconds, rounded down, so that nothing ends late. */
export const seconds = (instant: Instant): Seconds => Math.floor(epochMilliseconds(instant) / 1000)

export const instantOf = (at: Seconds): Instant => fromEpochMilliseconds(at * 1000)
