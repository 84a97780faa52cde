import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  epochMilliseconds,
  fromEpochMilliseconds,
  type Instant,
  readClock,
} from '../../../shared/platform/time.ts'
import { backoff } from '../backoff.ts'
import { recordDeadLetter } from '../dead-letters.ts'
import { messageOf } from '../errors.ts'
import { scheduleEvent } from './input.ts'
import { currentSlot, nextSlot } from './rate.ts'

/** `setTimeout` takes no more than 2^31 - 1 milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1

export type Schedule = {
  readonly name: string
  readonly arn: string
  /** Milliseconds; undefined when it never fires by itself here. */
  readonly period: number | undefined
  readonly input: string
  readonly maximumRetryAttempts: number
  readonly deadLetterQueue: string | undefined
  invoke(event: string): Promise<string>
}

/** A run that was given up. */
type DeadLetter = {
  readonly at: Instant
  readonly queue: string | undefined
  readonly schedule: string
  readonly scheduledTime: string
  readonly attempts: number
  readonly error: string
  readonly input: string
}

/** How one run of a schedule ended. */
export type ScheduleOutcome =
  | { readonly ok: true; readonly attempts: number; readonly result: unknown }
  | { readonly ok: false; readonly attempts: number; readonly deadLetter: DeadLetter }

/**
 * EventBridge Scheduler's part: fires each schedule at its slots and repeats what fails. A slot that passed while
 * nothing ran is not made up for, as on AWS.
 */
export class Scheduler {
  private readonly schedules: readonly Schedule[]
  private readonly folder: string
  private readonly print: (line: string) => void
  private readonly timers = new Map<Schedule, NodeJS.Timeout>()
  private readonly closing = new AbortController()

  constructor(schedules: readonly Schedule[], folder: string, print: (line: string) => void) {
    this.schedules = schedules
    this.folder = folder
    this.print = print
  }

  start(): void {
    for (const schedule of this.schedules) {
      if (schedule.period === undefined) continue
      this.arm(schedule, schedule.period, nextSlot(schedule.period, now()))
    }
  }

  close(): void {
    this.closing.abort()
    for (const timer of this.timers.values()) clearTimeout(timer)
    this.timers.clear()
  }

  /** Runs a schedule now, for a slot of the caller's choice; answers when it succeeded or its attempts are used up. */
  async run(name: string, scheduledTime: Instant): Promise<ScheduleOutcome> {
    const schedule = this.schedules.find((candidate) => candidate.name === name)
    if (schedule === undefined) {
      const known = this.schedules.map((candidate) => candidate.name).join(', ')
      throw new RangeError(`There is no schedule ${name}; there are: ${known || 'none'}`)
    }
    return this.deliver(schedule, epochMilliseconds(scheduledTime))
  }

  private arm(schedule: Schedule, period: number, slot: number): void {
    const timer = setTimeout(
      () => {
        const time = now()
        // Timers come a little early at times, and long ones in several parts.
        if (time < slot) return this.arm(schedule, period, slot)
        // After the machine slept only the newest slot counts.
        const due = currentSlot(period, time)
        this.arm(schedule, period, due + period)
        this.deliver(schedule, due).catch((error: unknown) => {
          if (!this.closing.signal.aborted) this.print(`Schedule ${schedule.name}: ${messageOf(error)}`)
        })
      },
      Math.min(Math.max(slot - now(), 0), LONGEST_TIMER),
    )
    this.timers.set(schedule, timer)
  }

  private async deliver(schedule: Schedule, slot: number): Promise<ScheduleOutcome> {
    const scheduledTime = fromEpochMilliseconds(slot).replace(/\.\d+Z$/, 'Z')
    const executionId = randomUUID()
    for (let attempt = 1; ; attempt++) {
      const delivery = { scheduleArn: schedule.arn, scheduledTime, executionId, attempt }
      const event = scheduleEvent(schedule.input, delivery)
      try {
        return { ok: true, attempts: attempt, result: JSON.parse(await schedule.invoke(event)) }
      } catch (error) {
        this.closing.signal.throwIfAborted()
        if (attempt > schedule.maximumRetryAttempts) {
          const deadLetter = recordDeadLetter(this.folder, this.print, `Schedule ${schedule.name}`, {
            queue: schedule.deadLetterQueue,
            schedule: schedule.name,
            scheduledTime,
            attempts: attempt,
            error: messageOf(error),
            input: event,
          })
          return { ok: false, attempts: attempt, deadLetter }
        }
        await delay(backoff(attempt), undefined, { signal: this.closing.signal })
      }
    }
  }
}

const now = () => epochMilliseconds(readClock())
