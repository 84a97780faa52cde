import type { Instant } from '../platform/time.ts'
import { type Entitlement, entitlement } from './entitlement.ts'
import { curesOf, heldStep, standingStep } from './explain-license.ts'
import { checkOutOf, outcomeOf, type PoolSituation, poolCures, poolSteps } from './explain-pool.ts'
import {
  cheapestFirst,
  type Explanation,
  elsewhereCures,
  free,
  type Sight,
  type Step,
  step,
} from './explanation.ts'
import type { Holdings, Standing } from './holdings.ts'
import type { Seconds } from './lease-entry.ts'
import { isFloating, limitOf } from './pool-terms.ts'
import { own } from './terms.ts'

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

/** How an operation draws on a metric: what it counts as used, and how far it goes. */
export type Drawn = {
  readonly used: number
  readonly limit: number
  /** The operation, and the code of its refusal where there is no room; absent where more than the room decides. */
  readonly predicted?: { readonly operation: string; readonly refusal: string }
  /** When the allowance begins anew. */
  readonly renewsAt?: Instant | undefined
}

/** Is there room for `wanted` more of a metric, and where does every part of the number come from? */
export function explainCapacity(
  holdings: Holdings,
  standings: readonly Standing[],
  metric: string,
  wanted: number,
  drawn?: Drawn,
): Explanation {
  const { pools } = entitlement(holdings, standings)
  const { capacity, used: reported } = poolOf(pools, metric)
  const used = drawn?.used ?? reported
  const most = drawn?.limit ?? (capacity === 'unlimited' ? Number.POSITIVE_INFINITY : capacity)
  const remaining = most - used
  const granting = standings.filter(({ license }) => own(license.limits, metric) !== undefined)
  const missing = wanted - remaining
  return {
    granted: missing <= 0,
    summary: `${used} of ${capacity} ${metric} in use; ${wanted} more ${missing <= 0 ? 'fit' : `do not fit, ${missing} too many`}.`,
    chain: [
      ...sourceSteps(standings, metric),
      step(
        'room',
        missing <= 0,
        `capacity ${capacity}${drawn && drawn.limit !== capacity ? `, at most ${limitOf(drawn.limit)}` : ''}, used ${used}, wanted ${wanted}`,
      ),
    ],
    ...(drawn?.predicted && {
      predictions: [
        {
          operation: drawn.predicted.operation,
          outcome: missing <= 0 ? 'OK' : drawn.predicted.refusal,
        },
      ],
    }),
    cures:
      missing <= 0
        ? []
        : cheapestFirst([
            ...(drawn?.renewsAt === undefined
              ? [free('tenant', `Free ${missing} ${metric}.`)]
              : [
                  free('nobody', `Wait until ${drawn.renewsAt}: the allowance begins anew.`, {
                    at: drawn.renewsAt,
                  }),
                ]),
            ...curesOf(granting, `Buy ${missing} more ${metric}.`),
          ]),
  }
}

/** Would so many units of a floating pool be checked out now? */
export function explainPool(
  situation: PoolSituation,
  standings: readonly Standing[],
  units: number,
  department: string | undefined,
  sight: Sight,
  now: Seconds,
): Explanation {
  const { metric } = situation
  const found = checkOutOf(situation, units, department, now)
  const floating = standings.filter(isFloating)
  const { elsewhere } = situation
  const granted = found.is === 'granted' && elsewhere === undefined
  return {
    granted,
    summary: `A check-out of ${units} ${metric} ${granted ? 'would be granted' : 'would be refused'} now.`,
    chain: [...sourceSteps(floating, metric), ...poolSteps(situation, units, found, sight, now)],
    predictions: [{ operation: 'POST /v1/leases', outcome: outcomeOf(found, elsewhere) }],
    cures: elsewhere
      ? elsewhereCures(elsewhere)
      : found.is === 'full'
        ? poolCures(situation, units, found.line, sight, now)
        : granted
          ? []
          : curesOf(floating, `Buy a floating license for ${metric}.`),
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
