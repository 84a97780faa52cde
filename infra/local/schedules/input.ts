import { randomUUID } from 'node:crypto'
import { ACCOUNT, REGION } from '../template/resolve.ts'

/** What EventBridge Scheduler knows of one delivery (user guide, "Adding context attributes"). */
type Delivery = {
  readonly scheduleArn: string
  /** RFC 3339, whole seconds. */
  readonly scheduledTime: string
  readonly executionId: string
  /** 1 for the first. */
  readonly attempt: number
}

/** The event of a schedule: its `Input` with the context attributes filled in, or Scheduler's own event without one. */
export function scheduleEvent(input: string | undefined, delivery: Delivery): string {
  const { scheduleArn, scheduledTime, executionId, attempt } = delivery
  if (input === undefined) {
    return JSON.stringify({
      version: '0',
      id: randomUUID(),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: ACCOUNT,
      time: scheduledTime,
      region: REGION,
      resources: [scheduleArn],
      detail: '{}',
    })
  }
  return input
    .replaceAll('<aws.scheduler.schedule-arn>', scheduleArn)
    .replaceAll('<aws.scheduler.scheduled-time>', scheduledTime)
    .replaceAll('<aws.scheduler.execution-id>', executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(attempt))
}
