import type { ProductId } from '../platform/ids.ts'
import type { Instant } from '../platform/time.ts'
import type { Metric, Product } from './catalog.ts'
import { type Booking, book, type Meter } from './meter.ts'
import type { Period } from './period.ts'
import { type FieldError, type Refusal, refuse } from './refusal.ts'
import type { CounterUsage, Usage } from './usage.ts'

/** One report of use: a gauge's value or an addition to a counter. */
export type Report = {
  id?: string | undefined
  product: Product
  metric: string
  value?: number | undefined
  add?: number | undefined
  at: Instant
}

/** `booked-late`: its period was closed, so it counts in the current one. */
export const REPORT_OUTCOMES = ['recorded', 'already-recorded', 'older-than-known', 'booked-late'] as const
type ReportOutcome = (typeof REPORT_OUTCOMES)[number]

/** What a batch adds to one counter in one period. */
export type Addition = {
  readonly product: Product
  readonly metric: string
  readonly period: Period | undefined
  readonly add: number
  readonly late: number
  /** When the last of it was used. */
  readonly at: Instant
  /** The parts by when they were used; what is late by when it was booked. */
  readonly parts: readonly { readonly at: Instant; readonly add: number; readonly late: boolean }[]
}

/** A gauge's latest value, and all of the batch that count in its series. */
type GaugeChange = {
  readonly productId: ProductId
  readonly usage: Usage
  readonly parts: readonly { readonly at: Instant; readonly value: number }[]
}

/** What a batch changes: gauges to set, counters to add to, ids to remember; and what became of each report. */
export type UsageDecision = {
  outcomes: ReportOutcome[]
  gauges: Map<string, GaugeChange>
  counters: Map<string, Addition>
  ids: Map<string, string>
}

/** Names one metric of one product. */
export const usageName = (productId: ProductId, metric: string) => `${productId} ${metric}`

/** What a report says, to tell a repetition from another report under the same id. */
const reportText = ({ product, metric, value, add }: Report) =>
  `${product.id} ${metric} ${value ?? ''}+${add ?? ''}`

export const metricOf = ({ metrics }: Product, code: string): Metric | undefined =>
  metrics.find((one) => one.code === code)

const noMetric = ({ code, metrics }: Product, metric: string) =>
  `${code} has no metric ${metric}; it has ${metrics.map((one) => one.code).join(', ') || 'none'}`

/** Refuses reports that name no declared metric, or use it as the other kind. */
export function checkReports(reports: readonly Report[]): Refusal | undefined {
  const errors = reports.flatMap(({ product, metric, value, add }, index): FieldError[] => {
    const field = `/body/records/${index}`
    const declared = metricOf(product, metric)
    if (declared === undefined) return [{ field: `${field}/metric`, message: noMetric(product, metric) }]
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

/** What is known when a batch is decided. */
type Known = {
  /** What the ids said that were taken. */
  readonly taken: ReadonlyMap<string, string>
  /** Gauges, by `usageName`. */
  readonly gauges: ReadonlyMap<string, Usage>
  /** How each counter of the batch is measured. */
  readonly meterOf: (product: Product, metric: string) => Meter
  readonly now: Instant
}

/** Takes each report once, by its id; of several values of a gauge the latest counts. */
export function decideReports(reports: readonly Report[], known: Known): UsageDecision | Refusal {
  const decision: UsageDecision = { outcomes: [], gauges: new Map(), counters: new Map(), ids: new Map() }
  for (const report of reports) {
    const { id } = report
    const earlier = id === undefined ? undefined : (known.taken.get(id) ?? decision.ids.get(id))
    if (earlier !== undefined && earlier !== reportText(report)) {
      return refuse('USAGE_CONFLICT', `The id ${id} was used for another record.`)
    }
    decision.outcomes.push(earlier === undefined ? take(report, decision, known) : 'already-recorded')
  }
  return decision
}

function take(report: Report, { gauges, counters, ids }: UsageDecision, known: Known): ReportOutcome {
  const { id, product, metric, value, add, at } = report
  if (id !== undefined) ids.set(id, reportText(report))
  const name = usageName(product.id, metric)
  if (add !== undefined) {
    const booking = book(known.meterOf(product, metric), at, known.now)
    const place = booking.period === undefined ? name : `${name} ${booking.period.from}`
    counters.set(place, added(counters.get(place), report, add, booking, known.now))
    return booking.late ? 'booked-late' : 'recorded'
  }
  const before = gauges.get(name)
  const newest = before?.usage ?? known.gauges.get(name)
  if (newest !== undefined && newest.at > at) return 'older-than-known'
  const usage: Usage = { kind: 'gauge', metric, value: value ?? 0, at }
  const parts = [...(before?.parts ?? []), { at, value: usage.value }]
  gauges.set(name, { productId: product.id, usage, parts })
  return 'recorded'
}

function added(
  sum: Addition | undefined,
  { product, metric, at }: Report,
  add: number,
  { period, late }: Booking,
  now: Instant,
): Addition {
  return {
    product,
    metric,
    period,
    add: (sum?.add ?? 0) + add,
    late: (sum?.late ?? 0) + (late ? add : 0),
    at: sum && sum.at > at ? sum.at : at,
    parts: [...(sum?.parts ?? []), { at: late || at > now ? now : at, add, late }],
  }
}

/** Refuses an addition that leaves no more than the limit; `used` is what was used before it. */
export function exhausted({ metric, add, period }: Addition, used: number, limit: number): Refusal {
  const until = period === undefined ? '' : ` until ${period.until}`
  return refuse(
    'ALLOWANCE_EXHAUSTED',
    `${used} of ${limit} ${metric} are used${until}: ${add} more are too many.`,
  )
}

/** What was added in all, corrections or not. */
export const grossOf = ({ value, corrected = 0 }: CounterUsage): number => value - corrected
