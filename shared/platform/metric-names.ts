/** Of every metric made here; the stage is its dimension `service`. Data alone: infrastructure names them, too. */
export const METRIC_NAMESPACE = 'Latchkey'

/**
 * The one table of what is measured beside what AWS measures, with the units that CloudWatch has for it: few names, and
 * dimensions of few values (jobs, kinds of timers), for each combination is a metric that is paid for. Never a tenant.
 */
export const METRICS = {
  /** From when a run was scheduled for to its end. */
  JobLateness: 'Milliseconds',
  /** How late at most what was due was done. */
  TimerLag: 'Milliseconds',
  /** What was due, failed too often, and waits for somebody. */
  TimersSetAside: 'Count',
  IntegrityEvents: 'Count',
  LicensesTampered: 'Count',
  LicensesIssued: 'Count',
  CapacityReached: 'Count',
  OverAllocations: 'Count',
  MachinesActivated: 'Count',
  LeasesCheckedOut: 'Count',
  LeasesLapsed: 'Count',
  SeatsAssigned: 'Count',
  SeatsPending: 'Count',
  WebhooksDisabled: 'Count',
} as const
