import type { Log } from '../shared/platform/log.ts'
import { epochMilliseconds, type Instant, readClock } from '../shared/platform/time.ts'
import { dueTimers, readTimer, setBackTimer, type Timer } from '../shared/store/timer.ts'
import type { Table } from '../shared/store/transact.ts'
import { writeRow } from '../shared/store/write.ts'
import type { JobRun } from './job.ts'

/** Timers whose work is under way at the same time. */
const TOGETHER = 8

/** Does what is due about a subject, moves or ends its timer, and says how many changes that were. */
export type TimerWork = (timer: Timer, now: Instant) => Promise<number>

/**
 * Does the work of every timer of a kind that is due. What is done is not due any more: a run that was cut off goes on
 * where it stopped, and one that comes twice finds nothing. A timer whose work fails keeps none of the others waiting: it
 * is tried later, and set aside with its reason when it failed too often.
 */
export async function sweep(
  kind: string,
  run: JobRun,
  { table, log }: { readonly table: Table; readonly log: Log },
  work: TimerWork,
): Promise<void> {
  for await (const page of dueTimers(table, kind, readClock()))
    for (let start = 0; start < page.length; start += TOGETHER) {
      const batch = page.slice(start, start + TOGETHER)
      const changes = await Promise.all(batch.map(attempt))
      run.count(
        batch.length,
        changes.reduce((sum, one) => sum + one, 0),
      )
      await run.checkTime()
    }

  async function attempt(timer: Timer): Promise<number> {
    const now = readClock()
    try {
      return await work(timer, now)
    } catch (error) {
      const milliseconds = epochMilliseconds(now) - epochMilliseconds(timer.dueAt)
      log(
        'error',
        'timer',
        { requestId: run.requestId, job: run.job, subject: nameOf(timer), milliseconds },
        error,
      )
      await setBack(timer, error instanceof Error ? `${error.name}: ${error.message}` : String(error))
      return 0
    }
  }

  /** As it is now: its work may have claimed or moved it before it failed. */
  async function setBack(found: Timer, reason: string): Promise<void> {
    const timer = await readTimer(table, found)
    if (timer !== undefined) await writeRow(table, setBackTimer(timer, found, reason, readClock()))
  }
}

const nameOf = ({ kind, subject }: Timer) => [kind, ...subject].join(' ')
