import { api, integration, route, stage } from './api.ts'
import { eventSourceMapping } from './event-source-mapping.ts'
import { lambdaFunction } from './function.ts'
import { key } from './keys.ts'
import { configurationSet, emailIdentity, eventRule } from './mail.ts'
import { eventInvokeConfig, queue, schedule, scheduleGroup } from './schedule.ts'
import type { Handler } from './site.ts'
import { table } from './table.ts'

/** What the local stack sets up, in an order in which each finds what it refers to. */
export const HANDLERS: ReadonlyMap<string, Handler> = new Map([
  ['AWS::KMS::Key', key],
  ['AWS::SQS::Queue', queue],
  ['AWS::DynamoDB::Table', table],
  ['AWS::SES::EmailIdentity', emailIdentity],
  ['AWS::SES::ConfigurationSet', configurationSet],
  ['AWS::ApiGatewayV2::Api', api],
  ['AWS::ApiGatewayV2::Stage', stage],
  ['AWS::Lambda::Function', lambdaFunction],
  ['AWS::Events::Rule', eventRule],
  ['AWS::ApiGatewayV2::Integration', integration],
  ['AWS::ApiGatewayV2::Route', route],
  ['AWS::Lambda::EventInvokeConfig', eventInvokeConfig],
  ['AWS::Lambda::EventSourceMapping', eventSourceMapping],
  ['AWS::Scheduler::ScheduleGroup', scheduleGroup],
  ['AWS::Scheduler::Schedule', schedule],
])

/** What has no meaning on one machine, and why. Anything in neither list is named at the start. */
export const WITHOUT_LOCAL_MEANING: ReadonlyMap<string, string> = new Map([
  ['AWS::IAM::Role', 'nothing here checks permissions'],
  ['AWS::IAM::Policy', 'nothing here checks permissions'],
  ['AWS::IAM::ManagedPolicy', 'nothing here checks permissions'],
  ['AWS::Lambda::Permission', 'nothing here checks permissions'],
  ['AWS::SQS::QueuePolicy', 'nothing here checks permissions'],
  ['AWS::SNS::TopicPolicy', 'nothing here checks permissions'],
  ['AWS::SES::ConfigurationSetEventDestination', 'what SES tells goes straight to the rules'],
  ['AWS::Logs::LogGroup', 'functions print to the console'],
  ['AWS::Logs::MetricFilter', 'nothing here collects metrics'],
  ['AWS::CloudWatch::Alarm', 'whoever runs it sees it fail'],
  ['AWS::CloudWatch::CompositeAlarm', 'whoever runs it sees it fail'],
  ['AWS::CloudWatch::Dashboard', 'nothing here collects metrics'],
  ['AWS::SNS::Topic', 'it only carries alarms'],
  ['AWS::SNS::Subscription', 'it only carries alarms'],
  ['AWS::CDK::Metadata', 'it describes the CDK version'],
])
