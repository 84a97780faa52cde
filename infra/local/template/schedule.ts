import * as z from 'zod'
import { ratePeriod } from '../schedules/rate.ts'
import { arn, generatedName, type Handler, propertiesOf, unsupported } from './site.ts'

/** EventBridge Scheduler's own when a schedule does not say. */
const DEFAULT_RETRIES = 185

const GroupProperties = z.object({ Name: z.string().optional() })
const ScheduleProperties = z.object({
  Name: z.string().optional(),
  GroupName: z.string().default('default'),
  ScheduleExpression: z.string(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Target: z.object({
    Arn: z.string(),
    Input: z.string().optional(),
    RetryPolicy: z.object({ MaximumRetryAttempts: z.number().default(DEFAULT_RETRIES) }).prefault({}),
    DeadLetterConfig: z.object({ Arn: z.string() }).optional(),
  }),
})
const QueueProperties = z.object({ QueueName: z.string().optional() })

/** AWS::Scheduler::ScheduleGroup: a name. */
export const scheduleGroup: Handler = (logicalId, resource, site) => {
  const { Name = generatedName(logicalId) } = propertiesOf(GroupProperties, logicalId, resource, site)
  return { ref: Name, attributes: { Arn: arn('scheduler', `schedule-group/${Name}`) } }
}

/** AWS::Scheduler::Schedule: a timer. Flexible windows are ignored: it fires on time. */
export const schedule: Handler = (logicalId, resource, site) => {
  const properties = propertiesOf(ScheduleProperties, logicalId, resource, site)
  const { Name = generatedName(logicalId), GroupName, ScheduleExpression, State, Target } = properties
  const scheduleArn = arn('scheduler', `schedule/${GroupName}/${Name}`)
  const target = site.functions.get(Target.Arn)
  const period = ratePeriod(ScheduleExpression)
  if (target === undefined) unsupported(site, logicalId, resource, `target ${Target.Arn}`)
  else {
    if (period === undefined) unsupported(site, logicalId, resource, `expression ${ScheduleExpression}`)
    site.schedules.push({
      name: Name,
      arn: scheduleArn,
      period: State === 'ENABLED' ? period : undefined,
      input: Target.Input,
      maximumRetryAttempts: Target.RetryPolicy.MaximumRetryAttempts,
      deadLetterQueue:
        Target.DeadLetterConfig &&
        (site.queues.get(Target.DeadLetterConfig.Arn) ?? Target.DeadLetterConfig.Arn),
      invoke: (event) => target.invoke(event),
    })
  }
  return { ref: Name, attributes: { Arn: scheduleArn } }
}

/** AWS::SQS::Queue: only as a place for dead letters, which is a file. */
export const queue: Handler = (logicalId, resource, site) => {
  const { QueueName = generatedName(logicalId) } = propertiesOf(QueueProperties, logicalId, resource, site)
  const queueArn = arn('sqs', QueueName)
  site.queues.set(queueArn, QueueName)
  const url = `https://sqs.us-east-1.amazonaws.com/000000000000/${QueueName}`
  return { ref: url, attributes: { Arn: queueArn, QueueName, QueueUrl: url } }
}
