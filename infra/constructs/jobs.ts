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
import { Construct } from 'constructs'
import { type Job, type JobInput, jobs } from '../../functions/jobs.ts'
import type { ContextName } from '../../functions/routes.ts'

/** How often Scheduler tries anew to deliver a run. A run is deduplicated by its scheduled time: more do no harm. */
const DELIVERY_RETRIES = 10
/** How often Lambda repeats a run that failed (the most there is, asynchronous invocation, Lambda guide). */
const RUN_RETRIES = 2
/**
 * How long Scheduler, and Lambda's asynchronous invocation, let a run wait, in minutes. Lambda waits one before the first
 * repetition and two before the second: a run that may not wait as long is given up without them.
 */
const WAIT = { scheduler: { least: 1, most: 24 * 60 }, lambda: { least: 5, most: 6 * 60 } } as const

const scheduledJobs: readonly (readonly [name: string, job: Job])[] = Object.entries<Job>(jobs)

/** What there is of a job to watch. */
type ScheduledJob = { readonly name: string; readonly job: Job; readonly group: ScheduleGroup }

/** The jobs that run in the function of one context, and where their runs end that were given up. */
export type ContextJobs = {
  readonly context: ContextName
  readonly jobs: readonly ScheduledJob[]
  readonly deadLetters: Queue
}

/**
 * The schedules of the job table. Scheduler is done with a run once Lambda has accepted it, so a run can be lost at
 * two places, and from both it falls into the same dead-letter queue: when it cannot be delivered, and when the
 * function fails on it and on its repetitions.
 */
export function createJobs(
  parent: Construct,
  functions: ReadonlyMap<ContextName, LambdaFunction>,
): readonly ContextJobs[] {
  const scope = new Construct(parent, 'Jobs')
  return [...functions].flatMap(([context, lambda]) => {
    const own = scheduledJobs.filter(([, job]) => job.context === context)
    return own.length === 0 ? [] : [createContextJobs(scope, context, lambda, own)]
  })
}

function createContextJobs(
  parent: Construct,
  context: ContextName,
  lambda: LambdaFunction,
  own: typeof scheduledJobs,
): ContextJobs {
  const scope = new Construct(parent, context)
  const deadLetters = createDeadLetters(scope)
  lambda.configureAsyncInvoke({
    retryAttempts: RUN_RETRIES,
    maxEventAge: waitAtMost(Math.max(...own.map(([, job]) => job.everyMinutes)), 'lambda'),
    onFailure: new SqsDestination(deadLetters),
  })
  // A group for each, because Scheduler counts what it does by group.
  const scheduled = own.map(([name, job]) => ({
    name,
    job,
    group: new ScheduleGroup(scope, `Group-${name}`, { removalPolicy: RemovalPolicy.DESTROY }),
  }))
  const role = createRole(scope, scheduled, lambda, deadLetters)
  for (const one of scheduled) {
    createSchedule(scope, one, {
      arn: lambda.functionArn,
      role,
      deadLetterConfig: { arn: deadLetters.queueArn },
    })
  }
  return { context, jobs: scheduled, deadLetters }
}

function createSchedule(
  scope: Construct,
  { name, job, group }: ScheduledJob,
  target: ScheduleTargetConfig,
): void {
  const input: JobInput = { job: name, scheduledAt: ContextAttribute.scheduledTime }
  const schedule = new Schedule(scope, `Schedule-${name}`, {
    description: job.purpose,
    schedule: ScheduleExpression.rate(Duration.minutes(job.everyMinutes)),
    // Lateness is measured from the scheduled time, which a flexible window would blur.
    timeWindow: TimeWindow.off(),
    scheduleGroup: group,
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
  schedule.node.addDependency(group, target.role)
}

/** A run may wait until the next one is due, which catches up on it. */
function waitAtMost(everyMinutes: number, where: keyof typeof WAIT): Duration {
  const { least, most } = WAIT[where]
  return Duration.minutes(Math.min(Math.max(everyMinutes, least), most))
}

/** What Scheduler does our jobs with: start this function, and put what it cannot deliver into this queue. */
function createRole(
  scope: Construct,
  scheduled: readonly ScheduledJob[],
  lambda: LambdaFunction,
  deadLetters: Queue,
): Role {
  const role = new Role(scope, 'Role', {
    // Scheduler may take the role for our schedules only (confused deputy prevention, Scheduler user guide).
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': Stack.of(scope).account,
          'aws:SourceArn': scheduled.map(({ group }) => group.scheduleGroupArn),
        },
      },
    }),
  })
  role.addToPolicy(
    new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] }),
  )
  role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }))
  return role
}

/** Where runs and records end that were given up, for two weeks. */
export function createDeadLetters(scope: Construct): Queue {
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
