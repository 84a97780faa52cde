import { Metrics } from '@aws-lambda-powertools/metrics'
import * as z from 'zod'
import type { EventType } from '../domain/event-types.ts'
import { readEnvironment } from './config/environment.ts'
import { METRIC_NAMESPACE, METRICS } from './metric-names.ts'

type MetricName = keyof typeof METRICS

/** What of the business is counted, by its events. */
const COUNTED: Partial<Record<EventType, MetricName>> = {
  'integrity.found': 'IntegrityEvents',
  'license.tampered': 'LicensesTampered',
  'license.issued': 'LicensesIssued',
  'license.imported': 'LicensesIssued',
  'capacity.reached': 'CapacityReached',
  'capacity.over-allocated': 'OverAllocations',
  'activation.created': 'MachinesActivated',
  'lease.checked-out': 'LeasesCheckedOut',
  'lease.lapsed': 'LeasesLapsed',
  'seat.assigned': 'SeatsAssigned',
  'seat.pending': 'SeatsPending',
  'webhook.disabled': 'WebhooksDisabled',
  'job.failed': 'TimersSetAside',
}
const counted = new Map<string, MetricName>(Object.entries(COUNTED))

let powertools: Metrics | undefined

/** Made at its first use: whoever is loaded and measures nothing reads no environment. */
function metrics(): Metrics {
  if (powertools === undefined) {
    const { STAGE } = readEnvironment(z.object({ STAGE: z.string().default('unknown') }))
    powertools = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: STAGE })
  }
  return powertools
}

/**
 * Writes a line from which CloudWatch makes metrics (embedded metric format): no call, and nothing to wait for. Not for
 * the hot path, which is measured by the metrics of API Gateway and Lambda and pays nothing for it.
 */
export function emitMetrics(
  dimensions: Readonly<Record<string, string>>,
  values: Readonly<Partial<Record<MetricName, number>>>,
): void {
  const own = metrics()
  own.addDimensions({ ...dimensions })
  for (const [name, unit] of Object.entries(METRICS)) {
    const value = isMetric(name) ? values[name] : undefined
    if (value !== undefined) own.addMetric(name, unit, value)
  }
  own.publishStoredMetrics()
}

const isMetric = (name: string): name is MetricName => Object.hasOwn(METRICS, name)

/** Counts what happened to the business. Events that are delivered again are counted again: it is no ledger. */
export function countEvents(events: readonly { readonly type: string }[]): void {
  const named = events.flatMap(({ type }) => counted.get(type) ?? [])
  if (named.length === 0) return
  const counts = [...Map.groupBy(named, (name) => name)].map(([name, all]) => [name, all.length])
  emitMetrics({}, Object.fromEntries(counts))
}
