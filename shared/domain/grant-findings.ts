import type { Entitlement } from './entitlement.ts'
import { type Finding, finding } from './finding.ts'
import type { Standing } from './holdings.ts'
import { own } from './terms.ts'

/** Features that were asked for and that no license gives. */
export function featureFindings(granted: Entitlement, wanted: readonly string[]): Finding[] {
  return wanted
    .filter((code) => (own(granted.features, code) ?? false) === false)
    .map((code) =>
      finding(
        'FEATURE_MISSING',
        `feature:${code}`,
        `No license in force gives ${code}.`,
        `Buy a license that includes ${code}.`,
      ),
    )
}

/** Reported use above what is licensed; where seats are managed here, these are the use, and not what was reported. */
export function capacityFindings(
  granted: Entitlement,
  standing: Standing,
  managedSeats: readonly string[] = [],
): Finding[] {
  if (!standing.counts) return []
  return granted.pools
    .filter(({ metric }) => !managedSeats.includes(metric))
    .filter(({ capacity, used }) => capacity !== 'unlimited' && used > capacity)
    .map(({ metric, capacity, used }) =>
      finding(
        'OVER_CAPACITY',
        `metric:${metric}`,
        `${used} ${metric} in use, ${capacity} licensed.`,
        `Free ${used - Number(capacity)} ${metric} or buy more.`,
      ),
    )
}
