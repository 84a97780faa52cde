import { Duration, Validations } from 'aws-cdk-lib'
import type { Table } from 'aws-cdk-lib/aws-dynamodb'
import {
  EventSourceMapping,
  FilterCriteria,
  type Function as LambdaFunction,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda'
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { Queue } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { RECORDS_FILTERS } from '../../functions/records/filter.ts'
import type { ContextName } from '../../functions/routes.ts'
import { DELIVERIES_FILTER } from '../../functions/webhooks/filter.ts'
import { functionOf } from './context-function.ts'
import { createDeadLetters } from './jobs.ts'

/** The context that sends events to webhook endpoints, at once where it can. */
const SENDER = 'webhooks' satisfies ContextName
/**
 * What it does not send, the job of webhooks does a minute later: so it waits for no batch, tries hardly again, and gives
 * up what is old without a word.
 */
const SENDING = { records: 50, retries: 1, longestWait: Duration.minutes(15) }

/** The context that turns stream records into events, and events into what follows from them. */
const CONSUMER = 'records' satisfies ContextName

/** Retries wait longer and longer, so these last for minutes: a throttled table recovers, a bad record does not. */
const RETRIES = 10
/**
 * A stream keeps a record for 24 hours (DynamoDB developer guide). What is given up after half of them can still be
 * fetched from it: a dead letter says where it lies, not what it says.
 */
const LONGEST_WAIT = Duration.hours(12)
/** An event may be this late in the log, so that the changes of a busy second are one invocation. */
const BATCH = { records: 100, window: Duration.seconds(1) }
/** Batches of one shard at a time; the records of one item stay in order. */
const PARALLEL_BATCHES = 10

/** The consumer of the table's stream, for the alarms. */
export type StreamConsumer = {
  readonly context: ContextName
  readonly lambda: LambdaFunction
  readonly deadLetters: Queue
}

/**
 * The way of the table's changes through its stream to the function that says what they mean, and of webhook deliveries
 * to the one that sends them; see functions/records/filter.ts and functions/webhooks/filter.ts for what gets there. A
 * third reader would slow both (two a shard, DynamoDB developer guide).
 */
export function createStreams(
  parent: Construct,
  table: Table,
  functions: ReadonlyMap<ContextName, LambdaFunction>,
): StreamConsumer {
  const lambda = functionOf(functions, CONSUMER)
  if (table.tableStreamArn === undefined) throw new TypeError('the table has no stream')
  const scope = new Construct(parent, 'Streams')
  const deadLetters = createDeadLetters(scope)
  // Not aws-lambda-event-sources' DynamoEventSource: it lets the function list the streams of every table.
  new EventSourceMapping(scope, 'Records', {
    target: lambda,
    eventSourceArn: table.tableStreamArn,
    filters: RECORDS_FILTERS.map((pattern) => FilterCriteria.filter(pattern)),
    // What was written before the mapping was there is not lost.
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: BATCH.records,
    maxBatchingWindow: BATCH.window,
    parallelizationFactor: PARALLEL_BATCHES,
    reportBatchItemFailures: true,
    bisectBatchOnError: true,
    retryAttempts: RETRIES,
    maxRecordAge: LONGEST_WAIT,
    onFailure: new SqsDlq(deadLetters),
  })
  const sending = new EventSourceMapping(scope, 'Webhooks', {
    target: functionOf(functions, SENDER),
    eventSourceArn: table.tableStreamArn,
    filters: [FilterCriteria.filter(DELIVERIES_FILTER)],
    startingPosition: StartingPosition.TRIM_HORIZON,
    batchSize: SENDING.records,
    // Records of one endpoint stay together: one that is slow keeps few others waiting.
    parallelizationFactor: PARALLEL_BATCHES,
    retryAttempts: SENDING.retries,
    maxRecordAge: SENDING.longestWait,
  })
  Validations.of(sending).acknowledge({
    id: 'Serverless-LambdaEventSourceMappingDestination',
    reason: 'What is given up here is no loss: its row has a timer, by which the job of webhooks sends it.',
  })
  return { context: CONSUMER, lambda, deadLetters }
}
