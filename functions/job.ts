import { newRunId } from '../shared/platform/ids.ts'
import type { Log } from '../shared/platform/log.ts'
import { emitMetrics } from '../shared/platform/metrics.ts'
import { epochMilliseconds, type Instant, readClock } from '../shared/platform/time.ts'
import { placeLeft, type Run, rememberSuccess, resumeRun, saveRun } from '../shared/store/run.ts'
import type { Table } from '../shared/store/transact.ts'
import type { JobName } from './jobs.ts'

/** How a run comes: what it was scheduled for, and how many milliseconds its invocation has left. */
export type Delivery = { readonly scheduledAt: Instant; readonly remaining: () => number }

/** Milliseconds that a step, and noting how far the run came, may take. */
export const RESERVE = 6_000

/** A run of a job under way. */
export type JobRun = Delivery & {
  readonly job: JobName
  /** Of the events it makes. */
  readonly requestId: string
  /** Where to begin: where an earlier delivery of the same run stopped, or where the run before it was given up. */
  begin(): Promise<Run['from']>
  /** Adds to what was looked at and what was changed. */
  count(checked: number, changed: number): void
  /**
   * To be asked between steps.
   *
   * @throws Error when time runs out: the scheduler delivers an invocation that failed again, and that one goes on
   */
  checkTime(): Promise<void>
  /** Tells how late, in milliseconds, what was due of a kind was done at most. */
  measureLag(kind: string, milliseconds: number): void
  /** Notes where the run goes on, and checks the time; without a place it is through. */
  note(from: Run['from']): Promise<void>
}

/**
 * Does the work of a run once. A run is known by the time it was scheduled for: a second delivery finds it finished, one
 * that ran out of time goes on, and one that comes late does what is due by then.
 */
export async function runJob(
  job: JobName,
  delivery: Delivery,
  { table, log }: { readonly table: Table; readonly log: Log },
  body: (run: JobRun) => Promise<void>,
): Promise<void> {
  const { scheduledAt, remaining } = delivery
  const found = await resumeRun(table, job, scheduledAt)
  if (found.finishedAt !== undefined) return
  let { checked, changed, from } = found
  const requestId = newRunId(scheduledAt)
  const save = () => saveRun(table, job, scheduledAt, { checked, changed, ...(from && { from }) })
  async function checkTime(): Promise<void> {
    if (remaining() >= RESERVE) return
    await save()
    throw new Error(`${job} ran out of time after ${checked}`)
  }
  await body({
    ...delivery,
    job,
    requestId,
    begin: async () => from ?? placeLeft(table, job, scheduledAt),
    count(more, changes) {
      checked += more
      changed += changes
    },
    measureLag(kind, milliseconds) {
      emitMetrics({ job, kind }, { TimerLag: milliseconds })
      // Of all kinds, for the alarm.
      emitMetrics({}, { TimerLag: milliseconds })
    },
    checkTime,
    async note(place) {
      from = place
      await save()
      // Behind the last page nothing is left to have time for.
      if (from !== undefined) await checkTime()
    },
  })
  const finishedAt = readClock()
  await saveRun(table, job, scheduledAt, { checked, changed, finishedAt })
  await rememberSuccess(table, job, finishedAt)
  const late = epochMilliseconds(finishedAt) - epochMilliseconds(scheduledAt)
  emitMetrics({ job }, { JobLateness: late })
  log('info', 'job', { requestId, job, milliseconds: late, counts: { checked, changed } })
}
