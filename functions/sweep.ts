import { chunks } from '../shared/domain/chunks.ts'
import type { Log } from '../shared/platform/log.ts'
import { epochMilliseconds, type Instant, readClock } from '../shared/platform/time.ts'
import type { CorruptItemError, Item } from '../shared/store/codec.ts'
import { record } from '../shared/store/commit.ts'
import { eventItem } from '../shared/store/event.ts'
import {
  dueTimers,
  readTimer,
  setAsideUnreadable,
  setBackTimer,
  type Timer,
  timerEntity,
} from '../shared/store/timer.ts'
import { type Action, putOnce, type Table, transact } from '../shared/store/transact.ts'
import { writeRow } from '../shared/store/write.ts'
import type { JobRun } from './job.ts'

/** Timers whose work is under way at the same time. */
const TOGETHER = 8
/** Milliseconds before the end of an invocation at which work is given up, so that there is time to say so. */
const LAST_WORDS = 2_000

/** Does what is due about a subject, moves or ends its timer, and says how many changes that were. */
export type TimerWork = (timer: Timer, now: Instant) => Promise<number>

/**
 * Does the work of every timer of a kind that is due. What is done is not due any more: a run that was cut off goes on
 * where it stopped, and one that comes twice finds nothing. A timer whose work fails, or takes longer than a function may,
 * keeps none of the others waiting: it is tried later, and set aside with its reason when it failed too often.
 */
export async function sweep(
  kind: string,
  run: JobRun,
  { table, log }: { readonly table: Table; readonly log: Log },
  work: TimerWork,
): Promise<void> {
  let longest = 0
  try {
    for await (const page of dueTimers(table, kind, readClock(), setAsideRow))
      for (const batch of chunks(page, TOGETHER)) {
        const changes = await Promise.all(batch.map(attempt))
        run.count(
          batch.length,
          changes.reduce((sum, one) => sum + one, 0),
        )
        await run.checkTime()
      }
  } finally {
    // Also of a run that has no time for all of it: then it is late.
    run.measureLag(kind, longest)
  }

  async function attempt(timer: Timer): Promise<number> {
    const now = readClock()
    const milliseconds = epochMilliseconds(now) - epochMilliseconds(timer.dueAt)
    longest = Math.max(longest, milliseconds)
    try {
      return await inTime(work(timer, now))
    } catch (error) {
      const subject = nameOf(timer)
      log('error', 'timer', { requestId: run.requestId, job: run.job, subject, milliseconds }, error)
      await setBack(timer, error instanceof Error ? `${error.name}: ${error.message}` : String(error))
      return 0
    }
  }

  /** What is given up may go on: it does no more harm than a run that comes twice. */
  async function inTime<T>(work: Promise<T>): Promise<T> {
    const left = run.remaining() - LAST_WORDS
    if (left <= 0) return work
    const { promise, reject } = Promise.withResolvers<never>()
    const deadline = setTimeout(() => reject(new Error('There was no time to bring it to its end.')), left)
    try {
      return await Promise.race([work, promise])
    } finally {
      clearTimeout(deadline)
    }
  }

  /** As it is now: its work may have claimed or moved it before it failed. */
  async function setBack(found: Timer, reason: string): Promise<void> {
    const timer = await readTimer(table, found)
    if (timer === undefined) return
    const now = readClock()
    const next = setBackTimer(timer, found, reason, now)
    const { failed } = timerEntity.decode(next.item)
    if (failed?.isSetAside) await giveUp(next, timer, failed, now)
    else await writeRow(table, next)
  }

  /** A row that is no timer: it would be in the way of every run. */
  async function setAsideRow(row: Item, error: CorruptItemError): Promise<void> {
    const now = readClock()
    log('error', 'timer', { requestId: run.requestId, job: run.job, subject: String(row['pk']) }, error)
    const [, , ...subject] = String(row['pk']).split('#')
    await giveUp(setAsideUnreadable(row, now), { kind, subject }, { times: 1, reason: error.message }, now)
  }

  /** What is set aside is told, in the same transaction. */
  async function giveUp(
    timer: Action,
    { subject }: Pick<Timer, 'kind' | 'subject'>,
    { times, reason }: { times: number; reason: string },
    now: Instant,
  ): Promise<void> {
    const event = record(
      {
        type: 'job.failed',
        subject: { type: 'timer', id: [kind, ...subject].join('#') },
        after: { job: run.job, kind, subject, times, reason },
      },
      { caller: { kind: 'system', subject: run.job }, now, requestId: run.requestId },
    )
    await transact(table, { timer, event: putOnce(eventItem(event)) })
  }
}

const nameOf = ({ kind, subject }: Timer) => [kind, ...subject].join(' ')
