import { type Entitlement, entitlement } from './entitlement.ts'
import { curesOf, heldStep, standingStep } from './explain-license.ts'
import { cheapestFirst, type Explanation, free, type Step, step } from './explanation.ts'
import type { Holdings, Standing } from './holdings.ts'

/** Why is this feature on or off? */
export function explainFeature(
  holdings: Holdings,
  standings: readonly Standing[],
  feature: string,
): Explanation {
  const value = own(entitlement(holdings, standings).features, feature)
  const granting = standings.filter(({ license }) => isOn(own(license.features, feature)))
  const granted = isOn(value)
  return {
    granted,
    summary: granted
      ? `${feature} is ${JSON.stringify(value)}: ${granting.filter((one) => one.counts).length} license(s) that count give it.`
      : granting.length === 0
        ? `No license that is held includes ${feature}.`
        : `${granting.length} license(s) include ${feature}, but none of them counts.`,
    chain: [
      heldStep(standings),
      ...granting.flatMap((one) => [
        standingStep(one),
        grantStep(one, `feature ${feature}`, own(one.license.features, feature)),
      ]),
    ],
    cures: granted ? [] : curesOf(granting, `Buy a license that includes ${feature}.`),
  }
}

/** Is there room for `wanted` more of a metric, and where does every part of the number come from? */
export function explainCapacity(
  holdings: Holdings,
  standings: readonly Standing[],
  metric: string,
  wanted: number,
): Explanation {
  const { pools } = entitlement(holdings, standings)
  const { capacity, used } = poolOf(pools, metric)
  const remaining = capacity === 'unlimited' ? Number.POSITIVE_INFINITY : capacity - used
  const granting = standings.filter(({ license }) => own(license.limits, metric) !== undefined)
  const missing = wanted - remaining
  return {
    granted: missing <= 0,
    summary: `${used} of ${capacity} ${metric} in use; ${wanted} more ${missing <= 0 ? 'fit' : `do not fit, ${missing} too many`}.`,
    chain: [
      ...sourceSteps(standings, metric),
      step('room', missing <= 0, `capacity ${capacity}, used ${used}, wanted ${wanted}`),
    ],
    cures:
      missing <= 0
        ? []
        : cheapestFirst([
            free('tenant', `Free ${missing} ${metric}.`),
            ...curesOf(granting, `Buy ${missing} more ${metric}.`),
          ]),
  }
}

/** Where each part of a number comes from. */
export function sourceSteps(standings: readonly Standing[], metric: string): Step[] {
  const granting = standings.filter(({ license }) => own(license.limits, metric) !== undefined)
  return [
    heldStep(standings),
    ...granting.flatMap((one) => [
      standingStep(one),
      grantStep(one, metric, own(one.license.limits, metric)),
    ]),
  ]
}

function grantStep({ license, counts }: Standing, what: string, value: unknown): Step {
  return step(`gives ${what}`, counts, JSON.stringify(value), license.id)
}

function poolOf(
  pools: Entitlement['pools'],
  metric: string,
): Pick<Entitlement['pools'][number], 'capacity' | 'used'> {
  return pools.find((pool) => pool.metric === metric) ?? { capacity: 0, used: 0 }
}

const isOn = (value: unknown) => value !== undefined && value !== false

/** A value by a name that may be one every object inherits, such as `constructor`. */
function own<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}
