import * as z from 'zod'
import type { Instant } from '../../shared/platform/time.ts'

const Listed = z.object({ Schedules: z.array(z.object({ Name: z.string(), GroupName: z.string() })) })
const Schedule = z.object({ Target: z.object({ Arn: z.string(), Input: z.string() }) })

/**
 * Runs every schedule that was deployed once, as Scheduler would: its own target with its own input. (The emulator leaves
 * the context attributes of the input as they are written, so they are put in here.)
 *
 * @returns their names
 * @throws Error with what the function answered, when one fails
 */
export async function runSchedules(endpoint: string, now: Instant): Promise<string[]> {
  const { Schedules } = Listed.parse(await get('/schedules'))
  const names: string[] = []
  for (const { Name, GroupName } of Schedules) {
    const { Target } = Schedule.parse(await get(`/schedules/${Name}?groupName=${GroupName}`))
    const input = Target.Input.replaceAll('<aws.scheduler.scheduled-time>', now)
    const response = await fetch(
      `${endpoint}/2015-03-31/functions/${encodeURIComponent(Target.Arn)}/invocations`,
      { method: 'POST', body: input },
    )
    const answer = await response.text()
    if (!response.ok || response.headers.has('x-amz-function-error'))
      throw new Error(`The schedule ${Name} with ${input} failed: ${response.status} ${answer}`)
    names.push(z.object({ job: z.string() }).parse(JSON.parse(input)).job)
  }
  return names.toSorted()

  async function get(path: string): Promise<unknown> {
    // Unsigned: the emulator tells its services apart by path and by the name of the service in the header.
    const authorization = 'AWS4-HMAC-SHA256 Credential=rehearsal/20260101/us-east-1/scheduler/aws4_request'
    const response = await fetch(`${endpoint}${path}`, { headers: { authorization } })
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
    return response.json()
  }
}
