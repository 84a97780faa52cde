import { sum } from './entitlement.ts'
import type { License } from './license.ts'
import { type Limit, own, type Rules } from './terms.ts'

/** Stands for no limit in a condition. */
export const UNLIMITED = Number.MAX_SAFE_INTEGER

/** How much of a metric some licenses give together. */
export type Size = {
  /** What they grant; `UNLIMITED` where one does not limit it. */
  readonly capacity: number
  /** The capacity and the declared overdraft. */
  readonly limit: number
}

/**
 * The effective limit = capacity + min(absolute cap, floor(capacity × percent)), where the capacity is the sum over the
 * licenses that grant the metric (licensing-semantics.md, section 15). Each license's overdraft is taken of its own units
 * and capped by its own rule; the sum is rounded down once, so that splitting a capacity over several licenses loses no
 * unit.
 */
export function sizeOf(licenses: readonly Pick<License, 'limits' | 'rules'>[], metric: string): Size {
  const granting = licenses.flatMap(({ limits, rules }) => {
    const limit = own(limits, metric)
    return limit === undefined ? [] : [{ limit, rules }]
  })
  const total = sum(granting.map(({ limit }) => limit))
  const capacity = total === 'unlimited' ? UNLIMITED : total
  const extra = granting.reduce((units, { limit, rules }) => units + overdraft(rules, limit), 0)
  return { capacity, limit: Math.min(UNLIMITED, capacity + wholeUnits(extra)) }
}

/** Rounded down, but for what is a little below the whole number that is meant: a product of decimal fractions may be. */
export const wholeUnits = (units: number): number => Math.floor(units + 1e-9)

function overdraft({ overdraft: rule }: Pick<Rules, 'overdraft'>, limit: Limit): number {
  switch (rule?.kind) {
    case undefined:
    case 'none':
      return 0
    case 'absolute':
      return rule.units
    case 'percent':
      return limit === 'unlimited' ? 0 : Math.min((limit * rule.percent) / 100, rule.cap ?? UNLIMITED)
    case 'unlimited':
      return UNLIMITED
  }
}
