import * as z from 'zod'
import type { HttpHandler } from '../shared/platform/http/pipeline.ts'
import { Instant } from '../shared/platform/time.ts'
import type { Delivery } from './job.ts'
import type { JobName } from './jobs.ts'

/** What EventBridge Scheduler sends; see JobInput in jobs.ts. */
const JobEvent = z.strictObject({ job: z.string(), scheduledAt: Instant })

type RunsOf<S> = { readonly [job in JobName]?: (delivery: Delivery, services: S) => Promise<void> }

/** A Lambda handler that serves API Gateway and EventBridge Scheduler alike. */
export function withJobs<S>(http: HttpHandler, services: () => Promise<S>, runs: RunsOf<S>) {
  const known = new Map(Object.entries(runs))
  return async (event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<unknown> => {
    const parsed = JobEvent.safeParse(event)
    if (!parsed.success) return http(event, context)
    const { job, scheduledAt } = parsed.data
    const run = known.get(job)
    if (run === undefined) throw new RangeError(`this function has no job ${job}`)
    return run({ scheduledAt, remaining: () => context.getRemainingTimeInMillis() }, await services())
  }
}
