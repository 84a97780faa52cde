import type { Instant } from '../platform/time.ts'
import type { Standing } from './holdings.ts'
import { ruling, usedOf } from './meter-rule.ts'
import { periodOf } from './period.ts'
import { nextChange, statusAt } from './status.ts'
import type { Usage } from './usage.ts'

/**
 * The next instant at which time alone changes what licenses give or what is seen of them: another status, or an allowance
 * of which something is used and that begins anew. Undefined if time changes nothing any more.
 */
export function changeAhead(standings: readonly Standing[], usage: readonly Usage[]): Instant | undefined {
  const renewals = new Set(usage.flatMap(({ kind, metric }) => (kind === 'counter' ? [metric] : [])))
  return [...standings.map(statusAhead), ...[...renewals].map(renewalAhead)]
    .filter((instant) => instant !== undefined)
    .toSorted()[0]

  function renewalAhead(metric: string): Instant | undefined {
    const { rule } = ruling(standings, metric)
    const [seen] = standings
    if (rule === undefined || seen === undefined || usedOf(usage, metric, standings) === 0) return undefined
    return periodOf(rule.terms, seen.at).until
  }
}

/** Not each of its dates is one: of what is suspended or revoked none, and none that an extension covers. */
function statusAhead({ license, extensions, status, at }: Standing): Instant | undefined {
  let next = nextChange(license, at, extensions)
  while (next !== undefined && statusAt(license, next, extensions) === status)
    next = nextChange(license, next, extensions)
  return next
}
