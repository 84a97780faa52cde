import type { ProductId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Product } from './catalog.ts'
import { type FieldError, type Refusal, refuse } from './refusal.ts'
import type { Usage } from './usage.ts'

/** One report of use: a gauge's value or an addition to a counter. */
export type Report = {
  id?: string | undefined
  product: Product
  metric: string
  value?: number | undefined
  add?: number | undefined
  at: Instant
}

export type ReportOutcome = 'recorded' | 'already-recorded' | 'older-than-known'

/** What a batch changes: gauges to set, counters to add to, ids to remember; and what became of each report. */
export type UsageDecision = {
  outcomes: ReportOutcome[]
  gauges: Map<string, { productId: ProductId; usage: Usage }>
  counters: Map<string, { productId: ProductId; metric: string; add: number; at: Instant }>
  ids: Map<string, string>
}

/** Names one metric of one product. */
export const usageName = (productId: ProductId, metric: string) => `${productId} ${metric}`

/** What a report says, to tell a repetition from another report under the same id. */
export const reportText = ({ product, metric, value, add }: Report) =>
  `${product.id} ${metric} ${value ?? ''}+${add ?? ''}`

/** Refuses reports that name no declared metric, or use it as the other kind. */
export function checkReports(reports: readonly Report[]): Refusal | undefined {
  const errors = reports.flatMap(({ product, metric, value, add }, index): FieldError[] => {
    const field = `/body/records/${index}`
    const declared = product.metrics.find((one) => one.code === metric)
    if (declared === undefined)
      return [{ field: `${field}/metric`, message: `${product.code} has no metric ${metric}` }]
    if (declared.kind === 'gauge' && (value === undefined || add !== undefined)) {
      return [{ field: `${field}/value`, message: `${metric} is a gauge: send value, not add` }]
    }
    if (declared.kind === 'counter' && (add === undefined || value !== undefined)) {
      return [{ field: `${field}/add`, message: `${metric} is a counter: send add, not value` }]
    }
    return []
  })
  if (errors.length === 0) return undefined
  return refuse('USAGE_UNKNOWN_METRIC', 'Some records do not fit their product.', { errors })
}

/** Takes each report once, by its id; of several values of a gauge the latest counts. */
export function decideReports(
  reports: readonly Report[],
  taken: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, Usage>,
): UsageDecision | Refusal {
  const decision: UsageDecision = { outcomes: [], gauges: new Map(), counters: new Map(), ids: new Map() }
  for (const report of reports) {
    const earlier =
      report.id === undefined ? undefined : (taken.get(report.id) ?? decision.ids.get(report.id))
    if (earlier !== undefined && earlier !== reportText(report)) {
      return refuse('USAGE_CONFLICT', `The id ${report.id} was used for another record.`)
    }
    decision.outcomes.push(earlier === undefined ? take(report, decision, known) : 'already-recorded')
  }
  return decision
}

function take(
  report: Report,
  { gauges, counters, ids }: UsageDecision,
  known: ReadonlyMap<string, Usage>,
): ReportOutcome {
  const { id, product, metric, value, add, at } = report
  const name = usageName(product.id, metric)
  if (id !== undefined) ids.set(id, reportText(report))
  if (add !== undefined) {
    const sum = counters.get(name)
    counters.set(name, {
      productId: product.id,
      metric,
      add: (sum?.add ?? 0) + add,
      at: sum && sum.at > at ? sum.at : at,
    })
    return 'recorded'
  }
  const newest = gauges.get(name)?.usage ?? known.get(name)
  if (newest !== undefined && newest.at > at) return 'older-than-known'
  gauges.set(name, { productId: product.id, usage: { kind: 'gauge', metric, value: value ?? 0, at } })
  return 'recorded'
}
