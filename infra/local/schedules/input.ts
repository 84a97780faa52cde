/** What EventBridge Scheduler knows of one delivery (user guide, "Adding context attributes"). */
type Delivery = {
  readonly scheduleArn: string
  /** RFC 3339, whole seconds. */
  readonly scheduledTime: string
  readonly executionId: string
  /** 1 for the first. */
  readonly attempt: number
}

/** The event of a schedule: its `Input` with the context attributes filled in. */
export function scheduleEvent(input: string, delivery: Delivery): string {
  const { scheduleArn, scheduledTime, executionId, attempt } = delivery
  return input
    .replaceAll('<aws.scheduler.schedule-arn>', scheduleArn)
    .replaceAll('<aws.scheduler.scheduled-time>', scheduledTime)
    .replaceAll('<aws.scheduler.execution-id>', executionId)
    .replaceAll('<aws.scheduler.attempt-number>', String(attempt))
}
