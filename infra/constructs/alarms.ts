import { Duration, Stack, Validations } from 'aws-cdk-lib'
import type { HttpStage } from 'aws-cdk-lib/aws-apigatewayv2'
import { Alarm, ComparisonOperator, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { jobs } from '../../functions/jobs.ts'
import type { ContextName } from '../../functions/routes.ts'
import { METRIC_NAMESPACE } from '../../shared/platform/metric-names.ts'
import { contextSettings } from '../contexts.ts'
import type { Stage } from '../stage.ts'
import type { ContextJobs } from './jobs.ts'
import type { StreamConsumer } from './streams.ts'

type Watched = {
  readonly functions: ReadonlyMap<ContextName, LambdaFunction>
  readonly apiStage: HttpStage
  readonly jobs: readonly ContextJobs[]
  readonly streams: StreamConsumer
}

type AlarmProps = {
  readonly metric: IMetric
  /** One sentence: what users lose while it rings. */
  readonly errorImpact: string
  /** One sentence: what has been seen. */
  readonly seen: string
  /** It rings from this value of the metric on; 1 unless said otherwise. */
  readonly threshold?: number
  /** It rings if this many of the last periods were bad; the last one alone unless said otherwise. */
  readonly bad?: { readonly periods: number; readonly of: number }
  /** Rings when the metric is 0 or missing, and not when it is above. */
  readonly whenSilent?: true
}

const PERIOD = Duration.minutes(5)
/**
 * Of the jobs that do what is due, the one that comes seldomest: it is up to so late when all is well, and tells how late
 * it was once in as long.
 */
const SELDOMEST = jobs.reclaimSeats

/** Every alarm says what users lose while it rings; whoever gets it at night decides by that. */
export function createAlarms(parent: Construct, stage: Stage, watched: Watched): void {
  const scope = new Construct(parent, 'Alarms')
  const action = new SnsAction(createTopic(scope, stage))
  const alarm = (id: string, props: AlarmProps) => createAlarm(scope, id, props).addAlarmAction(action)
  const running = new Set(watched.jobs.map(({ context }) => context))
  for (const [context, lambda] of watched.functions) {
    const { errorImpact } = contextSettings[context]
    const orJob = running.has(context) ? ', or a run of a job had no time for all and goes on' : ''
    alarm(`Errors-${context}`, {
      metric: lambda.metricErrors({ period: PERIOD }),
      errorImpact,
      seen: `The function of ${context} crashed or ran out of time${orJob}.`,
    })
    alarm(`Throttles-${context}`, {
      metric: lambda.metricThrottles({ period: PERIOD }),
      errorImpact,
      seen: `Calls of the function of ${context} are turned away: the account's concurrency is used up.`,
    })
  }
  alarm('ServerErrors', {
    metric: watched.apiStage.metricServerError({ statistic: 'Sum', period: PERIOD }),
    errorImpact: 'Some requests are answered with a server error, and whoever sent them has to try again.',
    seen: 'The API keeps answering with status 5xx.',
    bad: { periods: 2, of: 3 },
  })
  for (const contextJobs of watched.jobs) watchJobs(contextJobs, alarm)
  watchOwn(stage, alarm)
  watchStream(watched.streams, alarm)
}

/** What the jobs themselves measure; see shared/platform/metrics.ts. */
function watchOwn({ name }: Stage, alarm: (id: string, props: AlarmProps) => void) {
  const metric = (metricName: string, statistic: string) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { service: name },
      statistic,
      period: PERIOD,
    })
  alarm('SetAside', {
    metric: metric('TimersSetAside', 'Sum'),
    errorImpact: 'Something that was due for somebody is not done, and is not tried any more.',
    seen: 'It failed six times over nine hours, or cannot be read; GET /v1/jobs/dead says what and why, and it can be tried again there.',
  })
  const seldom = Duration.minutes(SELDOMEST.everyMinutes)
  alarm('TimersLate', {
    metric: metric('TimerLag', 'Maximum'),
    errorImpact: 'What is due, such as validations, reminders and idle seats, is done hours late.',
    seen: 'Jobs run, but do not keep up with what is due.',
    threshold: 1.5 * seldom.toMilliseconds(),
    bad: { periods: 3, of: (3 * seldom.toMinutes()) / PERIOD.toMinutes() },
  })
  alarm('Integrity', {
    metric: metric('IntegrityEvents', 'Sum'),
    errorImpact: 'Somebody may have changed behind the API what tenants were granted, or what was recorded.',
    seen: 'Something stored is not as it was signed or recorded; the integrity of the tenant says what differs.',
  })
}

/** A stream's consumer does its work if it keeps up and gives nothing up. */
function watchStream(
  { context, lambda, deadLetters }: StreamConsumer,
  alarm: (id: string, props: AlarmProps) => void,
) {
  const { errorImpact } = contextSettings[context]
  alarm(`Behind-${context}`, {
    metric: lambda.metric('IteratorAge', { statistic: 'Maximum', period: PERIOD }),
    errorImpact,
    seen: `The function of ${context} is minutes behind the table's stream, or cannot process what is in it.`,
    threshold: PERIOD.toMilliseconds(),
  })
  alarm(`DeadLetters-${context}`, {
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: PERIOD }),
    errorImpact,
    seen: `Records for ${context} were given up; the message in the dead-letter queue says where they lie in the stream, for 24 hours from their writing.`,
  })
}

/** A job does its work if Scheduler starts it and none of its runs is given up; both are watched. */
function watchJobs(
  { context, jobs, deadLetters }: ContextJobs,
  alarm: (id: string, props: AlarmProps) => void,
) {
  for (const { name, job, group } of jobs) {
    alarm(`NotStarted-${name}`, {
      metric: group.metricAttempts({ statistic: 'Sum', period: Duration.minutes(job.everyMinutes) }),
      errorImpact: job.errorImpact,
      seen: `Scheduler has not started the job ${name} twice in a row.`,
      bad: { periods: 2, of: 2 },
      whenSilent: true,
    })
  }
  alarm(`DeadLetters-${context}`, {
    metric: deadLetters.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: PERIOD }),
    errorImpact: jobs.map(({ job }) => job.errorImpact).join(' '),
    seen: `A run of ${jobs.map(({ name }) => name).join(' or ')}, or what else came to ${context} beside the API, was given up; its message in the dead-letter queue says what and why.`,
  })
}

function createAlarm(scope: Construct, id: string, props: AlarmProps): Alarm {
  const { metric, errorImpact, seen, threshold = 1, bad = { periods: 1, of: 1 }, whenSilent = false } = props
  return new Alarm(scope, id, {
    metric,
    alarmDescription: `${errorImpact} ${seen}`,
    threshold,
    comparisonOperator: whenSilent
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: whenSilent ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    datapointsToAlarm: bad.periods,
    evaluationPeriods: bad.of,
  })
}

function createTopic(scope: Construct, stage: Stage): Topic {
  const topic = new Topic(scope, 'Topic', { displayName: `Latchkey ${stage.name}`, enforceSSL: true })
  // A topic with a policy of its own no longer lets CloudWatch in by itself.
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  )
  if (stage.alarmEmail !== undefined) {
    const subscription = topic.addSubscription(new EmailSubscription(stage.alarmEmail))
    Validations.of(subscription).acknowledge({
      id: 'Serverless-SNSRedrivePolicy',
      reason:
        'SNS repeats an e-mail that cannot be delivered for hours, and the alarm stays visible in CloudWatch; a queue of undelivered alarms would need an alarm of its own.',
    })
  }
  return topic
}
