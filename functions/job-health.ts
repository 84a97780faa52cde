import { epochMilliseconds, type Instant, MINUTE } from '../shared/platform/time.ts'
import type { LastSuccess } from '../shared/store/run.ts'
import { type Job, jobs } from './jobs.ts'

/** A run takes up to 15 minutes with what is tried again; before that nobody need be woken. */
const PATIENCE = 15 * MINUTE

/**
 * How a job does: `late` if its last success is older than twice its interval and some minutes; `waiting` if it never
 * had one, as on a stage that was just deployed (that it is not started at all, an alarm tells).
 */
type JobHealth = {
  readonly job: string
  readonly status: 'ok' | 'late' | 'waiting'
  readonly lastSuccessAt?: Instant
  /** Since then. */
  readonly ageSeconds?: number
}

export function jobHealth(successes: readonly LastSuccess[], now: Instant): JobHealth[] {
  const last = new Map(successes.map(({ job, at }) => [job, at]))
  return Object.entries<Job>(jobs).map(([job, { everyMinutes }]): JobHealth => {
    const lastSuccessAt = last.get(job)
    if (lastSuccessAt === undefined) return { job, status: 'waiting' }
    const age = Math.max(0, epochMilliseconds(now) - epochMilliseconds(lastSuccessAt))
    const isLate = age > 2 * everyMinutes * MINUTE + PATIENCE
    return { job, status: isLate ? 'late' : 'ok', lastSuccessAt, ageSeconds: Math.floor(age / 1_000) }
  })
}
