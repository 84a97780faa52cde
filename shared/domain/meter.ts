import type { Instant } from '../platform/time.ts'
import type { Standing } from './holdings.ts'
import { ruling } from './meter-rule.ts'
import { sizeOf, UNLIMITED, wholeUnits } from './overdraft.ts'
import { isOpen, type Period, type PeriodTerms, periodOf } from './period.ts'
import type { Metering } from './terms.ts'

/** How a counter is measured: what it may reach in a period. */
export type Meter = {
  /** What its periods are counted from; absent where it counts for good. */
  readonly terms: PeriodTerms | undefined
  /** What the licenses in force grant; `UNLIMITED` where one does not limit it. */
  readonly capacity: number
  /** The capacity and the overage that is taken; `UNLIMITED` where overage is allowed. */
  readonly limit: number
}

/**
 * How a counter is measured by the licenses of its product. The allowance is the sum over all licenses in force; the
 * rule is that of the license that began first, so that a later one shifts no period. Periods are counted from when it
 * began, for its anchor moves when it is renewed. While no license that grants the metric is in force, the rule of one
 * that did still holds, with an allowance of 0: a suspension does not open the meter. Without a rule a counter counts for
 * good and is never refused.
 */
export function meterOf(standings: Iterable<Standing>, metric: string): Meter {
  const { granting, rule } = ruling([...standings], metric)
  const { capacity } = sizeOf(
    granting.map(({ license }) => license),
    metric,
  )
  if (rule === undefined) return { terms: undefined, capacity, limit: UNLIMITED }
  const { terms, overage } = rule
  return {
    terms,
    capacity,
    limit: granting.length === 0 && overage !== 'allow' ? 0 : limitOf(capacity, overage),
  }
}

function limitOf(capacity: number, overage: Metering['overage']): number {
  if (overage === 'allow') return UNLIMITED
  if (overage === 'refuse') return capacity
  const extra = 'absolute' in overage ? overage.absolute : wholeUnits((capacity * overage.percent) / 100)
  return Math.min(UNLIMITED, capacity + extra)
}

/** Where use is counted: the period, and whether it came too late for its own. */
export type Booking = { readonly period: Period | undefined; readonly late: boolean }

/** Its own period while that is open, the current one after it; what is said of the future is of now. */
export function book({ terms }: Meter, at: Instant, now: Instant): Booking {
  if (terms === undefined) return { period: undefined, late: false }
  const current = periodOf(terms, now)
  const own = at >= current.from ? current : periodOf(terms, at)
  const open = isOpen(own, now)
  return { period: open ? own : current, late: !open }
}
