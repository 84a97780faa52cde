import { Duration } from 'aws-cdk-lib'
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2'
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { type Job, jobs } from '../../functions/jobs.ts'
import type { ContextName } from '../../functions/routes.ts'
import { METRIC_NAMESPACE, METRICS } from '../../shared/platform/metric-names.ts'
import type { Stage } from '../stage.ts'
import type { StreamConsumer } from './streams.ts'

type Shown = {
  readonly functions: ReadonlyMap<ContextName, LambdaFunction>
  readonly api: HttpApi
  readonly table: Table
  readonly streams: StreamConsumer
}

const PERIOD = Duration.minutes(5)
/** A dashboard is this many units wide (CloudWatch). */
const WIDTH = 24
const [HALF, THIRD] = [WIDTH / 2, WIDTH / 3]

/** What whoever was woken looks at first: do callers get answers, does what is due get done, and what holds it up. */
export function createDashboard(scope: Construct, stage: Stage, shown: Shown): void {
  const { functions, api, table, streams } = shown
  const graph = (title: string, width: number, left: IMetric[], right: IMetric[] = []) =>
    new GraphWidget({ title, width, height: 6, left, right, period: PERIOD })
  const ofFunctions = (metric: (lambda: LambdaFunction) => Metric) =>
    [...functions].map(([context, lambda]) => metric(lambda).with({ label: context }))
  const own = (metricName: string) =>
    new Metric({
      namespace: METRIC_NAMESPACE,
      metricName,
      dimensionsMap: { service: stage.name },
      statistic: 'Sum',
      period: PERIOD,
    })
  const ofTable = (metricName: string, statistic = 'Sum') => table.metric(metricName, { statistic })
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: `latchkey-${stage.name}` })
  dashboard.addWidgets(
    graph('API: latency (ms)', THIRD, [
      api.metricLatency({ statistic: 'p50' }),
      api.metricLatency({ statistic: 'p99' }),
      api.metricIntegrationLatency({ statistic: 'p99' }),
    ]),
    graph('API: requests, and those refused or failed', THIRD, [
      api.metricCount(),
      api.metricClientError(),
      api.metricServerError(),
    ]),
    graph(
      'Functions: errors',
      THIRD,
      ofFunctions((lambda) => lambda.metricErrors()),
    ),
  )
  dashboard.addWidgets(
    graph(
      'Jobs: from when a run was due to its end (ms)',
      HALF,
      Object.keys(jobs).map(
        (job) =>
          new Metric({
            namespace: METRIC_NAMESPACE,
            metricName: 'JobLateness',
            dimensionsMap: { service: stage.name, job },
            statistic: 'Maximum',
            period: PERIOD,
            label: job,
          }),
      ),
    ),
    graph('Timers: how late what was due was done (ms), by kind', HALF, [
      new MathExpression({
        expression: `SEARCH('{${METRIC_NAMESPACE},service,job,kind} service="${stage.name}" MetricName="TimerLag"', 'Maximum')`,
        label: '',
        usingMetrics: {},
        period: PERIOD,
      }),
    ]),
  )
  dashboard.addWidgets(
    graph('Table: units consumed', THIRD, [
      ofTable('ConsumedReadCapacityUnits'),
      ofTable('ConsumedWriteCapacityUnits'),
    ]),
    graph('Table: throttled', THIRD, [ofTable('ReadThrottleEvents'), ofTable('WriteThrottleEvents')]),
    graph('KMS: calls of the account', THIRD, [
      new MathExpression({
        expression: `SEARCH('{AWS/Usage,Class,Resource,Service,Type} Service="KMS" MetricName="CallCount"', 'Sum')`,
        label: '',
        usingMetrics: {},
        period: PERIOD,
      }),
    ]),
  )
  dashboard.addWidgets(
    graph(
      'Functions: duration (ms, p99), turned away',
      HALF,
      ofFunctions((lambda) => lambda.metricDuration({ statistic: 'p99' })),
      ofFunctions((lambda) => lambda.metricThrottles()),
    ),
    graph('Stream: age of what is processed (ms)', HALF, [
      streams.lambda.metric('IteratorAge', { statistic: 'Maximum' }),
    ]),
  )
  dashboard.addWidgets(
    new SingleValueWidget({
      title: 'Of the last day',
      width: WIDTH,
      height: 6,
      period: Duration.days(1),
      metrics: Object.entries(METRICS).flatMap(([name, unit]) => (unit === 'Count' ? [own(name)] : [])),
    }),
  )
  dashboard.addWidgets(new TextWidget({ width: WIDTH, height: 8, markdown: purposes() }))
}

const purposes = () =>
  ['| Job | Every | What is lost while it does not run |', '|---|---|---|']
    .concat(
      Object.entries<Job>(jobs).map(
        ([name, { everyMinutes, errorImpact }]) => `| ${name} | ${everyMinutes} min | ${errorImpact} |`,
      ),
    )
    .join('\n')
