import * as z from 'zod'
import type { Instant } from '../../shared/platform/time.ts'
import { askAws } from './ask-aws.ts'

const Listed = z.object({ Schedules: z.array(z.object({ Name: z.string(), GroupName: z.string() })) })
const Schedule = z.object({ Target: z.object({ Arn: z.string(), Input: z.string() }) })
const Input = z.object({ job: z.string() })

/**
 * Runs the schedules that were deployed once, as Scheduler would: each its own target with its own input. (The emulator
 * leaves the context attributes of the input as they are written, so they are put in here.)
 *
 * @param only the one job to run
 * @returns the jobs that ran
 * @throws Error with what the function answered, when one fails
 */
export async function runSchedules(endpoint: string, now: Instant, only?: string): Promise<string[]> {
  const get = async (path: string): Promise<unknown> => (await askAws(endpoint, 'scheduler', path)).json()
  const { Schedules } = Listed.parse(await get('/schedules'))
  const jobs: string[] = []
  for (const { Name, GroupName } of Schedules) {
    const { Target } = Schedule.parse(await get(`/schedules/${Name}?groupName=${GroupName}`))
    const { job } = Input.parse(JSON.parse(Target.Input))
    if (only !== undefined && job !== only) continue
    const body = Target.Input.replaceAll('<aws.scheduler.scheduled-time>', now)
    const path = `/2015-03-31/functions/${encodeURIComponent(Target.Arn)}/invocations`
    const response = await askAws(endpoint, 'lambda', path, { body })
    if (response.headers.has('x-amz-function-error'))
      throw new Error(`The schedule ${Name} with ${body} failed: ${await response.text()}`)
    jobs.push(job)
  }
  return jobs.toSorted()
}
