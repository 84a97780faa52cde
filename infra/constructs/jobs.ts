import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations'
import {
  ContextAttribute,
  Schedule,
  ScheduleExpression,
  ScheduleGroup,
  type ScheduleTargetConfig,
  ScheduleTargetInput,
  TimeWindow,
} from 'aws-cdk-lib/aws-scheduler'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import { type Job, type JobInput, jobs } from '../../functions/jobs.ts'
import type { ContextName } from '../../functions/routes.ts'

/** How often Scheduler tries anew to deliver a run. A run is deduplicated by its scheduled time: more do no harm. */
const DELIVERY_RETRIES = 10
/** How often Lambda repeats a run that failed (the most there is, asynchronous invocation, Lambda guide). */
const RUN_RETRIES = 2
/** The longest that Scheduler, and Lambda's asynchronous invocation, let a run wait. */
const LONGEST_WAIT_MINUTES = { scheduler: 24 * 60, lambda: 6 * 60 } as const

export const scheduledJobs: readonly (readonly [name: string, job: Job])[] = Object.entries<Job>(jobs)

/**
 * The schedules of the job table. Scheduler is done with a run once Lambda has accepted it, so a run can be lost at
 * two places, and from both it falls into the same dead-letter queue: when it cannot be delivered, and when the
 * function fails on it and on its repetitions.
 */
export function createJobs(
  scope: Construct,
  functions: ReadonlyMap<ContextName, LambdaFunction>,
): { deadLetters: Queue } {
  const deadLetters = createDeadLetters(scope)
  const group = new ScheduleGroup(scope, 'Schedules', { removalPolicy: RemovalPolicy.DESTROY })
  const role = createRole(scope, group)
  role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }))
  for (const [context, lambda] of functions) {
    const own = scheduledJobs.filter(([, job]) => job.context === context)
    if (own.length === 0) continue
    role.addToPolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] }),
    )
    lambda.configureAsyncInvoke({
      retryAttempts: RUN_RETRIES,
      maxEventAge: waitAtMost(Math.max(...own.map(([, job]) => job.everyMinutes)), 'lambda'),
      onFailure: new SqsDestination(deadLetters),
    })
    for (const [name, job] of own) {
      createSchedule(scope, name, job, group, {
        arn: lambda.functionArn,
        role,
        deadLetterConfig: { arn: deadLetters.queueArn },
      })
    }
  }
  return { deadLetters }
}

function createSchedule(
  scope: Construct,
  name: string,
  job: Job,
  scheduleGroup: ScheduleGroup,
  target: ScheduleTargetConfig,
): void {
  const input: JobInput = { job: name, scheduledAt: ContextAttribute.scheduledTime }
  const schedule = new Schedule(scope, `Schedule-${name}`, {
    description: job.purpose,
    schedule: ScheduleExpression.rate(Duration.minutes(job.everyMinutes)),
    // Lateness is measured from the scheduled time, which a flexible window would blur.
    timeWindow: TimeWindow.off(),
    scheduleGroup,
    // Not aws-scheduler-targets' LambdaInvoke: its role may invoke every version of the function (`<arn>:*`).
    target: {
      bind: () => ({
        ...target,
        input: ScheduleTargetInput.fromObject(input),
        retryPolicy: {
          maximumRetryAttempts: DELIVERY_RETRIES,
          maximumEventAgeInSeconds: waitAtMost(job.everyMinutes, 'scheduler').toSeconds(),
        },
      }),
    },
  })
  // It names its group and fires as soon as it is there: the group and the role's permissions come first.
  schedule.node.addDependency(scheduleGroup, target.role)
}

/** A run may wait until the next one is due, which catches up on it. */
function waitAtMost(everyMinutes: number, where: keyof typeof LONGEST_WAIT_MINUTES): Duration {
  return Duration.minutes(Math.min(everyMinutes, LONGEST_WAIT_MINUTES[where]))
}

function createRole(scope: Construct, group: ScheduleGroup): Role {
  return new Role(scope, 'SchedulerRole', {
    // Scheduler may take the role for our schedules only (confused deputy prevention, Scheduler user guide).
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': Stack.of(scope).account,
          'aws:SourceArn': group.scheduleGroupArn,
        },
      },
    }),
  })
}

function createDeadLetters(scope: Construct): Queue {
  const queue = new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  })
  const reason = 'This is the dead-letter queue: nothing consumes it, so nothing can fail on it.'
  Validations.of(queue).acknowledge(
    { id: 'AwsSolutions-SQS3', reason },
    { id: 'Serverless-SQSRedrivePolicy', reason },
  )
  return queue
}
