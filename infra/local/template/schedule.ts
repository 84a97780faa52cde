import * as z from 'zod'
import { ratePeriod } from '../schedules/rate.ts'
import { ACCOUNT, REGION } from './resolve.ts'
import { arn, generatedName, type Handler, propertiesOf, unsupported } from './site.ts'

/** What EventBridge Scheduler and Lambda's asynchronous invocation do when nothing is said. */
const DEFAULT_RETRIES = { scheduler: 185, lambda: 2 } as const

const GroupProperties = z.object({ Name: z.string().optional() })
const ScheduleProperties = z.object({
  Name: z.string().optional(),
  GroupName: z.string().default('default'),
  ScheduleExpression: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.object({
    Arn: z.string(),
    Input: z.string(),
    RetryPolicy: z
      .object({ MaximumRetryAttempts: z.number().default(DEFAULT_RETRIES.scheduler) })
      .prefault({}),
    DeadLetterConfig: z.object({ Arn: z.string() }).optional(),
  }),
})
const InvokeProperties = z.object({
  FunctionName: z.string(),
  MaximumRetryAttempts: z.number().default(DEFAULT_RETRIES.lambda),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }).optional() }).default({}),
})
const QueueProperties = z.object({ QueueName: z.string().optional() })

/** AWS::Scheduler::ScheduleGroup: a name. */
export const scheduleGroup: Handler = (logicalId, resource, site) => {
  const { Name = generatedName(logicalId) } = propertiesOf(GroupProperties, logicalId, resource, site)
  return { ref: Name, attributes: { Arn: arn('scheduler', `schedule-group/${Name}`) } }
}

/** AWS::Lambda::EventInvokeConfig: how often a run that failed is repeated, and where it goes then. */
export const eventInvokeConfig: Handler = (logicalId, resource, site) => {
  const { FunctionName, MaximumRetryAttempts, DestinationConfig } = propertiesOf(
    InvokeProperties,
    logicalId,
    resource,
    site,
  )
  site.failurePolicies.set(FunctionName, {
    maximumRetryAttempts: MaximumRetryAttempts,
    onFailure: DestinationConfig.OnFailure?.Destination,
  })
  return { ref: logicalId, attributes: {} }
}

/**
 * AWS::Scheduler::Schedule: a timer. Flexible windows are ignored: it fires on time. On AWS the schedule's own retries
 * are for deliveries that fail, the function's for runs that fail; here deliveries do not fail, so the function's
 * count, or the schedule's when the function has none.
 */
export const schedule: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(ScheduleProperties, logicalId, resource, site)
  const { Name = generatedName(logicalId), GroupName, ScheduleExpression, State, Target } = properties
  const scheduleArn = arn('scheduler', `schedule/${GroupName}/${Name}`)
  const target = site.functions.get(Target.Arn)
  if (target === undefined) {
    unsupported(site, logicalId, resource, `target ${Target.Arn}`)
    return { ref: Name, attributes: { Arn: scheduleArn } }
  }
  const period = ratePeriod(ScheduleExpression)
  if (period === undefined) unsupported(site, logicalId, resource, `expression ${ScheduleExpression}`)
  const policy = site.failurePolicies.get(target.name) ?? {
    maximumRetryAttempts: Target.RetryPolicy.MaximumRetryAttempts,
    onFailure: Target.DeadLetterConfig?.Arn,
  }
  site.schedules.push({
    name: Name,
    arn: scheduleArn,
    period: State === 'ENABLED' ? period : undefined,
    input: Target.Input,
    maximumRetryAttempts: policy.maximumRetryAttempts,
    deadLetterQueue: policy.onFailure && (site.queues.get(policy.onFailure) ?? policy.onFailure),
    invoke: (event) => target.invoke(event),
  })
  return { ref: Name, attributes: { Arn: scheduleArn } }
}

/** AWS::SQS::Queue: only as a place for dead letters, which is a file. */
export const queue: Handler = (logicalId, resource, site) => {
  const { QueueName = generatedName(logicalId) } = propertiesOf(QueueProperties, logicalId, resource, site)
  const queueArn = arn('sqs', QueueName)
  site.queues.set(queueArn, QueueName)
  const url = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${QueueName}`
  return { ref: url, attributes: { Arn: queueArn, QueueName, QueueUrl: url } }
}
