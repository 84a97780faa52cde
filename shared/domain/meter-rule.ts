import { isApplied, type Standing } from './holdings.ts'
import { type PeriodTerms, periodOf } from './period.ts'
import { type Metering, own } from './terms.ts'
import { rowOf, type Usage } from './usage.ts'

/** The rule of a counter, and the licenses in force that grant it. */
export function ruling(
  standings: readonly Standing[],
  metric: string,
): { granting: Standing[]; rule: { terms: PeriodTerms; overage: Metering['overage'] } | undefined } {
  const all = standings.filter(({ because, license }) => because !== 'TAMPERED' && isApplied(license))
  const granting = all.filter(({ counts, license }) => counts && Object.hasOwn(license.limits, metric))
  const [first] = (granting.length > 0 ? granting : all)
    .flatMap(({ license }) => {
      const rule = own(license.rules.metering ?? {}, metric)
      return rule === undefined ? [] : [{ license, rule }]
    })
    .toSorted(
      (a, b) => compare(a.license.validFrom, b.license.validFrom) || compare(a.license.id, b.license.id),
    )
  if (first === undefined) return { granting, rule: undefined }
  const { validFrom: anchor, timeZone } = first.license
  const { period: each, overage } = first.rule
  return { granting, rule: { terms: { anchor, each, timeZone }, overage } }
}

/** How much is used of a metric: of one with an allowance, in the period of the instant that the licenses are seen at. */
export function usedOf(usage: readonly Usage[], metric: string, standings: readonly Standing[]): number {
  const [seen] = standings
  const { rule } = ruling(standings, metric)
  const period = rule && seen && periodOf(rule.terms, seen.at)
  return rowOf(usage, metric, period)?.value ?? 0
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
